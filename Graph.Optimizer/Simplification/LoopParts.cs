using System.Collections.Immutable;

namespace Graphene.Optimizer;

/// <summary>What a loop carries, sorted by what can be done about it, and the loop without it.</summary>
internal sealed class LoopParts
{
    private readonly WhileOp _loop;
    private readonly ImmutableArray<Node> _initial;
    private readonly bool[] _isUnchanged;
    private readonly bool[] _isKept;
    private readonly bool[] _isNeeded;
    private readonly List<Node> _hoisted = [];

    private LoopParts(WhileOp loop, ImmutableArray<Node> initial, bool[] needed)
    {
        _loop = loop;
        _initial = initial;
        _isNeeded = needed;
        ImmutableArray<Node> next = loop.Body.Results;
        // Unchanged and of the very type: then the loop's result is the initial value.
        _isUnchanged = [.. next.Select((n, i) => n.Op is ParameterOp p && p.Number == i && n.Type.Equals(initial[i].Type))];
        _isKept = FindKept();
    }

    /// <summary>True when the loop can be made smaller.</summary>
    public bool HasSomethingToMove => _hoisted.Count > 0 || _isKept.Contains(false) ||
        Enumerable.Range(0, _isNeeded.Length).Any(i => _isNeeded[i] && _isUnchanged[i]);

    /// <summary>Takes a loop apart.</summary>
    /// <param name="loop">The loop.</param>
    /// <param name="initial">Its operands.</param>
    /// <param name="needed">Which of its results are used.</param>
    public static LoopParts Of(WhileOp loop, ImmutableArray<Node> initial, bool[] needed)
    {
        var parts = new LoopParts(loop, initial, needed);
        parts.FindHoistable();
        return parts;
    }

    public override string ToString() =>
        $"{_isKept.Count(k => !k)} of {_isKept.Length} values leave, {_hoisted.Count} computations move before it";

    /// <summary>Builds the smaller loop, with what moves before it.</summary>
    public ResultReplacement Rebuild(GraphBuilder b)
    {
        var outside = new Dictionary<Node, Node>(ReferenceEqualityComparer.Instance);
        for (int i = 0; i < _initial.Length; i++)
        {
            outside.Add(_loop.Body.Parameters[i], _initial[i]);
        }
        Node[] moved = [.. _hoisted.Select(n => ComputationCloner.Clone(n, b, outside))];
        int[] kept = [.. Enumerable.Range(0, _initial.Length).Where(i => _isKept[i])];
        Node[] operands = [.. kept.Select(i => _initial[i]), .. moved];
        Computation condition = Narrow(_loop.Condition, b.Provenance, kept, []);
        Computation body = Narrow(_loop.Body, b.Provenance, kept, _hoisted);
        Node loop = b.Add(new WhileOp(condition, body), operands);
        var results = new Node[_initial.Length];
        for (int i = 0; i < results.Length; i++)
        {
            // A value that nobody needs stands for itself at the start; it is not used.
            results[i] = _isUnchanged[i] || !_isKept[i] ? _initial[i] : b.GetTupleElement(loop, Array.IndexOf(kept, i));
        }
        return new ResultReplacement(loop, results);
    }

    // The computation over the kept values and the hoisted ones; constants take the place of values that left.
    private Computation Narrow(Computation computation, ProvenanceTable provenance, int[] kept, List<Node> hoisted)
    {
        var inside = new GraphBuilder(provenance);
        var copies = new Dictionary<Node, Node>(ReferenceEqualityComparer.Instance);
        for (int i = 0; i < kept.Length; i++)
        {
            Node parameter = computation.Parameters[kept[i]];
            copies.Add(parameter, inside.Parameter(i, parameter.Type));
        }
        for (int i = 0; i < _hoisted.Count; i++)
        {
            Node place = inside.Parameter(kept.Length + i, _hoisted[i].Type);
            if (i < hoisted.Count)
            {
                copies.Add(hoisted[i], place);
            }
        }
        for (int i = 0; i < _initial.Length; i++)
        {
            if (_isUnchanged[i] && IsConstant(_initial[i]) && !_isKept[i])
            {
                copies.Add(computation.Parameters[i], ComputationCloner.Clone(_initial[i], inside, [], provenance));
            }
        }
        Node[] effects = [.. computation.Effects.Select(e => ComputationCloner.Clone(e, inside, copies))];
        bool isBody = ReferenceEquals(computation, _loop.Body);
        IEnumerable<Node> wanted = isBody ? kept.Select(i => computation.Results[i]) : computation.Results;
        Node[] results = [.. wanted.Select(r => ComputationCloner.Clone(r, inside, copies))];
        if (isBody)
        {
            results = [.. results, .. _hoisted.Select((n, i) => inside.Parameter(kept.Length + i, n.Type))];
        }
        return inside.Build(computation.Name, results, effects);
    }

    // What the condition, an effect, a needed result or a kept value of the next round depends on.
    private bool[] FindKept()
    {
        var kept = new bool[_initial.Length];
        var pending = new Stack<int>();
        Keep(ParametersOf([.. _loop.Condition.Results, .. _loop.Condition.Effects]));
        Keep(ParametersOf([.. _loop.Body.Effects]));
        Keep(Enumerable.Range(0, kept.Length).Where(i => _isNeeded[i] && !_isUnchanged[i]));
        while (pending.TryPop(out int next))
        {
            Keep(ParametersOf([_loop.Body.Results[next]]));
        }
        return kept;

        void Keep(IEnumerable<int> values)
        {
            foreach (int i in values)
            {
                bool becomesConstant = _isUnchanged[i] && IsConstant(_initial[i]);
                if (!kept[i] && !becomesConstant)
                {
                    kept[i] = true;
                    pending.Push(i);
                }
            }
        }
    }

    private static IEnumerable<int> ParametersOf(IReadOnlyList<Node> roots) =>
        Traversal.PostOrder(roots).Select(n => n.Op).OfType<ParameterOp>().Select(p => p.Number).Distinct();

    // The largest computations in the body that depend on unchanged values only and are worth carrying.
    private void FindHoistable()
    {
        var invariant = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        var dependsOnCarried = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        IReadOnlyList<Node> nodes = _loop.Body.PostOrder();
        foreach (Node node in nodes)
        {
            bool isInvariant = node.Op is ParameterOp p
                ? _isUnchanged[p.Number] && _isKept[p.Number]
                : !node.Op.HasSideEffects && node.Operands.All(invariant.Contains);
            if (isInvariant)
            {
                invariant.Add(node);
            }
            if (node.Op is ParameterOp || node.Operands.Any(dependsOnCarried.Contains))
            {
                dependsOnCarried.Add(node);
            }
        }
        foreach (Node user in nodes.Where(n => !invariant.Contains(n)))
        {
            _hoisted.AddRange(user.Operands.Where(o => invariant.Contains(o) && dependsOnCarried.Contains(o) && IsWorthCarrying(o)));
        }
        _hoisted.AddRange(_loop.Body.Results.Where(r => invariant.Contains(r) && IsWorthCarrying(r) && dependsOnCarried.Contains(r)));
        Node[] distinct = [.. _hoisted.Distinct()];
        _hoisted.Clear();
        _hoisted.AddRange(distinct);
    }

    private static bool IsWorthCarrying(Node node) => node.Types.Length == 1 &&
        node.Op is not (ParameterOp or ConstantOp or IotaOp or BroadcastInDimOp or ReshapeOp or GetTupleElementOp);

    private static bool IsConstant(Node node) => node.Op is ConstantOp || Splats.ValueOf(node) is not null;
}
