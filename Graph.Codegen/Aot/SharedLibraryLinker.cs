using Graphene.Codegen.Llvm;

namespace Graphene.Codegen.Aot;

/// <summary>Makes a shared library of an object with lld, LLVM's linker, which links for every target on every machine.</summary>
public static class SharedLibraryLinker
{
    /// <summary>The linker that will be used; null when there is none.</summary>
    public static string? Find() => LldProgram.Elf.Find();

    /// <summary>Links a shared library that exports the interface alone.</summary>
    /// <param name="library">The library.</param>
    /// <param name="fileName">The name under which programs that are linked with it will look for it; null for <c>NAME.so</c>.</param>
    /// <exception cref="GraphException">GR5033: the linker is missing or failed.</exception>
    public static byte[] Link(CompiledLibrary library, string? fileName = null) => Link(library, Find(), fileName);

    internal static byte[] Link(CompiledLibrary library, string? linker, string? fileName) => LldProgram.Elf.Link(
        linker,
        folder =>
        {
            File.WriteAllBytes(Path.Combine(folder, "code.o"), library.Object.Span);
            string exports = string.Concat(library.Exports.Select(e => e + "; "));
            File.WriteAllText(Path.Combine(folder, "exports"), $"{{ global: {exports}local: *; }};\n");
        },
        [
            "-shared", "-o", "library.so", $"-soname={fileName ?? library.Options.Name + ".so"}", "--version-script=exports",
            "--build-id=sha1",
            "-z", "relro", "-z", "now", "-z", "noexecstack", "--hash-style=gnu", "--no-allow-shlib-undefined", "--gc-sections",
            "--strip-debug", "-m", Emulation(library.Target), "code.o",
            library.UndefinedSymbols.Count == 0 ? "--no-undefined" : "--unresolved-symbols=ignore-all",
        ],
        "library.so");

    private static string Emulation(AotTarget target) => target.Architecture switch
    {
        LlvmArchitecture.X64 => "elf_x86_64",
        LlvmArchitecture.Arm64 => "aarch64linux",
        LlvmArchitecture.RiscV64 => "elf64lriscv",
        LlvmArchitecture.Arm32 when !target.Variants[0].Machine.IsBareMetal => "armelf_linux_eabi",
        var other => throw new GraphException(
            AotDiagnostics.Linker, $"there are no shared libraries for {other}", fix: "choose another form of output"),
    };
}
