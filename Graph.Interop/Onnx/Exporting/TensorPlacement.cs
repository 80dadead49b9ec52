using static Graphene.Interop.Onnx.Exporting.Attributes;

namespace Graphene.Interop.Onnx.Exporting;

/// <summary>Brings values into the order and to the size that an operator needs.</summary>
/// <param name="graph">Where operators are added.</param>
/// <param name="dims">Writes symbolic dims.</param>
internal sealed class TensorPlacement(GraphWriter graph, DimWriter dims)
{
    /// <summary>A tensor of the value's rank and order as the graph means it.</summary>
    public string Plain(StoredValue value) => Plain(value, Axes.Range(value.Type.Rank));

    /// <summary>A tensor with all its elements.</summary>
    /// <param name="value">The value.</param>
    /// <param name="order">For each dimension of the tensor, the value's dimension.</param>
    public string Plain(StoredValue value, Axes order)
    {
        int rank = value.Type.Rank;
        if (!Enumerable.Range(0, rank).Any(value.Repeats))
        {
            if (value.Constant is not null)
            {
                return graph.Store(LiteralOrder.Permute(value.Constant, order), value.Hint);
            }
            string name = Ordered(value, order);
            return OrderedRank(value, order) < rank ? WithLeadingOnes(value, name) : name;
        }

        // Dimensions that are there already are 1 here, which repeats nothing.
        string shape = dims.Shape(order.Select(axis => value.Repeats(axis) ? value.Type.Shape[axis] : 1));
        return graph.Add("Expand", [Ordered(value, order), shape]);
    }

    /// <summary>A tensor that ONNX's operators repeat to the value: dimensions of size 1, and missing ones in front.</summary>
    /// <param name="value">The value.</param>
    /// <param name="order">For each dimension of the tensor, the value's dimension.</param>
    public string Ordered(StoredValue value, Axes order)
    {
        if (value.Type.Rank == 0)
        {
            return value.Name ?? graph.Store(value.Constant!, value.Hint);
        }
        if (value.Constant is not null)
        {
            return graph.Store(LiteralOrder.WithoutLeadingOnes(LiteralOrder.Permute(value.Constant, order)), value.Hint);
        }
        if (value.IsSingle || value.Order.Equals(order))
        {
            return value.Name!;
        }
        string whole = value.TensorRank < value.Type.Rank ? WithLeadingOnes(value, value.Name!) : value.Name!;
        return graph.Add("Transpose", [whole], Ints("perm", order.Select(value.Order.IndexOf)));
    }

    /// <summary>The rank of what <see cref="Ordered"/> gives.</summary>
    public static int OrderedRank(StoredValue value, Axes order) =>
        value.Constant is null
            ? value.Order.Equals(order) || value.IsSingle ? value.TensorRank : value.Type.Rank
            : value.Type.Rank == 0 ? 0 : order.SkipWhile(axis => value.Extents[axis] == 1).Count();

    /// <summary>The same elements under another shape.</summary>
    /// <param name="name">A tensor.</param>
    /// <param name="from">Its shape.</param>
    /// <param name="to">The other shape.</param>
    public string Reshape(string name, Shape from, Shape to)
    {
        if (from.Equals(to))
        {
            return name;
        }
        if (to.Any(dim => dim == 0))
        {
            return graph.Add("Reshape", [name, dims.Shape(to)], Int("allowzero", 1));
        }

        // 0 keeps a dimension, -1 takes what is left: most symbolic shapes need no arithmetic.
        var target = new long[to.Rank];
        bool isOpen = false;
        for (int i = 0; i < target.Length; i++)
        {
            if (to[i].IsStatic)
            {
                target[i] = to[i].Value;
            }
            else if (i < from.Rank && from[i] == to[i])
            {
                target[i] = 0;
            }
            else if (!isOpen)
            {
                target[i] = -1;
                isOpen = true;
            }
            else
            {
                return graph.Add("Reshape", [name, dims.Shape(to)]);
            }
        }
        return graph.Add("Reshape", [name, graph.Ints(target)]);
    }

    private string WithLeadingOnes(StoredValue value, string name)
    {
        int missing = value.Type.Rank - value.TensorRank;
        return graph.Add("Unsqueeze", [name, graph.Ints(Enumerable.Range(0, missing).Select(i => (long)i))]);
    }
}
