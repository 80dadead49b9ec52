using System.Text;

namespace Graphene.Codegen.Aot;

/// <summary>The forms in which a native library is written to files.</summary>
[Flags]
public enum NativeFileKinds
{
    /// <summary>Nothing but the manifest.</summary>
    None = 0,

    /// <summary>The relocatable object, <c>NAME.o</c>.</summary>
    Object = 1,

    /// <summary>The C header, <c>NAME.h</c>.</summary>
    Header = 2,

    /// <summary>The shared library, <c>NAME.so</c>.</summary>
    Shared = 4,

    /// <summary>LLVM IR, <c>NAME.ll</c>.</summary>
    LlvmIr = 8,

    /// <summary>Assembly, <c>NAME.s</c>.</summary>
    Assembly = 16,

    /// <summary>The static library, <c>NAME.a</c>.</summary>
    Archive = 32,
}

/// <summary>Writes a native library to files, each of which appears complete or not at all.</summary>
public static class NativeFiles
{
    /// <summary>Writes files of one name with different endings, and <c>NAME.json</c>, which describes them.</summary>
    /// <param name="library">The library.</param>
    /// <param name="path">The path of the files without ending.</param>
    /// <param name="kinds">Which are written.</param>
    /// <param name="weightsPath">Where the weights go, when the library does not hold them.</param>
    /// <returns>The paths of all files.</returns>
    /// <exception cref="GraphException">GR5033: the linker is missing or failed.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public static IReadOnlyList<string> Write(CompiledLibrary library, string path, NativeFileKinds kinds, string? weightsPath = null)
    {
        var files = new List<(string Path, ReadOnlyMemory<byte> Content)>();
        void Add(NativeFileKinds kind, string ending, Func<ReadOnlyMemory<byte>> content)
        {
            if (kinds.HasFlag(kind))
            {
                files.Add((path + ending, content()));
            }
        }
        Add(NativeFileKinds.Object, ".o", () => library.Object);
        Add(NativeFileKinds.Header, ".h", () => Encoding.UTF8.GetBytes(library.Header));
        Add(NativeFileKinds.Archive, ".a", () => StaticArchive.Of(library));
        Add(NativeFileKinds.Shared, ".so", () => SharedLibraryLinker.Link(library, Path.GetFileName(path) + ".so"));
        Add(NativeFileKinds.LlvmIr, ".ll", () => Encoding.UTF8.GetBytes(library.LlvmIr()));
        Add(NativeFileKinds.Assembly, ".s", () => Encoding.UTF8.GetBytes(library.Assembly()));
        if (library.Weights is { } weights)
        {
            files.Add((weightsPath ?? path + ".weights", weights));
        }
        string manifest = NativeManifest.Print(library, files.ToDictionary(f => Path.GetFileName(f.Path), f => f.Content));
        files.Add((path + ".json", Encoding.UTF8.GetBytes(manifest)));
        foreach ((string file, ReadOnlyMemory<byte> content) in files)
        {
            AtomicFile.Write(file, stream => stream.Write(content.Span));
        }
        return [.. files.Select(f => f.Path)];
    }
}
