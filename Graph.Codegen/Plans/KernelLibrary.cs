using System.Globalization;
using Graphene.Codegen.Llvm;
using Graphene.Runtime;

namespace Graphene.Codegen;

/// <summary>
/// The distinct kernels of one compilation: kernels of equal structure are compiled once, in modules that are compiled while the
/// next ones are written.
/// </summary>
internal sealed class KernelLibrary
{
    // A module costs LLVM a millisecond or two besides its kernels; few kernels are longer than this.
    private const int ModuleLength = 64 << 10;

    private readonly LlvmQueue _queue;
    private readonly LlvmKernelPrinter _printer;
    private readonly Dictionary<Kernel, string> _known = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<string, string> _symbols = new(StringComparer.Ordinal);
    private readonly List<(string Name, string Body)> _module = [];
    private int _moduleLength;
    private readonly List<KernelSpec> _specs = [];

    public KernelLibrary(LlvmTarget target, Func<DimSymbol, int> symbolOrdinal, LlvmQueue queue)
    {
        _queue = queue;
        _printer = new LlvmKernelPrinter(target, symbolOrdinal);
    }

    /// <summary>One entry per call that was added, in order.</summary>
    public IReadOnlyList<KernelSpec> Specs => _specs;

    /// <summary>How many kernels are compiled.</summary>
    public int DistinctCount => _symbols.Count;

    /// <summary>Notes a call, for profiles.</summary>
    /// <param name="name">The symbol of the kernel, or a name for several that are called as one.</param>
    /// <param name="source">The ops it does.</param>
    /// <param name="cost">What it costs.</param>
    public void AddCall(string name, string source, KernelCost cost) =>
        _specs.Add(new KernelSpec(name, source, cost.Flops, cost.Bytes));

    /// <summary>The symbol under which a kernel will be found.</summary>
    /// <param name="kernel">The kernel.</param>
    public string Add(Kernel kernel)
    {
        if (!_known.TryGetValue(kernel, out string? symbol))
        {
            symbol = SymbolOf(kernel);
            _known.Add(kernel, symbol);
        }
        return symbol;
    }

    // Kernels that were lowered apart may still turn out to be one.
    private string SymbolOf(Kernel kernel)
    {
        string body = _printer.PrintBody(kernel);
        if (!_symbols.TryGetValue(body, out string? symbol))
        {
            symbol = string.Create(CultureInfo.InvariantCulture, $"{kernel.Name}_{_symbols.Count}");
            _symbols.Add(body, symbol);
            _module.Add((symbol, body));
            _moduleLength += body.Length;
            if (_moduleLength >= ModuleLength)
            {
                CloseModule();
            }
        }
        return symbol;
    }

    /// <summary>Waits until all kernels and the entry function are compiled.</summary>
    /// <param name="entryModule">The entry function, in a module of its own.</param>
    /// <returns>ELF objects that link together.</returns>
    public byte[][] Finish(string entryModule)
    {
        CloseModule();
        _queue.Add(entryModule);
        return _queue.Finish();
    }

    private void CloseModule()
    {
        if (_module.Count > 0)
        {
            _queue.Add(_printer.PrintModule(_module));
            _module.Clear();
            _moduleLength = 0;
        }
    }
}
