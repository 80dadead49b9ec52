using System.Collections.Immutable;
using System.Globalization;

namespace Graphene.Tests.Support;

/// <summary>Random graphs for property tests: the same seed gives the same graph.</summary>
/// <remarks>
/// Small static shapes of rank 0 to 3 with sizes 1 to 5, f32 mostly, i32 and bool; all kinds of ops, loops and conditionals
/// included. Every value computed is used or returned, so that nothing is pruned away. A graph of whole numbers has no op that
/// rounds, so every correct order of its sums gives the same bits.
/// </remarks>
internal sealed partial class RandomGraph
{
    private const int MaxElements = 400;
    private readonly Random _random;
    private readonly GraphBuilder _b;
    private readonly List<Node> _values = [];
    private readonly int _depth;
    private readonly bool _whole;

    private RandomGraph(Random random, GraphBuilder b, int depth, bool whole)
    {
        _random = random;
        _b = b;
        _depth = depth;
        _whole = whole;
    }

    /// <summary>A graph with some parameters, about so many ops, and every unused value as a result.</summary>
    public static Module Generate(int seed, int size = 20, bool wholeNumbers = false)
    {
        var b = new GraphBuilder();
        var graph = new RandomGraph(new Random(seed), b, 0, wholeNumbers);
        int parameters = graph._random.Next(1, 4);
        for (int i = 0; i < parameters; i++)
        {
            graph._values.Add(b.Parameter(i, new TensorType(i == 2 ? DType.I32 : DType.F32, graph.RandomShape())));
        }
        graph.Grow(size);
        Computation entry = b.Build("main", graph.Unused());
        return new Module(
            string.Create(CultureInfo.InvariantCulture, $"random{seed}"), entry, Names("in", parameters),
            Names("out", entry.Results.Length), b.Provenance);
    }

    private static ImmutableArray<string> Names(string prefix, int count) =>
        [.. Enumerable.Range(0, count).Select(i => prefix + i.ToString(CultureInfo.InvariantCulture))];

    private void Grow(int size)
    {
        for (int i = 0; i < size; i++)
        {
            Node? next = Next();
            if (next is { Types.Length: 1 } && next.Shape.ElementCount.Value <= MaxElements && !_values.Contains(next))
            {
                _values.Add(next);
            }
        }
    }

    private IReadOnlyList<Node> Unused()
    {
        var used = new HashSet<Node>(_values.SelectMany(v => v.Operands), ReferenceEqualityComparer.Instance);
        Node[] unused = [.. _values.Where(v => !used.Contains(v))];
        return unused.Length > 0 ? unused : [_values[^1]];
    }

    private Node Any() => _values[_random.Next(_values.Count)];

    private Node? Any(Func<Node, bool> condition)
    {
        Node[] fitting = [.. _values.Where(condition)];
        return fitting.Length == 0 ? null : fitting[_random.Next(fitting.Length)];
    }

    private Node AnyFloat() => Any(v => v.DType == DType.F32) ?? _b.Convert(Any(), DType.F32);

    private Shape RandomShape() => Shape.From(Enumerable.Range(0, _random.Next(0, 4)).Select(_ => (Dim)_random.Next(1, 6)));

    private double RandomNumber() => _random.Next(6) switch
    {
        0 => 0,
        1 => 1,
        2 => -1,
        3 => 2,
        _ when _whole => _random.Next(-3, 4),
        _ => Math.Round((_random.NextDouble() * 4) - 2, 2),
    };

    // Products and sums of whole numbers stay small enough to be exact, whatever follows.
    private Node Bounded(Node x)
    {
        if (!_whole || x.DType != DType.F32)
        {
            return x;
        }
        return _b.Maximum(_b.Minimum(x, _b.Splat(DType.F32, x.Shape, 9)), _b.Splat(DType.F32, x.Shape, -9));
    }

    private Node? Next() => _random.Next(25) switch
    {
        0 or 1 or 2 => Unary(),
        3 or 4 or 5 or 6 => Binary(),
        7 => _b.Splat(DType.F32, RandomShape(), RandomNumber()),
        8 or 9 => Broadcast(),
        10 => Reshape(),
        11 => Transpose(),
        12 or 13 => Reduce(),
        14 => Dot(),
        15 => Slice(),
        16 => Concatenate(),
        17 => Pad(),
        18 => Choose(),
        19 => Gather(),
        20 => Update(),
        21 => Window(),
        22 => Counter(),
        23 => _depth == 0 ? Loop() : Unary(),
        _ => _depth == 0 ? Conditional() : Constant(),
    };
}
