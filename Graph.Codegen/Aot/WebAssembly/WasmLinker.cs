using System.Globalization;

namespace Graphene.Codegen.Aot;

/// <summary>Links WebAssembly objects with lld, which is a program of its own.</summary>
internal static class WasmLinker
{
    /// <summary>Links objects into a module that exports some symbols and imports nothing.</summary>
    /// <param name="objects">The objects, in the order in which their code will stand.</param>
    /// <param name="exports">Functions by name, and data, whose addresses become constants.</param>
    /// <param name="stackInBytes">
    /// The size of the stack, which lies before everything else but what is never accessed: running over both ends the run.
    /// </param>
    /// <exception cref="GraphException">GR5060: the linker is missing or failed.</exception>
    public static byte[] Link(IReadOnlyList<byte[]> objects, IReadOnlyList<string> exports, long stackInBytes)
    {
        string[] files = [.. objects.Select((_, i) => string.Create(CultureInfo.InvariantCulture, $"{i}.o"))];
        return LldProgram.Wasm.Link(
            LldProgram.Wasm.Find(),
            folder =>
            {
                for (int i = 0; i < files.Length; i++)
                {
                    File.WriteAllBytes(Path.Combine(folder, files[i]), objects[i]);
                }
            },
            [
                "--no-entry", "--strip-all", "--gc-sections", "--stack-first", "--no-growable-memory", "--threads=1",
                "-z", string.Create(CultureInfo.InvariantCulture, $"stack-size={WasmOffsetFolding.LowestAddress + stackInBytes}"),
                "-o", "linked.wasm", .. exports.Select(e => "--export=" + e), .. files,
            ],
            "linked.wasm");
    }

    /// <summary>Asks for the linker before anything is compiled for it.</summary>
    /// <exception cref="GraphException">GR5060: there is none.</exception>
    public static void Require() => _ = LldProgram.Wasm.Find() ?? throw LldProgram.Wasm.Missing();
}
