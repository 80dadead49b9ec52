using Microsoft.Win32.SafeHandles;

namespace Graphene.Runtime;

/// <summary>Reads executable files; see <see cref="FileLayout"/>. Nothing in a file is trusted.</summary>
/// <remarks>
/// Hashes find damage, not malice: whoever can write a file can write its hashes, and machine code can do anything. Where files come
/// from is for the caller to know, or for a signature to say; the disk cache keeps its folder to its user for that reason.
/// </remarks>
internal static class ExecutableReader
{
    /// <summary>Reads a file with one signature.</summary>
    /// <param name="path">The file.</param>
    /// <param name="verifyConstants">Whether to compare the constants of the file, which is open, with their hash.</param>
    public static Executable Read(string path, Func<SafeFileHandle, bool> verifyConstants)
    {
        try
        {
            using FileSource source = FileSource.Open(path);
            ExecutableFile file = ExecutableFile.Open(source);
            if (file.Index.Signatures.Length != 1 || file.Index.States.Length > 0)
            {
                throw new InvalidDataException("it has several signatures or state, as bundles have: see CompiledGraph.Load");
            }
            int variant = file.Index.Variants.Length == 1 ? 0 : VariantChoice.Choose(file.Index, null);
            var isRead = new bool[file.Sections.Length];
            ExecutablePlan plan = ReadCode(file, variant, isRead, out ObjectCode[] objects);
            if (SectionHash.IsCryptographic(file.Header.Hashes))
            {
                file.VerifyRest(isRead);
                file.ReadSeal();
            }
            return new Executable(plan, objects, file.Constants(verifyConstants(source.File!)));
        }
        catch (Exception e) when (IsBadFile(e))
        {
            throw Error(e, path);
        }
    }

    /// <summary>Reads a plan and its objects.</summary>
    /// <param name="file">The file.</param>
    /// <param name="number">The number of the plan.</param>
    /// <param name="isRead">Is told which sections were read.</param>
    /// <param name="objects">Receives the objects.</param>
    public static ExecutablePlan ReadCode(ExecutableFile file, int number, bool[] isRead, out ObjectCode[] objects)
    {
        ExecutablePlan plan = file.ReadPlan(number, out ObjectNames names);
        isRead[ExecutableFile.SectionOfPlan(number)] = true;
        objects = new ObjectCode[names.Numbers.Length];
        for (int i = 0; i < objects.Length; i++)
        {
            objects[i] = new ObjectCode(names.Names[i], file.ReadObject(names.Numbers[i]));
            isRead[file.SectionOfObject(names.Numbers[i])] = true;
        }
        return plan;
    }

    /// <summary>Whether an exception means that a file cannot be used.</summary>
    public static bool IsBadFile(Exception e) => e is InvalidDataException or IOException or UnauthorizedAccessException;

    /// <summary>What to throw for such an exception.</summary>
    public static GraphException Error(Exception e, string? where) => new(
        RuntimeDiagnostics.BadExecutable, $"executable cannot be used: {e.Message}", where: where,
        fix: "compile the model again with this version of Graphene", inner: e);
}
