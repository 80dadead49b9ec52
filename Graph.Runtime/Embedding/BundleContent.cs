using System.Security.Cryptography;

namespace Graphene.Runtime;

/// <summary>What goes into a bundle: functions, each as code for the same variants of a processor.</summary>
/// <remarks>
/// Constants whose bytes are equal, in whichever functions and variants, are stored once. The same content gives the same bytes, up to
/// the signature, which holds random bits.
/// </remarks>
public sealed record BundleContent
{
    /// <summary>The name of the model.</summary>
    public required string Name { get; init; }

    /// <summary>The functions.</summary>
    public required IReadOnlyList<BundleFunction> Functions { get; init; }

    /// <summary>Writes the bundle.</summary>
    /// <param name="stream">Where it goes; need not be seekable.</param>
    /// <param name="key">A private key of P-256 that signs it; null for nobody.</param>
    /// <exception cref="GraphException">GR6115: functions contradict each other.</exception>
    public void Write(Stream stream, ECDsa? key = null)
    {
        using var assembly = new BundleAssembly(this);
        ExecutableWriter.Write(assembly.Assemble(), stream, FileHashKind.Blake3, key);
    }

    /// <summary>Writes the bundle to a file, which appears complete or not at all.</summary>
    /// <inheritdoc cref="Write"/>
    /// <param name="path">The file.</param>
    /// <param name="key">A private key of P-256 that signs it; null for nobody.</param>
    /// <exception cref="IOException">The file cannot be written; a file that was there is unchanged.</exception>
    public void WriteFile(string path, ECDsa? key = null) => AtomicFile.Write(path, stream => Write(stream, key));
}

/// <summary>One function of a bundle.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Variants">Its code, the best variant first; all functions of a bundle have the same variants in the same order.</param>
public sealed record BundleFunction(string Name, IReadOnlyList<BundleCode> Variants)
{
    /// <summary>The hash of what it was compiled from, for those who look for that; may be empty.</summary>
    public string Source { get; init; } = "";

    /// <summary>The inputs and outputs that are state.</summary>
    public IReadOnlyList<BundleStateUse> States { get; init; } = [];
}

/// <summary>Code of a function for one kind of processor.</summary>
/// <param name="Variant">What people call it, for example <c>x86-64-v3</c>.</param>
/// <param name="Executable">The code; it stays the caller's.</param>
public sealed record BundleCode(string Variant, Executable Executable);

/// <summary>A value that functions leave for each other; those of equal names are one.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Initial">Its first value, which says its type.</param>
/// <param name="Input">The function's input that takes its value; -1 when it is not read.</param>
/// <param name="Output">The output that gives its next value; -1 when it is not assigned.</param>
public sealed record BundleStateUse(string Name, Literal Initial, int Input, int Output)
{
    /// <summary>The variables of a graph as states.</summary>
    public static IReadOnlyList<BundleStateUse> Of(LoweredGraph lowered) =>
        [.. lowered.Variables.Select(v => new BundleStateUse(v.Variable.Name, v.Variable.InitialValue, v.Input, v.Output))];
}
