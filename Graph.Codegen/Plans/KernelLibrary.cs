using Graphene.Codegen.Llvm;
using Graphene.Runtime;

namespace Graphene.Codegen;

/// <summary>
/// The distinct kernels of one compilation: kernels of equal structure are compiled once, in modules that may be compiled while the
/// next ones are written.
/// </summary>
internal sealed class KernelLibrary : IKernelLibrary
{
    // A module costs LLVM a millisecond or two besides its kernels; few kernels are longer than this.
    private const int ModuleLength = 64 << 10;

    // Each piece of scratch begins at a multiple of this.
    private const int ScratchAlignment = 64;

    private readonly Action<string> _emit;
    private readonly KernelSymbols _symbols;
    private readonly LlvmKernelPrinter _printer;
    private readonly Dictionary<Kernel, string> _known = new(ReferenceEqualityComparer.Instance);
    private readonly List<(string Name, string Body)> _module = [];
    private int _moduleLength;
    private readonly List<KernelSpec> _specs = [];
    private readonly List<(string Symbol, Kernel Kernel)> _added = [];

    /// <param name="target">The machine that the code is for.</param>
    /// <param name="symbolOrdinal">The place of a symbol among the context's symbol values.</param>
    /// <param name="symbols">The kernels that are there already; those of this library are added.</param>
    /// <param name="emit">Takes each module of kernels, as LLVM IR.</param>
    /// <param name="checksCancellation">Whether kernels look for cancellation between tasks.</param>
    public KernelLibrary(
        LlvmTarget target, Func<DimSymbol, int> symbolOrdinal, KernelSymbols symbols, Action<string> emit, bool checksCancellation = true)
    {
        _emit = emit;
        _symbols = symbols;
        _printer = new LlvmKernelPrinter(target, symbolOrdinal) { ChecksCancellation = checksCancellation };
    }

    /// <inheritdoc/>
    public IReadOnlyList<KernelSpec> Specs => _specs;

    /// <summary>The kernels that were not there before, by the names of their functions.</summary>
    public IReadOnlyList<(string Symbol, Kernel Kernel)> Added => _added;

    /// <summary>The bytes of scratch that the kernel with the most of it has on the stack.</summary>
    public long MostScratchInBytes { get; private set; }

    /// <summary>How many kernels are compiled.</summary>
    public int DistinctCount => _symbols.Count;

    /// <inheritdoc/>
    public void AddCall(string name, string source, KernelCost cost) =>
        _specs.Add(new KernelSpec(name, source, cost.Flops, cost.Bytes));

    /// <inheritdoc/>
    public KernelReference Add(Kernel kernel, int calls)
    {
        if (!_known.TryGetValue(kernel, out string? symbol))
        {
            symbol = SymbolOf(kernel);
            _known.Add(kernel, symbol);
        }
        return new KernelReference(symbol, []);
    }

    // Kernels that were lowered apart may still turn out to be one.
    private string SymbolOf(Kernel kernel)
    {
        string body = _printer.PrintBody(kernel);
        if (_symbols.Add(kernel.Name, body, out string symbol))
        {
            MostScratchInBytes = Math.Max(MostScratchInBytes, ScratchInBytes(kernel.Body));
            _module.Add((symbol, body));
            _added.Add((symbol, kernel));
            _moduleLength += body.Length;
            if (_moduleLength >= ModuleLength)
            {
                CloseModule();
            }
        }
        return symbol;
    }

    /// <summary>Emits the last module.</summary>
    public void Close() => CloseModule();

    private static long ScratchInBytes(KBlock block) => block.Statements.Sum(s => s is KScratch { Buffer: var buffer }
        ? (buffer.Length * buffer.Element.SizeInBytes()) + ScratchAlignment
        : KTraversal.Blocks(s).Sum(ScratchInBytes));

    private void CloseModule()
    {
        if (_module.Count > 0)
        {
            _emit(_printer.PrintModule(_module));
            _module.Clear();
            _moduleLength = 0;
        }
    }
}
