namespace Graphene.Optimizer;

/// <summary>
/// Copies what lies between the two dots of attention, scale and mask, into a decomposition: work that depends on the products,
/// broadcasts and what can be computed from nothing. Everything else becomes an operand.
/// </summary>
/// <param name="body">The decomposition.</param>
/// <param name="products">The first dot.</param>
/// <param name="inner">The first dot in the decomposition: its shape is that of all values here.</param>
/// <param name="budget">How many nodes may be looked at.</param>
internal sealed class AttentionScores(DecompositionBuilder body, Node products, Node inner, int budget)
{
    private readonly Dictionary<Node, Node?> _built = new(ReferenceEqualityComparer.Instance) { [products] = inner };
    private readonly Dictionary<Node, bool> _depends = new(ReferenceEqualityComparer.Instance) { [products] = true };

    /// <summary>The nodes that depend on the products: nobody else may use them.</summary>
    public IEnumerable<Node> Inside => _built.Keys.Where(node => Depends(node));

    /// <summary>A value of the products' size in the decomposition; null when it cannot be there.</summary>
    public Node? Build(Node node)
    {
        if (!_built.TryGetValue(node, out Node? built))
        {
            built = _built.Count > budget ? null : Copy(node);
            _built[node] = built;
        }
        return built;
    }

    private Node? Copy(Node node)
    {
        GraphBuilder b = body.Inside;
        if (Splats.ValueOf(node) is { } splat)
        {
            return Splats.Make(b, splat, inner.Shape);
        }
        switch (node.Op)
        {
            case ReshapeOp:
                return Build(node.Operands[0]); // elements keep their order
            case BroadcastInDimOp op when Broadcast(node, op) is { } spread:
                return spread;
            case IotaOp op when PlaceOf(node.Shape, op.Dimension) is [var axis]:
                return b.Iota(new TensorType(node.DType, inner.Shape), axis);
            default:
                bool copies = node.Op.IsElementwise && (Depends(node) || IsCheap(node));
                return copies ? Elementwise(node) : Depends(node) ? null : body.Parameter(body.Outside.Reshape(node, inner.Shape));
        }
    }

    private Node? Elementwise(Node node)
    {
        var operands = new Node[node.Operands.Length];
        for (int i = 0; i < operands.Length; i++)
        {
            Node operand = node.Operands[i];
            Node? built = operand.Rank > 0 || node.Rank == 0 ? Build(operand)
                : Splats.ValueOf(operand) is { } constant ? body.Inside.Constant(constant)
                : body.Parameter(operand);
            if (built is null)
            {
                return null;
            }
            operands[i] = built;
        }
        return body.Inside.Add(node.Op, operands);
    }

    private Node? Broadcast(Node node, BroadcastInDimOp op)
    {
        Node x = node.Operands[0];
        var places = new int[x.Rank][];
        for (int i = 0; i < x.Rank; i++)
        {
            if (x.Shape[i] == 1)
            {
                places[i] = [];
            }
            else if (PlaceOf(node.Shape, op.BroadcastDimensions[i]) is { } place)
            {
                places[i] = place;
            }
            else
            {
                return null;
            }
        }
        if (x.Rank > 0 && Counted(x, places) is { } counted)
        {
            return counted;
        }
        int[] dims = [.. places.SelectMany(place => place)];
        Node given = body.Parameter(body.Outside.Reshape(x, Shape.From(dims.Select(d => inner.Shape[d]))));
        return body.Inside.BroadcastInDim(given, inner.Shape, Axes.From(dims));
    }

    // What is computed of counters alone, a causal mask for example, is computed where it is wanted: broadcast(f(iota)) => f(iota).
    private Node? Counted(Node x, int[][] places, int depth = 0)
    {
        GraphBuilder b = body.Inside;
        if (Splats.ValueOf(x) is { } splat)
        {
            return Splats.Make(b, splat, inner.Shape);
        }
        switch (x)
        {
            case { Op: IotaOp op } when places[op.Dimension] is [var axis]:
                return b.Iota(new TensorType(x.DType, inner.Shape), axis);
            case { Op: BroadcastInDimOp, Operands: [{ Op: DimValueOp } size] }:
                return b.BroadcastInDim(b.Add(size.Op), inner.Shape, []);
            case { Op.IsElementwise: true } when depth < 8 && !x.Op.IsExpensive && x.Operands.All(o => o.Rank == x.Rank):
                Node?[] operands = [.. x.Operands.Select(o => Counted(o, places, depth + 1))];
                return Array.TrueForAll(operands, o => o is not null) ? b.Add(x.Op, operands!) : null;
            default:
                return null;
        }
    }

    // The dimensions of the products that a dimension of a shape with as many elements covers; null when they do not match.
    private int[]? PlaceOf(Shape shape, int axis)
    {
        int next = 0;
        for (int i = 0; i <= axis; i++)
        {
            int first = next;
            Dim product = 1;
            while (product != shape[i])
            {
                if (next == inner.Rank)
                {
                    return null;
                }
                product *= inner.Shape[next++];
            }
            if (i == axis)
            {
                return [.. Enumerable.Range(first, next - first)];
            }
        }
        return null;
    }

    // True when it can be computed from broadcasts and counters, so that nothing of its size need be in memory.
    private static bool IsCheap(Node node, int depth = 0) => depth < 8 && (
        Splats.ValueOf(node) is not null || node.Op is IotaOp or BroadcastInDimOp ||
        (node.Op is ReshapeOp && IsCheap(node.Operands[0], depth + 1)) ||
        (node.Op.IsElementwise && !node.Op.IsExpensive && node.Operands.All(o => o.Rank == 0 || IsCheap(o, depth + 1))));

    private bool Depends(Node node, int depth = 0)
    {
        if (!_depends.TryGetValue(node, out bool depends))
        {
            depends = depth < budget && (node.Op.IsElementwise || node.Op is ReshapeOp) && node.Operands.Any(o => Depends(o, depth + 1));
            _depends[node] = depends;
        }
        return depends;
    }
}
