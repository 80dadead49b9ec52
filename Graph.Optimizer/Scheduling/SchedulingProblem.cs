using System.Collections.Immutable;

namespace Graphene.Optimizer;

/// <summary>The nodes to order, what each must wait for, and what each allocates and frees.</summary>
internal sealed class SchedulingProblem
{
    private readonly IReadOnlyList<Node> _nodes;
    private readonly Dictionary<Node, int> _indexOf = new(ReferenceEqualityComparer.Instance);
    private readonly List<int>[] _waitsFor;
    private readonly List<int>[] _users;
    private readonly int[][] _reads;
    private readonly long[] _bytes;
    private readonly bool[] _isFree;
    private readonly bool[] _isKept;

    public SchedulingProblem(Computation computation, Func<TensorType, long> sizeOf)
    {
        _nodes = computation.PostOrder();
        foreach (Node node in _nodes)
        {
            _indexOf.Add(node, _indexOf.Count);
        }
        _waitsFor = [.. _nodes.Select(n => n.Operands.Select(o => _indexOf[o]).Distinct().ToList())];
        KeepEffectsInOrder();
        _users = [.. _nodes.Select(_ => new List<int>())];
        for (int i = 0; i < _nodes.Count; i++)
        {
            _waitsFor[i].ForEach(operand => _users[operand].Add(i));
        }
        _isFree = [.. _nodes.Select(n => n.Op is ParameterOp or ConstantOp || MemoryNames.IsName(n))];
        _bytes = [.. _nodes.Select((n, i) => _isFree[i] ? 0 : n.Types.Sum(sizeOf))];
        _reads = [.. _nodes.Select(n => n.Operands.Select(o => _indexOf[MemoryNames.Resolve(o).Node]).Distinct().ToArray())];
        _isKept = new bool[_nodes.Count];
        foreach (Node result in computation.Results)
        {
            _isKept[_indexOf[MemoryNames.Resolve(result).Node]] = true;
        }
    }

    /// <summary>The given order, with effects moved behind those that come before them.</summary>
    public ImmutableArray<Node> InOrder(IReadOnlyList<Node> order)
    {
        int[] wanted = [.. order.Select(n => _indexOf[n])];
        var place = new int[wanted.Length];
        for (int i = 0; i < wanted.Length; i++)
        {
            place[wanted[i]] = i;
        }
        return Run(candidates => candidates.MinBy(i => place[i]));
    }

    /// <summary>The node that frees the most comes first.</summary>
    public ImmutableArray<Node> Greedy()
    {
        int[] readers = Readers();
        return Run(
            candidates => candidates.MaxBy(i => (Score(i, readers), -i)),
            chosen => Array.ForEach(_reads[chosen], value => readers[value]--));
    }

    /// <summary>The most bytes that are in use at once.</summary>
    public long Peak(ImmutableArray<Node> order)
    {
        int[] readers = Readers();
        long now = 0;
        long most = 0;
        foreach (Node node in order)
        {
            int i = _indexOf[node];
            now += _bytes[i];
            most = Math.Max(most, now);
            foreach (int value in _reads[i])
            {
                if (--readers[value] == 0 && !_isKept[value])
                {
                    now -= _bytes[value];
                }
            }
        }
        return most;
    }

    private long Score(int node, int[] readers)
    {
        if (_isFree[node])
        {
            return long.MaxValue; // costs nothing and may complete the operands of others
        }
        long freed = 0;
        foreach (int value in _reads[node])
        {
            if (readers[value] == 1 && !_isKept[value])
            {
                freed += _bytes[value];
            }
        }
        return freed - _bytes[node];
    }

    private int[] Readers()
    {
        var readers = new int[_nodes.Count];
        foreach (int value in _reads.SelectMany(r => r))
        {
            readers[value]++;
        }
        return readers;
    }

    private ImmutableArray<Node> Run(Func<HashSet<int>, int> choose, Action<int>? chosen = null)
    {
        int[] waiting = [.. _waitsFor.Select(w => w.Count)];
        var ready = new HashSet<int>(Enumerable.Range(0, _nodes.Count).Where(i => waiting[i] == 0));
        var order = ImmutableArray.CreateBuilder<Node>(_nodes.Count);
        while (ready.Count > 0)
        {
            int next = choose(ready);
            ready.Remove(next);
            chosen?.Invoke(next);
            order.Add(_nodes[next]);
            foreach (int user in _users[next])
            {
                if (--waiting[user] == 0)
                {
                    ready.Add(user);
                }
            }
        }
        return order.MoveToImmutable();
    }

    // The walk over the computation starts with its effects, so it meets them in their order.
    private void KeepEffectsInOrder()
    {
        int last = -1;
        foreach (Node effect in _nodes.Where(n => n.Op.HasSideEffects))
        {
            int i = _indexOf[effect];
            if (last >= 0 && !_waitsFor[i].Contains(last))
            {
                _waitsFor[i].Add(last);
            }
            last = i;
        }
    }
}
