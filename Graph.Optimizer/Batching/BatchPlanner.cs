namespace Graphene.Optimizer;

/// <summary>Finds fusions of a computation that may run side by side.</summary>
/// <remarks>
/// Fusions of equal height never wait for each other, and joining all that have one height, at every height, closes no cycle. The
/// height counts from the end: the updates of all parameters have height 0, wherever in the backward pass their gradients come from,
/// and what repeated parts of a network do at the same place (heads, gates, experts) has one height when the parts are equal.
/// </remarks>
internal sealed class BatchPlanner
{
    private readonly IReadOnlyList<Node> _nodes;
    private readonly HashSet<(Node Node, int Result)> _results;
    private readonly long _mostBytesHeld;

    private BatchPlanner(Computation computation, long mostBytesHeld)
    {
        _nodes = computation.PostOrder();
        _results = [.. computation.Results.Select(MemoryNames.Resolve)];
        _mostBytesHeld = mostBytesHeld;
        Heights = Analyses.Heights.Of(computation);
    }

    /// <summary>The height of each node.</summary>
    public Dictionary<Node, int> Heights { get; }

    /// <summary>What all batches take from other steps and leave to them.</summary>
    public long BytesHeld { get; private set; }

    /// <summary>The fusions of each batch, two at least.</summary>
    public List<IReadOnlyList<Node>> Batches { get; } = [];

    /// <summary>Plans a computation.</summary>
    /// <param name="computation">One whose nodes were fused.</param>
    /// <param name="mostBytesHeld">What the fusions of one batch may take from other steps and leave to them.</param>
    public static BatchPlanner Plan(Computation computation, long mostBytesHeld)
    {
        var planner = new BatchPlanner(computation, mostBytesHeld);
        foreach (IGrouping<int, Node> level in planner._nodes.Where(planner.IsCandidate).GroupBy(n => planner.Heights[n]))
        {
            planner.Fill(level);
        }
        return planner;
    }

    private bool IsCandidate(Node node) =>
        node.Op is FusionOp { Kind: FusionKind.Loop or FusionKind.Reduction } fusion && !LooksUpConstant(node, fusion.Body) &&
        !ContiguousParts.Has(node) && BoxedParts.Of(node).IsEmpty && // mostly need no kernel
        HeldBy(node).Sum(Bytes) <= BatchCostModel.MostBytesHeldByOne;

    // A table that a product reads as well is kept once, packed, when all who read it otherwise are seen to look rows up.
    private static bool LooksUpConstant(Node node, Computation body) => body.PostOrder().Any(inner =>
        inner is { Op: GatherOp, Operands: [{ Op: ParameterOp table }, ..] } && node.Operands[table.Number].Op is ConstantOp);

    // In the order of the computation, so that what is held for a batch was written shortly before each other.
    private void Fill(IEnumerable<Node> level)
    {
        var members = new List<Node>();
        var held = new HashSet<(Node, int)>();
        long bytes = 0;
        foreach (Node node in level)
        {
            (Node, int)[] more = [.. HeldBy(node).Where(v => !held.Contains(v))];
            if (members.Count == BatchCostModel.MostMembers || bytes + more.Sum(Bytes) > _mostBytesHeld)
            {
                Close();
                more = [.. HeldBy(node)];
            }
            members.Add(node);
            held.UnionWith(more);
            bytes += more.Sum(Bytes);
        }
        Close();

        void Close()
        {
            if (members.Count > 1)
            {
                Batches.Add([.. members]);
                BytesHeld += bytes;
            }
            members.Clear();
            held.Clear();
            bytes = 0;
        }
    }

    // What a fusion takes from other steps and leaves to them. Memory of the caller's is there all the time.
    private IEnumerable<(Node Node, int Result)> HeldBy(Node node)
    {
        IEnumerable<(Node Node, int)> taken = node.Operands.Select(MemoryNames.Resolve).Distinct()
            .Where(v => v.Node.Op is not (ParameterOp or ConstantOp));
        IEnumerable<(Node, int)> left = Enumerable.Range(0, node.Types.Length).Select(i => (node, i)).Where(v => !_results.Contains(v));
        return taken.Concat(left);
    }

    private static long Bytes((Node Node, int Result) value) => ListScheduler.TypicalBytes(value.Node.Types[value.Result]);
}
