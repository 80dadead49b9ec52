using Graphene.Runtime;

namespace Graphene.Codegen;

/// <summary>The kernels of a plan for a GPU.</summary>
/// <param name="code">Makes code of them.</param>
internal sealed class GpuKernelLibrary(IGpuCodeWriter code) : IKernelLibrary
{
    private readonly List<KernelSpec> _specs = [];
    private readonly List<GpuKernel> _kernels = [];
    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
    private readonly Dictionary<Kernel, KernelReference> _known = new(ReferenceEqualityComparer.Instance);

    /// <inheritdoc/>
    public IReadOnlyList<KernelSpec> Specs => _specs;

    /// <summary>The distinct kernels.</summary>
    public IReadOnlyList<GpuKernel> Kernels => _kernels;

    /// <summary>The number of a kernel.</summary>
    public int NumberOf(string symbol) => _numbers[symbol];

    /// <inheritdoc/>
    public void AddCall(string name, string source, KernelCost cost) => _specs.Add(new KernelSpec(name, source, cost.Flops, cost.Bytes));

    /// <inheritdoc/>
    public KernelReference Add(Kernel kernel)
    {
        if (_known.TryGetValue(kernel, out KernelReference known))
        {
            return known;
        }
        GpuEntry entry = code.Add(kernel);
        IEnumerable<GpuParameter> parameters =
        [
            .. kernel.Arguments.Select(a => a.IsReadOnly ? GpuParameter.Read : GpuParameter.Write),
            .. Enumerable.Repeat(GpuParameter.Number, kernel.Sizes.Count + entry.RunSymbols.Length),
            .. Enumerable.Repeat(GpuParameter.TensorMap, kernel.Maps.Count),
        ];
        if (!_numbers.TryGetValue(entry.Name, out int number))
        {
            _numbers.Add(entry.Name, _kernels.Count);
            _kernels.Add(new GpuKernel(entry.Name, entry.Object, entry.Threads, entry.SharedBytes, [.. parameters]));
        }
        else
        {
            // Kernels of equal code may say different things about arguments that they only read.
            _kernels[number] = _kernels[number] with
            {
                Parameters = [.. _kernels[number].Parameters.Zip(parameters, (a, b) => a == GpuParameter.Write ? a : b)],
            };
        }
        var reference = new KernelReference(entry.Name, entry.RunSymbols);
        _known.Add(kernel, reference);
        return reference;
    }
}
