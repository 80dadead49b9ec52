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
            ExecutableFile file = ExecutableFile.Open(source);
            if (file.Header.Hashes != FileHashKind.Sha256)
            {
                throw new InvalidDataException("it is an entry of a cache, not a bundle");
            }
            FileSeal? seal = file.ReadSeal();
            if (options.TrustedKeys.Count > 0)
            {
                BundleTrust.Require(file, seal, options.TrustedKeys, where);
            }
            int variant = VariantChoice.Choose(file.Index, options.Variant, options.Gpu);
            string? stamp = source.File is { } handle && (options.TakesStamp || options.VerifiedStamp is not null) ? FileStamp.Of(handle) : null;
            bool verifyConstants = options.VerifyConstants && (stamp is null || stamp != options.VerifiedStamp);
            return Load(file, variant, verifyConstants, options, seal, options.VerifyConstants ? stamp : null);
        }
        catch (Exception e) when (ExecutableReader.IsBadFile(e))
        {
            throw ExecutableReader.Error(e, where);
        }
    }

    // Everything is verified before the first object becomes code.
    private static LoadedBundle Load(
        ExecutableFile file, int variant, bool verifyConstants, CompiledGraphOptions options, FileSeal? seal, string? stamp)
    {
        FileIndex index = file.Index;
        int count = index.Signatures.Length;
        var isRead = new bool[file.Sections.Count];
        var plans = new ExecutablePlan[count];
        var objects = new ObjectCode[count][];
        for (int i = 0; i < count; i++)
        {
            (plans[i], objects[i]) = ExecutableReader.ReadCode(file, index.PlanOf(i, variant), isRead);
            if (StateProblem(index, index.Signatures[i], plans[i], file.ConstantSection?.Length ?? 0) is { } problem)
            {
                throw new InvalidDataException($"signature '{index.Signatures[i].Name}' is not sound: {problem}");
            }
        }
        file.VerifyRest(isRead);
        // One share for each program, and one for the first values of states.
        ConstantData[] constants = file.Constants(verifyConstants).ShareAmong(count + 1);
        var programs = new GraphProgram?[count];
        try
        {
            for (int i = 0; i < count; i++)
            {
                var executable = new Executable(plans[i], objects[i], constants[i]);
                programs[i] = options.Gpu is { } device
                    ? GpuProgram.Load(executable, device, options.Running)
                    : NativeProgram.Load(executable, options.Running);
            }
            return new LoadedBundle(file, variant, programs!, constants[count], seal, stamp);
        }
        catch
        {
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
            throw;
        }
    }

    private static string? StateProblem(FileIndex index, FileSignature signature, ExecutablePlan plan, long constantBytes)
    {
        foreach (StateUse use in signature.States)
        {
            FileState state = index.States[use.State];
            if (use.Input >= plan.Inputs.Length || (use.Input >= 0 && !plan.Inputs[use.Input].Type.Equals(state.Type))
                || use.Output >= plan.Outputs.Length || (use.Output >= 0 && !plan.Outputs[use.Output].Type.Equals(state.Type)))
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
