using Graphene.Files;

namespace Graphene.Runtime;

/// <summary>Reads a bundle: verifies all of it, and takes the code that fits this processor or the GPU that it is for.</summary>
internal static class BundleReader
{
    /// <summary>Reads and loads.</summary>
    /// <param name="source">The bundle; closed by the caller.</param>
    /// <param name="where">The file, for messages.</param>
    /// <param name="options">What to insist on.</param>
    /// <exception cref="GraphException">The bundle is damaged, not signed by whom it should be, or for another processor.</exception>
    public static LoadedBundle Read(FileSource source, string? where, CompiledGraphOptions options)
    {
        try
        {
            ExecutableFile file = ExecutableFile.OpenHead(source);
            if (!SectionHash.IsCryptographic(file.Header.Hashes))
            {
                throw new InvalidDataException("it is an entry of a cache, not a bundle");
            }
            bool needsStamp = options.TakesStamp || options.VerifiedStamp is not null;
            string? stamp = source.File is { } handle && needsStamp ? FileStamp.Of(handle) : null;
            bool verifyConstants = options.VerifyConstants && (stamp is null || stamp != options.VerifiedStamp);
            ConstantData constants = file.MapConstants();
            ConstantCheck? check = null;
            int variant;
            FileSeal? seal;
            try
            {
                check = verifyConstants ? file.BeginCheck(constants, UsesPool(options.Running)) : null;
                file.ReadIndex();
                seal = file.ReadSeal();
                if (options.TrustedKeys.Count > 0)
                {
                    BundleTrust.Require(file, seal, options.TrustedKeys, where);
                }
                variant = VariantChoice.Choose(file.Index, options.Variant, options.Gpu);
            }
            catch
            {
                _ = check?.Holds; // waits for the threads that read them
                constants.Dispose();
                throw;
            }
            return Load(file, variant, constants, check, options, seal, options.VerifyConstants ? stamp : null);
        }
        catch (Exception e) when (ExecutableReader.IsBadFile(e))
        {
            throw ExecutableReader.Error(e, where);
        }
    }

    // Constants are compared with their hash meanwhile, and everything is verified before anything can be executed.
    private static LoadedBundle Load(
        ExecutableFile file, int variant, ConstantData all, ConstantCheck? check, CompiledGraphOptions options, FileSeal? seal,
        string? stamp)
    {
        int count = file.Index.Signatures.Length;
        // One share for each program, and one for the first values of states.
        RunOptions running = options.Running;
        ConstantData[] constants = all.ShareAmong(count + 1);
        var programs = new GraphProgram?[count];
        try
        {
            Executable[] executables = ReadAll(file, variant, constants);
            if (UsesPool(running) && check is not { HasHelpers: true })
            {
                LoadingAhead.Begin();
            }
            Action? beforeExecution = check is null ? null : check.Require;
            for (int i = 0; i < count; i++)
            {
                if (options.Gpu is { } device)
                {
                    beforeExecution?.Invoke();
                    programs[i] = GpuProgram.Load(executables[i], device, running);
                }
                else
                {
                    programs[i] = NativeProgram.Load(executables[i], running, beforeExecution);
                }
            }
            return new LoadedBundle(file, variant, programs!, constants[count], seal, stamp);
        }
        catch (Exception e)
        {
            bool areSound = check?.Holds ?? true; // waits for the threads that read them
            for (int i = 0; i <= count; i++)
            {
                if (i < count && programs[i] is { } program)
                {
                    program.Dispose();
                }
                else
                {
                    constants[i].Dispose();
                }
            }
            // Code that cannot be linked is complained about only in a file that is what it was.
            if (e is ObjectLoadException && !areSound)
            {
                throw ConstantCheck.Damaged();
            }
            throw;
        }
    }

    private static bool UsesPool(RunOptions running) => running.MaxThreads != 1 && running.Pool is null;

    private static Executable[] ReadAll(ExecutableFile file, int variant, ConstantData[] constants)
    {
        FileIndex index = file.Index;
        int count = index.Signatures.Length;
        var isRead = new bool[file.Sections.Length];
        var executables = new Executable[count];
        for (int i = 0; i < count; i++)
        {
            ExecutablePlan plan = ExecutableReader.ReadCode(file, index.PlanOf(i, variant), isRead, out ObjectCode[] objects);
            if (StateProblem(index, index.Signatures[i], plan, file.ConstantSection?.Length ?? 0) is { } problem)
            {
                throw new InvalidDataException($"signature '{index.Signatures[i].Name}' is not sound: {problem}");
            }
            executables[i] = new Executable(plan, objects, constants[i]);
        }
        file.VerifyRest(isRead);
        return executables;
    }

    private static string? StateProblem(FileIndex index, FileSignature signature, ExecutablePlan plan, long constantBytes)
    {
        foreach (StateUse use in signature.States)
        {
            FileState state = index.States[use.State];
            if (use.Input >= plan.InputTable.Length || (use.Input >= 0 && !plan.InputTable[use.Input].Type.Equals(state.Type))
                || use.Output >= plan.OutputTable.Length || (use.Output >= 0 && !plan.OutputTable[use.Output].Type.Equals(state.Type)))
            {
                return $"its input or output for state '{state.Name}' is not {state.Type}";
            }
            if (state.Initial >= 0 && !PlanVerifier.LiesInside(state.Initial, state.Type.SizeInBytes.Value, constantBytes))
            {
                return $"state '{state.Name}' has no first value";
            }
        }
        return null;
    }
}

/// <summary>What was loaded from a bundle.</summary>
/// <param name="File">Header, table and index.</param>
/// <param name="Variant">The number of the variant that runs.</param>
/// <param name="Programs">One for each signature; each holds a share of the constants.</param>
/// <param name="Constants">A share for whoever needs the first values of states.</param>
/// <param name="Seal">The seal, whose signature was checked only if keys were asked for.</param>
/// <param name="Stamp">The stamp of the file, all of which is verified.</param>
internal sealed record LoadedBundle(
    ExecutableFile File, int Variant, GraphProgram[] Programs, ConstantData Constants, FileSeal? Seal, string? Stamp);
