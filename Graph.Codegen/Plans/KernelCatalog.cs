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
    public IReadOnlyList<Dim> Workspaces(Node node)
    {
        Dim[] sizes = node.Op is HostCallOp or FusionOp { Kind: FusionKind.Batch } ? [] : // loops need none
        [
            .. Apart(node).SelectMany(k => k.Operands).OfType<KernelOperand.Workspace>().Select(w => w.SizeInBytes).Distinct(),
        ];
        return sizes.Length <= 1 ? sizes : [sizes.Aggregate(Dim.Max)];
    }

    /// <summary>The kernels of a node: to be called one after the other, those of a batch in any order.</summary>
    /// <param name="node">A fusion, or an op that is never fused.</param>
    /// <param name="isOverwritten">Tells which operands share memory with a result.</param>
    public IReadOnlyList<LoweredKernel> Kernels(Node node, Func<int, bool> isOverwritten) =>
        Enumerable.Range(0, node.Operands.Length).Any(isOverwritten)
            ? _templates.Lower(Name(node), node, isOverwritten, _lookups)
            : Apart(node);

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
