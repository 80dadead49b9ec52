namespace Graphene.Runtime;

/// <summary>A compiled graph: machine code, constants and the plan that says how to call it.</summary>
/// <remarks>
/// One format serves code compiled in this process, the disk cache, and bundles made ahead of time. It needs no
/// compiler and no
/// LLVM to run. Disposing it frees the constants: dispose what was loaded from it first.
/// </remarks>
public sealed class Executable : IDisposable
{
    internal Executable(ExecutablePlan plan, IReadOnlyList<ObjectCode> objects, ConstantData constants)
    {
        Plan = plan;
        Objects = objects;
        Constants = constants;
    }

    /// <summary>How to call it.</summary>
    public ExecutablePlan Plan { get; }

    /// <summary>The machine code, in link order.</summary>
    public IReadOnlyList<ObjectCode> Objects { get; }

    /// <summary>The bytes of the constants.</summary>
    public ConstantData Constants { get; }

    /// <summary>Makes an executable from what a compiler produced.</summary>
    /// <param name="plan">How to call the code.</param>
    /// <param name="objects">The code.</param>
    /// <param name="constants">The constants; they belong to the executable from here on.</param>
    /// <exception cref="CompilerBugException">The plan contradicts itself.</exception>
    public static Executable Create(
        ExecutablePlan plan, IReadOnlyList<ObjectCode> objects, ConstantData? constants = null)
    {
        constants ??= ConstantData.Empty;
        return (PlanVerifier.Check(plan, constants.Length) ?? PlanVerifier.CheckObjects(plan, objects.Count)) is { } problem
            ? throw new CompilerBugException($"executable plan of '{plan.Name}'", problem)
            : new Executable(plan, objects, constants);
    }

    /// <summary>Reads an executable from a file; constants stay in the file and are mapped.</summary>
    /// <param name="path">A file written by <see cref="Write"/> or <see cref="WriteFile"/>, not trusted.</param>
    /// <param name="verifyConstants">
    /// Whether to compare the constants with their hash, which reads them all; plan and code are always compared.
    /// </param>
    /// <exception cref="GraphException">GR6102: the file is damaged, or not of this format and version.</exception>
    public static Executable Read(string path, bool verifyConstants = true) =>
        ExecutableReader.Read(path, _ => verifyConstants);

    /// <summary>Writes the executable as a bundle of one function; the same executable gives the same bytes.</summary>
    public void Write(Stream stream) => ExecutableWriter.Write(this, stream, FileHashKind.Blake3);

    /// <summary>Writes the executable to a file as a bundle of one function; the file appears complete or not at all.</summary>
    /// <exception cref="IOException">The file cannot be written; a file that was there is unchanged.</exception>
    public void WriteFile(string path) => AtomicFile.Write(path, Write);

    // For files of this machine, which are verified when they are read and can be made again: they need not wait for the disk.
    internal void WriteReplaceableFile(string path) =>
        AtomicFile.Write(path, stream => ExecutableWriter.Write(this, stream, FileHashKind.Fast), sync: false);

    /// <inheritdoc/>
    public void Dispose() => Constants.Dispose();
}
