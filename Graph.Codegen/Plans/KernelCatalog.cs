using Graphene.Optimizer;

namespace Graphene.Codegen;

/// <summary>The lowered kernels of each node, made when first asked for.</summary>
internal sealed class KernelCatalog
{
    private readonly Dictionary<Node, IReadOnlyList<LoweredKernel>> _apart = new(ReferenceEqualityComparer.Instance);
    private readonly KernelTemplates _templates;
    private readonly PackedLookups _lookups = PackedLookups.None;

    /// <param name="target">The machine.</param>
    /// <param name="optimized">The module whose nodes will be asked for.</param>
    public KernelCatalog(KernelTarget target, Module optimized)
    {
        _templates = new KernelTemplates(target);
        _lookups = PackedLookups.Find(optimized, Apart);
    }

    /// <summary>The sizes of the workspaces that a node's kernels share; asked by the memory plan.</summary>
    public IReadOnlyList<Dim> Workspaces(Node node) =>
        node.Op is HostCallOp or FusionOp { Kind: FusionKind.Batch } ? [] : WorkspacesOf(Apart(node)); // loops need none

    /// <summary>
    /// Whether a node's kernels can write its result as a box, with no other workspaces; asked by the memory plan.
    /// Loops need none in either form. What a product packs is known when it is lowered, and the step that writes the
    /// box finds those kernels made.
    /// </summary>
    public bool WritesBox(Node node, PartBox box) => node.Op is FusionOp { Kind: FusionKind.Loop } ||
        WorkspacesOf(Lower(PlacedFusion.Of(node, new PartBox?[node.Operands.Length], box))).SequenceEqual(Workspaces(node));

    private static Dim[] WorkspacesOf(IReadOnlyList<LoweredKernel> kernels)
    {
        Dim[] sizes = [.. kernels.SelectMany(k => k.Operands).OfType<KernelOperand.Workspace>().Select(w => w.SizeInBytes).Distinct()];
        return sizes.Length <= 1 ? sizes : [sizes.Aggregate(Dim.Max)];
    }

    /// <summary>The kernels of a node: to be called one after the other, those of a batch in any order.</summary>
    /// <param name="node">A fusion, or an op that is never fused.</param>
    /// <param name="isOverwritten">Tells which operands share memory with a result.</param>
    public IReadOnlyList<LoweredKernel> Kernels(Node node, Func<int, bool> isOverwritten) =>
        Enumerable.Range(0, node.Operands.Length).Any(isOverwritten)
            ? _templates.Lower(Name(node), node, isOverwritten, _lookups)
            : Apart(node);

    /// <summary>
    /// The kernels of a step, on values as they lie in memory: a step that puts boxes together only writes those
    /// that are not there.
    /// </summary>
    /// <param name="plan">The memory.</param>
    /// <param name="step">The step.</param>
    public IReadOnlyList<LoweredKernel> Kernels(MemoryPlan plan, RunStep step)
    {
        PartBox?[] boxes = [.. step.Operands.Select(buffer => plan.Buffers[buffer].Box)];
        PartBox? result = step.Results is [var only] ? plan.Buffers[only].Box : null;
        if (result is null && boxes.All(box => box is null))
        {
            return Kernels(step.Node, i => step.Results.Contains(step.Operands[i]));
        }
        if (!step.PartsInPlace.IsEmpty)
        {
            return Kernels(step.Node, step.PartsInPlace.Contains);
        }
        return Lower(PlacedFusion.Of(step.Node, boxes, result));
    }

    private IReadOnlyList<LoweredKernel> Lower(PlacedFusion placed) =>
        placed.Outside(_templates.Lower(Name(placed.Node), placed.Node, placed.IsOverwritten, _lookups));

    private IReadOnlyList<LoweredKernel> Apart(Node node)
    {
        if (!_apart.TryGetValue(node, out IReadOnlyList<LoweredKernel>? kernels))
        {
            kernels = _templates.Lower(Name(node), node, _ => false, _lookups);
            _apart.Add(node, kernels);
        }
        return kernels;
    }

    private static string Name(Node node) =>
        node.Op is FusionOp fusion ? fusion.Kind.ToString().ToLowerInvariant()
        : node.Op is CompositeOp composite ? composite.Kind
        : node.Op.Name;
}
