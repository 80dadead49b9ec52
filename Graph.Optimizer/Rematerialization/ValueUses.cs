using System.Collections.Immutable;

namespace Graphene.Optimizer;

/// <summary>The order in which a computation's steps run, and who reads what when.</summary>
internal sealed class ValueUses
{
    private readonly Dictionary<Node, int> _place = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<(Node Node, int Result), List<Node>> _readers = [];

    public ValueUses(Computation computation)
    {
        Computation = computation;
        Schedule = ListScheduler.Schedule(computation);
        foreach (Node node in Schedule)
        {
            _place.Add(node, _place.Count);
            if (MemoryNames.IsName(node))
            {
                continue;
            }
            foreach ((Node, int) value in node.Operands.Select(MemoryNames.Resolve).Distinct())
            {
                ReadersFor(value).Add(node);
            }
        }
        Kept = [.. computation.Results.Select(MemoryNames.Resolve)];

        List<Node> ReadersFor((Node, int) value)
        {
            if (!_readers.TryGetValue(value, out List<Node>? readers))
            {
                _readers.Add(value, readers = []);
            }
            return readers;
        }
    }

    public Computation Computation { get; }

    /// <summary>All nodes, names of memory included, in the order in which they run.</summary>
    public ImmutableArray<Node> Schedule { get; }

    /// <summary>What the computation returns.</summary>
    public HashSet<(Node Node, int Result)> Kept { get; }

    /// <summary>The place of a node in the schedule.</summary>
    public int PlaceOf(Node node) => _place[node];

    /// <summary>The steps that read a value, in the order in which they run.</summary>
    public IReadOnlyList<Node> ReadersOf((Node Node, int Result) value) => _readers.GetValueOrDefault(value) ?? [];

    /// <summary>The last place at which a value is read; the end for what is returned.</summary>
    public int LastUse((Node Node, int Result) value) =>
        Kept.Contains(value) ? Schedule.Length : ReadersOf(value) is [.., var last] ? PlaceOf(last) : PlaceOf(value.Node);
}
