namespace Graphene.Cli.Compilation;

/// <summary>A form that a compiled model can have.</summary>
/// <param name="Name">What <c>--emit</c> calls it.</param>
/// <param name="Extension">The end of its file's name, by which it is known without <c>--emit</c>.</param>
/// <param name="Description">What it is.</param>
/// <param name="Writer">Writes it, together with the others of the same writer that were asked for.</param>
internal sealed record ArtifactForm(string Name, string Extension, string Description, ArtifactWriter Writer);

/// <summary>Compiles a model once and writes it in several forms.</summary>
/// <param name="request">What was asked for.</param>
/// <param name="forms">The names of the forms.</param>
/// <returns>A line for each file.</returns>
internal delegate IReadOnlyList<string> ArtifactWriter(CompileRequest request, IReadOnlyList<string> forms);

/// <summary>All forms of output of <c>graphene compile</c>.</summary>
internal static class ArtifactTable
{
    /// <summary>The forms, in the order in which help lists them.</summary>
    public static readonly ArtifactForm[] All =
    [
        new("bundle", ".graphene", "a file that .NET programs load, with code, constants and signature", BundleArtifact.Write),
        new("object", ".o", "a relocatable object with a C interface, and its header", NativeArtifact.Write),
        new("archive", ".a", "a static library of that object, and its header", NativeArtifact.Write),
        new("shared", ".so", "a shared library, and its header (linked by lld)", NativeArtifact.Write),
        new("c-header", ".h", "the C header", NativeArtifact.Write),
        new("llvm-ir", ".ll", "LLVM IR", NativeArtifact.Write),
        new("wasm", ".wasm", "a WebAssembly module, and the .mjs and .d.ts that load it (linked by lld)", WasmArtifact.Write),
        new("ptx", ".ptx", "the kernels of a GPU as PTX, and a .json that says how they are launched", PtxArtifact.Write),
        new("asm", ".s", "assembly", NativeArtifact.Write),
    ];

    /// <summary>The form that a file's name says; null when it says none.</summary>
    public static ArtifactForm? ForPath(string path) =>
        Array.Find(All, f => f.Extension.Equals(Path.GetExtension(path), StringComparison.OrdinalIgnoreCase));

    /// <summary>The forms of a list of names.</summary>
    /// <exception cref="UsageException">There is none of that name.</exception>
    public static IReadOnlyList<ArtifactForm> Find(IEnumerable<string> names) =>
    [
        .. names.Distinct(StringComparer.Ordinal).Select(n => Array.Find(All, f => f.Name == n)
            ?? throw new UsageException($"--emit {n}: the forms are {string.Join(", ", All.Select(f => f.Name))}")),
    ];
}
