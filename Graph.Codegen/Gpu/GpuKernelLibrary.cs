using Graphene.Runtime;

namespace Graphene.Codegen;

/// <summary>The kernels of a plan for a GPU.</summary>
/// <param name="code">Makes code of them.</param>
internal sealed class GpuKernelLibrary(IGpuCodeWriter code) : IKernelLibrary
{
    private readonly List<KernelSpec> _specs = [];
    private readonly List<GpuKernel> _kernels = [];
    private readonly List<int> _members = [];
    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
    private readonly Dictionary<Kernel, Dictionary<int, KernelReference>> _known = new(ReferenceEqualityComparer.Instance);

    /// <inheritdoc/>
    public IReadOnlyList<KernelSpec> Specs => _specs;

    /// <summary>The distinct kernels.</summary>
    public IReadOnlyList<GpuKernel> Kernels => _kernels;

    /// <summary>The number of a kernel.</summary>
    public int NumberOf(string symbol) => _numbers[symbol];

    /// <summary>How many calls one start of a kernel does.</summary>
    public int MembersOf(string symbol) => _members[_numbers[symbol]];

    /// <inheritdoc/>
    public void AddCall(string name, string source, KernelCost cost) => _specs.Add(new KernelSpec(name, source, cost.Flops, cost.Bytes));

    /// <inheritdoc/>
    public KernelReference Add(Kernel kernel, int calls)
    {
        int members = Members(kernel, calls);
        if (!_known.TryGetValue(kernel, out Dictionary<int, KernelReference>? references))
        {
            _known.Add(kernel, references = []);
        }
        if (!references.TryGetValue(members, out KernelReference reference))
        {
            references.Add(members, reference = Add(members == kernel.Members ? kernel : kernel with { Members = members }));
        }
        return reference;
    }

    private KernelReference Add(Kernel kernel)
    {
        GpuEntry entry = code.Add(kernel);
        GpuParameter[] call =
        [
            .. kernel.Arguments.Select(a => a.IsReadOnly ? GpuParameter.Read : GpuParameter.Write),
            .. Enumerable.Repeat(GpuParameter.Number, kernel.Sizes.Count + entry.RunSymbols.Length),
            .. Enumerable.Repeat(GpuParameter.TensorMap, kernel.Maps.Count),
        ];
        GpuParameter[] parameters = kernel.Members == 1 ? call :
        [
            .. Enumerable.Repeat(GpuParameter.Number, kernel.Members),
            .. Enumerable.Repeat(call, kernel.Members).SelectMany(p => p),
        ];
        if (!_numbers.TryGetValue(entry.Name, out int number))
        {
            _numbers.Add(entry.Name, _kernels.Count);
            _kernels.Add(new GpuKernel(entry.Name, entry.Object, entry.Threads, entry.SharedBytes, [.. parameters]));
            _members.Add(kernel.Members);
        }
        else
        {
            // Kernels of equal code may say different things about arguments that they only read.
            _kernels[number] = _kernels[number] with
            {
                Parameters = [.. _kernels[number].Parameters.Zip(parameters, (a, b) => a == GpuParameter.Write ? a : b)],
            };
        }
        return new KernelReference(entry.Name, entry.RunSymbols);
    }

    // As many calls as the parameters of one start have room for, in starts of equal size.
    private static int Members(Kernel kernel, int calls)
    {
        int words = 1 + kernel.Arguments.Count + kernel.Sizes.Count + KernelTextWriter.RunSymbols(kernel).Length;
        int most = GpuKernel.MostParameters / words;
        return calls == 1 || most < 2 ? 1 : (int)DimMath.CeilDiv(calls, DimMath.CeilDiv(calls, most));
    }
}
