using System.Text;
using Graphene.Codegen.Ptx;
using Graphene.Runtime;

namespace Graphene.Codegen;

/// <summary>Kernels as PTX: one object with all.</summary>
/// <param name="target">The GPU.</param>
/// <param name="threads">How many kernels are compiled at a time.</param>
/// <param name="cancellation">Stops before the next kernel is begun.</param>
internal sealed class PtxWriter(GpuTarget target, int threads, CancellationToken cancellation) : IGpuCodeWriter
{
    private readonly PtxCompiler _compiler = new(PtxTarget.Of(target), threads, cancellation);

    /// <inheritdoc/>
    public GpuCodeForm Form => GpuCodeForm.Ptx;

    /// <inheritdoc/>
    public GpuEntry Add(Kernel kernel)
    {
        PtxKernel added = _compiler.Add(kernel);
        return new GpuEntry(added.Name, 0, added.Threads, added.DynamicSharedBytes, added.Symbols[kernel.Sizes.Count..]);
    }

    /// <inheritdoc/>
    public IReadOnlyList<ObjectCode> Finish() => [new ObjectCode("kernels.ptx", Encoding.UTF8.GetBytes(FinishModule().Text))];

    /// <summary>The same with all that is known of it; instead of <see cref="Finish"/>.</summary>
    public PtxModule FinishModule() => Module = _compiler.Finish();

    /// <summary>What came out; null before.</summary>
    public PtxModule? Module { get; private set; }

    /// <inheritdoc/>
    public void Dispose() => _compiler.Dispose();
}
