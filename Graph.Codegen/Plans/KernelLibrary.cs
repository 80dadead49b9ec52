using System.Globalization;
using Graphene.Codegen.Llvm;
using Graphene.Runtime;

namespace Graphene.Codegen;

/// <summary>The distinct kernels of one compilation: kernels of equal structure are compiled once, modules in parallel.</summary>
internal sealed class KernelLibrary
{
    private readonly LlvmTarget _target;
    private readonly LlvmKernelPrinter _printer;
    private readonly Dictionary<string, string> _symbols = new(StringComparer.Ordinal);
    private readonly List<(string Name, string Body)> _functions = [];
    private readonly List<KernelSpec> _specs = [];

    public KernelLibrary(LlvmTarget target, Func<DimSymbol, int> symbolOrdinal)
    {
        _target = target;
        _printer = new LlvmKernelPrinter(target, symbolOrdinal);
    }

    /// <summary>One entry per call that was added, in order.</summary>
    public IReadOnlyList<KernelSpec> Specs => _specs;

    /// <summary>How many kernels are compiled.</summary>
    public int DistinctCount => _functions.Count;

    /// <summary>The symbol under which a kernel will be found.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="source">The ops it does, for profiles.</param>
    public string Add(Kernel kernel, string source)
    {
        string body = _printer.PrintBody(kernel);
        if (!_symbols.TryGetValue(body, out string? symbol))
        {
            symbol = string.Create(CultureInfo.InvariantCulture, $"{kernel.Name}_{_functions.Count}");
            _symbols.Add(body, symbol);
            _functions.Add((symbol, body));
        }
        _specs.Add(new KernelSpec(symbol, source, kernel.Cost.Flops, kernel.Cost.Bytes));
        return symbol;
    }

    /// <summary>Compiles all kernels and the entry function.</summary>
    /// <returns>ELF objects that link together.</returns>
    public byte[][] Compile(string entryModule, int threads, CancellationToken cancellationToken)
    {
        int parts = Math.Clamp(_functions.Count, 1, 4 * Math.Max(1, threads));
        var modules = new List<(string Name, string Body)>[parts];
        var sizes = new long[parts];
        for (int i = 0; i < parts; i++)
        {
            modules[i] = [];
        }
        // Longest first onto the lightest module: no thread is left with one long tail.
        foreach ((string Name, string Body) function in _functions.OrderByDescending(f => f.Body.Length).ThenBy(f => f.Name, StringComparer.Ordinal))
        {
            int lightest = Array.IndexOf(sizes, sizes.Min());
            modules[lightest].Add(function);
            sizes[lightest] += function.Body.Length;
        }
        List<string> texts = [.. modules.Where(m => m.Count > 0).Select(_printer.PrintModule), entryModule];
        return LlvmCompiler.CompileAll(texts, _target, threads: threads, cancellationToken: cancellationToken);
    }
}
