using System.Collections.Immutable;

namespace Graphene.Codegen.Ptx;

/// <summary>Kernels as PTX text, which a driver loads.</summary>
/// <param name="Target">What the text is for.</param>
/// <param name="Text">The text.</param>
/// <param name="Kernels">Its entries, in the order of the text.</param>
/// <param name="Ir">The LLVM IR that it was made of, one module for each kernel.</param>
/// <param name="Sources">The kernels themselves, each one of those that are equal.</param>
public sealed record PtxModule(
    PtxTarget Target, string Text, ImmutableArray<PtxKernel> Kernels, ImmutableArray<string> Ir, ImmutableArray<Kernel> Sources)
{
    /// <summary>The LLVM IR of all kernels, one module behind the other.</summary>
    internal string IrText => CodeDump.Titled(";", Kernels.Zip(Ir, (kernel, ir) => (kernel.Name, ir)));

    /// <summary>What <see cref="CodeDump"/> is to write.</summary>
    internal IEnumerable<(string Ending, string Text)> Dump() =>
    [
        (CodeDump.KernelsEnding, CodeDump.Titled("//", Kernels.Zip(Sources, (k, source) => (k.Name, KernelPrinter.Print(source))))),
        (CodeDump.IrEnding, IrText),
        (".ptx", Text),
    ];
}
