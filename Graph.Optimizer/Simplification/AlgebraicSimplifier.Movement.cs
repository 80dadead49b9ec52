namespace Graphene.Optimizer;

// Broadcasts, reshapes and transposes: they meet, merge, and move towards the results.
public sealed partial class AlgebraicSimplifier
{
    // f(broadcast x, broadcast y, splat) => broadcast f(x, y, splat)   the same broadcast: fewer elements to compute
    // f(reshape x, reshape y, splat)     => reshape f(x, y, splat)     the same reshape
    private static Node? MoveOutwards(GraphBuilder b, Node node)
    {
        Node? first = node.Operands.FirstOrDefault(o => IsMoved(o, node));
        if (first is null)
        {
            return null;
        }
        Shape inner = first.Operands[0].Shape;
        var operands = new Node[node.Operands.Length];
        for (int i = 0; i < operands.Length; i++)
        {
            Node operand = node.Operands[i];
            if (operand.Rank == 0)
            {
                operands[i] = operand;
            }
            else if (Splats.ValueOf(operand) is { } splat)
            {
                operands[i] = Splats.Make(b, splat, inner);
            }
            else if (IsMoved(operand, node) && operand.Op.Equals(first.Op) && operand.Operands[0].Shape.Equals(inner))
            {
                operands[i] = operand.Operands[0];
            }
            else
            {
                return null;
            }
        }
        return b.Add(first.Op, b.Add(node.Op, operands));
    }

    private static bool IsMoved(Node operand, Node user) => user.Rank > 0 && operand.Rank > 0 && operand.Op switch
    {
        BroadcastInDimOp => Splats.ValueOf(operand) is null,
        ReshapeOp => true,
        _ => false,
    };

    private static Node? Broadcast(GraphBuilder b, Node node, BroadcastInDimOp op)
    {
        Node x = node.Operands[0];
        return x switch
        {
            // broadcast(x) with the shape of x and its dimensions in order => x
            _ when x.Shape.Equals(op.Shape) && op.BroadcastDimensions.IsIdentity => x,

            // broadcast(splat of some rank) => broadcast(scalar)
            { Rank: > 0 } when Splats.ValueOf(x) is { } splat => Splats.Make(b, splat, op.Shape),

            // A splat is a broadcast scalar, whatever its shape.
            _ when Splats.ValueOf(x) is not null => null,

            // broadcast(broadcast x) => broadcast x
            { Op: BroadcastInDimOp inner, Operands: [var source] } => b.BroadcastInDim(
                source, op.Shape, Axes.From(inner.BroadcastDimensions.Select(axis => op.BroadcastDimensions[axis]))),

            // broadcast(reshape x), where the reshape only adds or removes dimensions of size 1 => broadcast x
            { Op: ReshapeOp, Operands: [var source] } when LongDims(source.Shape).SequenceEqual(LongDims(x.Shape))
                => BroadcastWithoutReshape(b, op, source, x.Shape),

            // broadcast that only adds dimensions of size 1 => reshape
            _ when op.BroadcastDimensions.SequenceEqual(op.BroadcastDimensions.Order()) &&
                LongDims(x.Shape).SequenceEqual(LongDims(op.Shape)) => b.Reshape(x, op.Shape),

            _ => null,
        };
    }

    private static IEnumerable<Dim> LongDims(Shape shape) => shape.Where(d => d != 1);

    private static Node? BroadcastWithoutReshape(GraphBuilder b, BroadcastInDimOp op, Node source, Shape reshaped)
    {
        var targets = new Queue<int>(op.BroadcastDimensions.Where((_, i) => reshaped[i] != 1));
        Dim[] longDims = [.. LongDims(source.Shape)];
        // Dimensions of size 1 of the source are dropped first, so that each that is left has a place in the result.
        Node squeezed = b.Reshape(source, Shape.From(longDims));
        Axes dims = Axes.From(longDims.Select(_ => targets.Dequeue()));
        bool isShorter = longDims.Length < reshaped.Rank || source.Rank == longDims.Length;
        return isShorter ? b.BroadcastInDim(squeezed, op.Shape, dims) : null;
    }

    private static Node? Reshape(GraphBuilder b, Node node, ReshapeOp op) => node.Operands[0] switch
    {
        var x when x.Shape.Equals(op.Shape) => x,

        // reshape(reshape x) => reshape x
        { Op: ReshapeOp, Operands: [var x] } => b.Reshape(x, op.Shape),

        // reshape(splat) => splat
        var x when Splats.ValueOf(x) is { } splat => Splats.Make(b, splat, op.Shape),

        // reshape(constant) => constant: the same bytes
        { Op: ConstantOp { Value: var literal } } when op.Shape.IsStatic => b.Constant(literal.Reshape(op.Shape)),

        // reshape(broadcast x), where the reshape only adds or removes dimensions of size 1 => broadcast x
        { Op: BroadcastInDimOp broadcast, Operands: [var x] } inner when LongDims(inner.Shape).SequenceEqual(LongDims(op.Shape))
            => ReshapedBroadcast(b, op, broadcast, x),

        _ => null,
    };

    private static Node? ReshapedBroadcast(GraphBuilder b, ReshapeOp op, BroadcastInDimOp broadcast, Node x)
    {
        // The place of each long dimension of the broadcast in the reshaped result.
        int[] places = [.. Enumerable.Range(0, op.Shape.Rank).Where(axis => op.Shape[axis] != 1)];
        var place = new Dictionary<int, int>();
        foreach (int axis in Enumerable.Range(0, broadcast.Shape.Rank).Where(axis => broadcast.Shape[axis] != 1))
        {
            place.Add(axis, places[place.Count]);
        }
        int[] kept = [.. Enumerable.Range(0, x.Rank).Where(i => x.Shape[i] != 1)];
        Node squeezed = b.Reshape(x, Shape.From(kept.Select(i => x.Shape[i])));
        return b.BroadcastInDim(squeezed, op.Shape, Axes.From(kept.Select(i => place[broadcast.BroadcastDimensions[i]])));
    }

    // A transpose that only moves dimensions of size 1 leaves the elements in their order.
    private static Node? Transpose(GraphBuilder b, Node node, TransposeOp op)
    {
        Node x = node.Operands[0];
        IEnumerable<int> longAxes = op.Permutation.Where(axis => x.Shape[axis] != 1);
        return longAxes.SequenceEqual(longAxes.Order()) ? b.Reshape(x, node.Shape) : null;
    }
}
