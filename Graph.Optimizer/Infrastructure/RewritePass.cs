namespace Graphene.Optimizer;

/// <summary>A pass made of rules: each looks at one node and its operands and gives a better node, or null to decline.</summary>
/// <remarks>
/// The driver rebuilds each computation, nested ones included, operands before users, and applies the rules to each node until
/// they decline; then again from the start until a whole sweep changes nothing. So a rule always sees operands that no rule
/// wants to change. It must get closer to a fixed point each time: remove work, or move something one way only.
/// </remarks>
/// <param name="name">The id: the words of the type in kebab-case.</param>
public abstract class RewritePass(string name) : GraphPass(name)
{
    // Rules that undo each other would never end; real chains at one node are short.
    private const int MaxRewritesPerNode = 64;

    private readonly Dictionary<Node, int> _uses = new(ReferenceEqualityComparer.Instance);

    /// <summary>The run that this pass is part of.</summary>
    protected PassContext Context { get; private set; } = new(OptimizerOptions.Default);

    /// <inheritdoc/>
    public override Module Run(Module module, PassContext context)
    {
        Context = context;
        return ComputationRewriter.Rewrite(module, (computation, owner) =>
            LooksInto(owner) ? RewriteToFixedPoint(computation, module.Provenance) : computation);
    }

    /// <summary>
    /// Whether rules apply in a computation that an op carries; null is the entry. Everywhere unless a
    /// pass says otherwise.
    /// </summary>
    protected virtual bool LooksInto(Op? owner) => true;

    /// <summary>Whether a node with this op can make the pass change something; a computation without any is not swept.</summary>
    /// <param name="op">The op of a node, or of one of its operands.</param>
    protected virtual bool LooksFor(Op op) => true;

    /// <summary>Gives a node that computes the same as <paramref name="node"/>, or null to decline.</summary>
    /// <param name="b">Makes new nodes; <paramref name="node"/> and its operands live in it.</param>
    /// <param name="node">The node to look at.</param>
    /// <returns>A node with the same types, made by <paramref name="b"/>.</returns>
    protected abstract Node? TryRewrite(GraphBuilder b, Node node);

    /// <summary>
    /// How often a node is used, counted before this sweep; 1 for a node that a rule made. Duplicates that merged count together.
    /// </summary>
    protected int UseCount(Node node) => _uses.GetValueOrDefault(node, 1);

    private Computation RewriteToFixedPoint(Computation computation, ProvenanceTable provenance)
    {
        if (!computation.PostOrder().Any(node => LooksFor(node.Op)))
        {
            return computation;
        }
        for (int sweep = 0; sweep < Context.Options.MaxSweeps; sweep++)
        {
            Computation next = Sweep(computation, provenance);
            if (ReferenceEquals(next, computation))
            {
                return computation;
            }
            computation = next;
        }
        Context.Log($"{Name}: no fixed point after {Context.Options.MaxSweeps} sweeps over {computation.Name}");
        return computation;
    }

    private Computation Sweep(Computation computation, ProvenanceTable provenance)
    {
        long before = Context.Rewrites;
        var b = new GraphBuilder(provenance);
        Dictionary<Node, int> oldUses = Analyses.UseCounts.Of(computation);
        _uses.Clear();
        Computation result = ComputationRewriter.Rebuild(b, computation, (old, operands) =>
        {
            Node node = b.AddLike(old, operands);
            provenance.Inherit(node, old);
            b.CurrentOrigin = provenance[old].Count > 0 ? provenance[old][0] : null;
            node = RewriteNode(b, node);
            b.CurrentOrigin = null;
            _uses[node] = _uses.GetValueOrDefault(node) + oldUses[old];
            return node;
        });
        return Context.Rewrites == before ? computation : result;
    }

    private Node RewriteNode(GraphBuilder b, Node node)
    {
        for (int i = 0; i < MaxRewritesPerNode; i++)
        {
            Node? better = TryRewrite(b, node);
            if (better is null || ReferenceEquals(better, node) || !MayReplace(node, better))
            {
                return node;
            }
            Node from = node;
            if (!Context.TryTakeRewrite(() => $"{from} => {better}"))
            {
                return node;
            }
            node = better;
        }
        return node;
    }

    // Types that only turn out equal at run time (dims that are different expressions) are not interchangeable: the users'
    // types were inferred from the old one.
    private bool MayReplace(Node node, Node better)
    {
        if (node.Types.SequenceEqual(better.Types))
        {
            return true;
        }
        bool mayTurnOutEqual = node.Types.Length == better.Types.Length && node.Types.Zip(better.Types).All(
            pair => pair.First.DType == pair.Second.DType && pair.First.Rank == pair.Second.Rank &&
                pair.First.Shape.Zip(pair.Second.Shape).All(dims => !dims.First.ProvablyDiffers(dims.Second)));
        return mayTurnOutEqual
            ? false
            : throw new CompilerBugException(Name, $"a rule replaced {node} by {better}, which has another type");
    }
}
