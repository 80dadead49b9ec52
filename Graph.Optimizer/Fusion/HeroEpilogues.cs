namespace Graphene.Optimizer;

/// <summary>
/// Gives each dot and convolution the elementwise work that follows it, and a convolution the pooling after that and the border of the
/// next one.
/// </summary>
/// <remarks>
/// <code>
/// d = dot(x, w);  t = d + broadcast(bias);  y = t * logistic(t);  z = y + residual        => all in one fusion, z is its result
/// </code>
/// The work joins in groups that leave a single value to store again (here: d, then t, then y, then z), so an epilogue never
/// makes a fusion write more than the dot alone. Another operand (the residual) must not depend on the dot.
/// <para>
/// A maximum over windows that lie side by side needs each value of a convolution once. One register tile has all of two or four
/// neighbours, and one of Winograd's all of two by two, so windows of so many are pooled before anything is stored.
/// </para>
/// </remarks>
internal static class HeroEpilogues
{
    // How far to look for the point where branches (x * logistic(x)) meet again.
    private const int MaxGroup = 24;

    public static void Plan(FusionGraph graph, PassContext context)
    {
        foreach (Node hero in graph.Nodes.Where(n => FusionRoles.Of(n) == FusionRole.Hero))
        {
            FusionKind kind = hero.Op is DotGeneralOp ? FusionKind.Dot : FusionKind.Convolution;
            FusionCluster cluster = graph.NewCluster(kind, hero.Shape, new bool[hero.Rank]);
            FusionPosition everywhere = FusionPosition.Identity(hero.Shape);
            graph.Add(cluster, hero, [everywhere]);
            Node exit = hero;
            while (cluster.Members.Count < context.Options.MaxFusionSize && NextGroup(graph, cluster, exit) is { } group)
            {
                if (!context.TryTakeRewrite(() => $"join {group.Count} nodes after {exit} to {cluster}"))
                {
                    break;
                }
                group.ForEach(node => graph.Add(cluster, node, [everywhere]));
                exit = group[^1];
            }
            if (PoolingOf(graph, hero, exit, context.Options) is { } pooling &&
                context.TryTakeRewrite(() => $"join {pooling} to {cluster}"))
            {
                graph.Add(cluster, pooling, [everywhere]);
                exit = pooling;
            }
            if (BorderOf(graph, hero, exit, context.Options) is { } border && context.TryTakeRewrite(() => $"join {border} to {cluster}"))
            {
                graph.Add(cluster, border, [everywhere]);
                exit = border;
            }
            cluster.Stored.Add(exit);
        }
    }

    // The border that the next convolution wants around the result, when nobody needs the result without it. Rows of a kernel of one
    // position are one run of memory, which a border would cut to pieces; those of a larger one are in pieces anyway.
    private static Node? BorderOf(FusionGraph graph, Node hero, Node exit, OptimizerOptions options) =>
        IsProductOnProcessor(hero, options) && ((ConvolutionOp)hero.Op).Window.Any(w => w.Size != 1) &&
        !graph.IsRoot(exit) && graph.UsersOf(exit) is [{ Op: PadOp pad, Operands: [_, { Op: ConstantOp }] } border] &&
        graph.ClustersOf(border).Count == 0 && pad.Low[^1] == 0 && pad.High[^1] == 0 &&
        pad.IsBorder && pad.Low.Concat(pad.High).All(n => n.IsStatic)
            ? border
            : null;

    // The maximum or minimum over windows side by side of all that a convolution computes, when nobody needs it without. Windows of two and
    // of four values divide every register tile, and those of two by two every tile of Winograd's whose results lie side by side. Narrower
    // numbers than these may be multiplied in words, whose tiles know nothing of windows.
    private static Node? PoolingOf(FusionGraph graph, Node hero, Node exit, OptimizerOptions options) =>
        hero.Op is ConvolutionOp { Dimensions: var dimensions } && hero.Operands[0].DType is DType.F32 or DType.F64 &&
        !graph.IsRoot(exit) && graph.UsersOf(exit) is [{ Op: ReduceWindowOp op, Operands: [_, { Op: ConstantOp }] } pooling] &&
        graph.ClustersOf(pooling).Count == 0 && ReductionBody.FunctionOf(op.Body)?.Name is "maximum" or "minimum" &&
        IsOverPositions(op, exit.Shape, dimensions) && MayPool(hero, op, options)
            ? pooling
            : null;

    private static bool MayPool(Node hero, ReduceWindowOp op, OptimizerOptions options) =>
        WinogradForm.IsChosen(hero, options.Winograd) && !options.Machine.ReadsBorders
            ? op.Window.All(w => w.Size.Value <= 2) && ((ConvolutionOp)hero.Op).Window.All(w => w.Dilation == 1)
            : IsProductOnProcessor(hero, options) && op.Window.Aggregate(1L, (count, w) => count * w.Size.Value) is 2 or 4;

    private static bool IsOverPositions(ReduceWindowOp op, Shape shape, ConvolutionDimensions dimensions) =>
        Enumerable.Range(0, shape.Rank).All(axis => op.Window[axis].IsSideBySide &&
            (dimensions.ResultSpatial.Contains(axis) ? shape[axis].IsStatic : op.Window[axis].Size == 1));

    // A convolution that processors compute as matrix products, from an input without padding.
    private static bool IsProductOnProcessor(Node hero, OptimizerOptions options) =>
        hero.Op is ConvolutionOp { BatchGroups: 1, FeatureGroups: 1 } op && op.Dimensions.ResultFeature == hero.Rank - 1 &&
        op.Window.All(w => w is { BaseDilation: 1, Reversed: false } && w.Low == 0 && w.High == 0) &&
        !options.Machine.ReadsBorders && !WinogradForm.IsChosen(hero, options.Winograd);

    // The shortest run of users of the exit after which only its last node is needed outside; null when there is none.
    private static List<Node>? NextGroup(FusionGraph graph, FusionCluster cluster, Node exit)
    {
        var group = new List<Node>();
        var inside = new HashSet<Node>(cluster.Members, ReferenceEqualityComparer.Instance);
        var open = new SortedDictionary<int, Node>();
        Open(exit);
        while (open.Count > 0 && group.Count < MaxGroup && !graph.IsRoot(exit))
        {
            Node next = open.First().Value;
            open.Remove(graph.OrderOf(next));
            if (!MayJoin(graph, cluster, inside, next))
            {
                return null;
            }
            group.Add(next);
            inside.Add(next);
            if (open.Count == 0 && group.TrueForAll(n => ReferenceEquals(n, next) || !graph.IsRoot(n)))
            {
                return group;
            }
            if (graph.IsRoot(next))
            {
                return null;
            }
            Open(next);
        }
        return null;

        void Open(Node node)
        {
            foreach (Node user in graph.UsersOf(node))
            {
                open.TryAdd(graph.OrderOf(user), user);
            }
        }
    }

    private static bool MayJoin(FusionGraph graph, FusionCluster cluster, HashSet<Node> inside, Node node) =>
        FusionRoles.Of(node) == FusionRole.Map &&
        node.Shape.Equals(cluster.Space) &&
        graph.ClustersOf(node).Count == 0 &&
        node.Operands.All(operand => inside.Contains(operand) || !graph.DependsOn(operand, cluster, inside));
}
