namespace Graphene.Optimizer;

/// <summary>A softmax over the last dimension, in the primitives that it is made of.</summary>
/// <remarks>
/// <code>
/// m = reduce max x;  e = exp(x - broadcast m);  s = reduce sum e;  y = e / broadcast s
/// </code>
/// Dimensions of size 1 may come and go anywhere.
/// </remarks>
/// <param name="Scores">What it is applied to (x).</param>
/// <param name="Nodes">Everything between the scores and the result, itself included.</param>
internal sealed record SoftmaxPattern(Node Scores, IReadOnlyList<Node> Nodes)
{
    /// <summary>The softmax that ends in a node; null when there is none.</summary>
    public static SoftmaxPattern? TryMatch(Node node)
    {
        var nodes = new List<Node>();
        if (Binary(node, ElementwiseTable.Divide, nodes) is not var (e, sum) ||
            Skip(e, nodes) is not { Op: ElementwiseOp { Fn: var fn }, Operands: [var difference] } exponential ||
            fn != ElementwiseTable.Exponential || Binary(Skip(difference, nodes), ElementwiseTable.Subtract, nodes) is not var (x, max))
        {
            return null;
        }
        nodes.Add(exponential);
        Node scores = Skip(x, nodes);
        return IsReduced(sum, exponential, ElementwiseTable.Add, Scalar.Zero(node.DType), nodes) &&
            IsReduced(max, scores, ElementwiseTable.Maximum, Scalar.Lowest(node.DType), nodes)
            ? new SoftmaxPattern(scores, nodes)
            : null;
    }

    /// <summary>
    /// Writes what <see cref="TryMatch"/> finds: primitives alone, without the marks for gradients of
    /// the authoring API's softmax.
    /// </summary>
    public static Node Write(GraphBuilder b, Node x)
    {
        Axes last = [x.Rank - 1];
        Node e = b.Exponential(b.Subtract(x, b.BroadcastBack(b.ReduceMax(x, last), x.Shape, last)));
        return b.Divide(e, b.BroadcastBack(b.ReduceSum(e, last), x.Shape, last));
    }

    private static (Node Left, Node Right)? Binary(Node node, ElementwiseFn fn, List<Node> nodes)
    {
        if (node is not { Op: ElementwiseOp op, Operands: [var left, var right] } || op.Fn != fn)
        {
            return null;
        }
        nodes.Add(node);
        return (left, right);
    }

    // True for a reduction of x over its last dimension, repeated along it.
    private static bool IsReduced(Node node, Node x, ElementwiseFn fn, Scalar initial, List<Node> nodes)
    {
        node = Skip(node, nodes);
        if (node is not { Op: BroadcastInDimOp broadcast, Operands: [var repeated] })
        {
            return false;
        }
        nodes.Add(node);
        Node reduce = Skip(repeated, nodes);
        if (reduce is not { Op: ReduceOp op, Operands: [var full, var start] } || ReductionBody.FunctionOf(op.Body) != fn ||
            !Splats.Is(start, initial) || !ReferenceEquals(Skip(full, nodes), x))
        {
            return false;
        }
        nodes.Add(reduce);
        int last = UnitDims.Without(x.Shape).Length - 1;
        int[] numbers = UnitDims.Numbers(node.Shape);
        IEnumerable<int> places = broadcast.BroadcastDimensions
            .Where((_, i) => repeated.Shape[i] != 1).Select(axis => numbers[axis]);
        return UnitDims.Numbers(full.Shape, op.Dimensions) is [var reduced] && reduced == last &&
            places.SequenceEqual(Enumerable.Range(0, last));
    }

    private static Node Skip(Node node, List<Node> nodes)
    {
        Node end = UnitDims.Skip(node);
        for (; !ReferenceEquals(node, end); node = node.Operands[0])
        {
            nodes.Add(node);
        }
        return end;
    }
}
