using System.Globalization;

namespace Graphene.Codegen;

/// <summary>Gives everything in a kernel that has a name a different one, as close to its own as text allows.</summary>
internal sealed class KernelNames
{
    // Words that begin statements, and the sign for what is left out.
    private static readonly HashSet<string> Reserved =
    [
        "for", "while", "if", "else", "let", "register", "store", "stream", "scatter", "prefetch", "prefetch_soon", "scratch",
        "tiles", "zero_tile", "load_tile", "store_tile", "dot_tiles", "shared", "barrier", "warp_barrier", "exchange", "async_copy", "async_commit",
        "async_wait", "fragment_dot", "fragment_load", "phases", "phase_arrive", "phase_wait", "bulk_copy", "roles", "warps",
        "warpgroup_dot",
        "warpgroup_fence", "warpgroup_commit", "warpgroup_wait", KernelExpressionText.Missing,
    ];

    private readonly Dictionary<object, string> _names = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<string> _taken = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, DimSymbol> _symbols = new(StringComparer.Ordinal);

    public KernelNames(Kernel kernel)
    {
        foreach (KBuffer argument in kernel.Arguments)
        {
            Add(argument, argument.Name);
        }
        Add(kernel.Task, kernel.Task.Name);
        if (kernel.Threads is { } threads)
        {
            Add(threads.Thread, threads.Thread.Name);
        }
        foreach (DimSymbol size in kernel.Sizes)
        {
            _symbols[size.Name] = size;
        }
        foreach (KTensorMap map in kernel.Maps)
        {
            Add(map, map.Name);
            foreach (KExpr number in KTraversal.Operands(map))
            {
                Collect(number);
            }
        }
        Collect(kernel.TaskCount);
        foreach (DimSymbol symbol in kernel.Cost.Flops.Symbols.Concat(kernel.Cost.Bytes.Symbols))
        {
            _symbols[symbol.Name] = symbol;
        }
        Collect(kernel.Body);
    }

    /// <summary>All symbols, in the order of their names.</summary>
    public IEnumerable<DimSymbol> Symbols => _symbols.Values;

    /// <summary>The name of a buffer, variable or register; a marked one for what is declared nowhere.</summary>
    public string this[object named] => _names.TryGetValue(named, out string? name) ? name : "undeclared";

    /// <summary>A symbol as dims write it.</summary>
    public static string Symbol(DimSymbol symbol) => ((Dim)symbol).ToString();

    private void Collect(KBlock block)
    {
        foreach (KStmt statement in block.Statements)
        {
            switch (statement)
            {
                case KFor loop:
                    Add(loop.Variable, loop.Variable.Name);
                    break;
                case KLet let:
                    Add(let.Variable, let.Variable.Name);
                    break;
                case KDeclare declare:
                    Add(declare.Register, declare.Register.Name);
                    break;
                case KScratch scratch:
                    Add(scratch.Buffer, scratch.Buffer.Name);
                    break;
                case KExchange exchange:
                    Add(exchange.Variable, exchange.Variable.Name);
                    break;
                case KFragmentLoad load:
                    Add(load.Variable, load.Variable.Name);
                    break;
                case KPhaseInit init:
                    Add(init.Barriers, init.Barriers.Name);
                    break;
                case KTiles tiles:
                    foreach (KTile tile in tiles.Tiles)
                    {
                        Add(tile, tile.Name);
                    }
                    break;
            }
            foreach (KExpr operand in KTraversal.Operands(statement))
            {
                Collect(operand);
            }
            foreach (KBlock inner in KTraversal.Blocks(statement))
            {
                Collect(inner);
            }
        }
    }

    private void Collect(KExpr root)
    {
        var seen = new HashSet<KExpr>(ReferenceEqualityComparer.Instance);
        KTraversal.PostOrder(root, seen.Contains, KTraversal.Operands, e =>
        {
            seen.Add(e);
            if (e is KSymbol symbol)
            {
                _symbols[symbol.Symbol.Name] = symbol.Symbol;
            }
        });
    }

    private void Add(object named, string wanted)
    {
        if (_names.ContainsKey(named))
        {
            return;
        }
        string clean = string.Concat(wanted.Select(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' ? c : '_'));
        clean = clean.Length == 0 || char.IsAsciiDigit(clean[0]) || clean[0] == '.' ? "_" + clean : clean;
        string name = Reserved.Contains(clean) || KType.TryParse(clean, out _) ? "_" + clean : clean;
        clean = name;
        for (int i = 1; !_taken.Add(name); i++)
        {
            name = $"{clean}.{i.ToString(CultureInfo.InvariantCulture)}";
        }
        _names.Add(named, name);
    }
}
