namespace Graphene.Optimizer;

/// <summary>
/// An operand of a dot as it lies in memory: behind the transposes, slices and unit dimensions through which the dot can read it.
/// </summary>
/// <remarks><code>transpose(reshape(slice x)) of [heads, positions, size]  =>  x of [positions, 3 * heads * size]</code></remarks>
/// <param name="Source">What lies in memory.</param>
/// <param name="Slice">What is read of it; null for everything.</param>
/// <param name="Base">Its shape without dimensions of size 1, after the slice.</param>
/// <param name="Order">For each dimension of the operand that is not 1, its place in <paramref name="Base"/>.</param>
internal sealed record OperandView(Node Source, SliceOp? Slice, Shape Base, int[] Order)
{
    /// <summary>Follows an operand to where it lies.</summary>
    /// <param name="operand">The operand.</param>
    /// <param name="fits">Tells whether an order of dimensions can be read; what cannot is left as it is.</param>
    public static OperandView Of(Node operand, Func<int[], bool> fits)
    {
        int[] order = [.. Enumerable.Range(0, UnitDims.Without(operand.Shape).Length)];
        Node node = UnitDims.Skip(operand);
        while (node is { Op: TransposeOp transpose, Operands: [var x] })
        {
            int[] places = UnitDims.Numbers(x.Shape, transpose.Permutation);
            int[] next = [.. order.Select(place => places[place])];
            if (!fits(next))
            {
                break;
            }
            order = next;
            node = UnitDims.Skip(x);
        }
        Shape shape = Shape.From(UnitDims.Without(node.Shape));
        return Slicing(node) is { } slice ? new OperandView(slice.Operands[0], (SliceOp)slice.Op, shape, order)
            : new OperandView(node, null, shape, order);
    }

    /// <summary>The value in memory, as the parameter of <see cref="Read"/>.</summary>
    public Node Given(GraphBuilder b) => Slice is null ? b.Reshape(Source, Base) : Source;

    /// <summary>The operand, in the order of memory, from a parameter.</summary>
    public Node Read(GraphBuilder b, Node parameter) => Slice is null ? parameter : b.Reshape(b.Add(Slice, parameter), Base);

    // A slice without steps, whose last dimension may be cut into several.
    private static Node? Slicing(Node node)
    {
        Node slice = node is { Op: ReshapeOp, Operands: [var x] } && OnlySplits(x.Shape, node.Shape) ? UnitDims.Skip(x) : node;
        return slice.Op is SliceOp op && op.Strides.All(stride => stride == 1) ? slice : null;
    }

    // True when each dimension becomes one or several neighbouring ones, so that positions stay sums of counters.
    private static bool OnlySplits(Shape from, Shape to)
    {
        Dim[] rest = UnitDims.Without(to);
        int next = 0;
        foreach (Dim dim in UnitDims.Without(from))
        {
            Dim product = 1;
            while (product != dim)
            {
                if (next == rest.Length)
                {
                    return false;
                }
                product *= rest[next++];
            }
        }
        return next == rest.Length;
    }
}
