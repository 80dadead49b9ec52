using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Operators that give the same elements another shape or order, or repeat them.</summary>
internal static class Shapes
{
    public static IReadOnlyList<OperatorRow> Rows { get; } =
    [
        new("", "Reshape", 1, c => Keep(c, Reshape(c))),
        new("", "Flatten", 1, c => Keep(c, Flatten(c))),
        new("", "Squeeze", 1, c => Keep(c, Squeeze(c))),
        new("", "Unsqueeze", 1, c => Keep(c, Unsqueeze(c))),
        new("", "Transpose", 1, c => Keep(c, Transpose(c))),
        new("", "Expand", 8, c => Keep(c, Expand(c))),
        new("", "Tile", 6, c => Keep(c, Tile(c))),
        new("", "Concat", 1, c => Keep(c, Concat(c))),
        new("", "DepthToSpace", 1, c => Keep(c, DepthToSpace(c))),
        new("", "SpaceToDepth", 1, c => Keep(c, SpaceToDepth(c))),
    ];

    // Moving elements keeps types that Graphene holds in wider ones.
    private static void Keep(OperatorCall c, Node result) => c.Output(0, result, c.Value(0).Type);

    // 0 copies a dimension, -1 takes what is left.
    private static Node Reshape(OperatorCall c)
    {
        Node x = c.Input(0);
        Dim[] target = c.Ints("shape") is { } given ? [.. given.Select(d => (Dim)d)] : c.Dims(1, "shape").Elements;
        bool zeroMeansZero = c.Int("allowzero", 0) != 0;
        var dims = new Dim[target.Length];
        int rest = -1;
        for (int i = 0; i < dims.Length; i++)
        {
            if (target[i] == -1)
            {
                rest = rest < 0 ? i : throw c.Bad("Reshape has two dimensions of -1", "only one can be computed");
                dims[i] = 1;
                continue;
            }
            if (target[i].Range.Max < 0)
            {
                throw c.Bad($"Reshape has the dimension {target[i]}", "dimensions are at least 0, or -1 for what is left");
            }
            dims[i] = target[i] != 0 || zeroMeansZero ? target[i]
                : i < x.Rank ? x.Shape[i]
                : throw c.Bad($"Reshape copies dimension {i} of {x.Type}", "there is no such dimension");
        }
        if (rest >= 0)
        {
            dims[rest] = Rest(c, x, dims);
        }
        return c.B.Reshape(x, Shape.Create(dims));
    }

    private static Dim Rest(OperatorCall c, Node x, Dim[] others)
    {
        Dim known = Shape.Create(others).ElementCount;
        Dim all = x.Shape.ElementCount;
        if (known == 0)
        {
            throw c.Bad($"Reshape of {x.Type} computes a dimension beside one of size 0", "any size would do");
        }
        if (all.IsStatic && known.IsStatic && all.Value % known.Value != 0)
        {
            throw c.Bad($"Reshape of {x.Type} into groups of {known}", $"{all} elements cannot be divided so");
        }
        return Dim.FloorDiv(all, known);
    }

    private static Node Flatten(OperatorCall c)
    {
        Node x = c.Input(0);
        int axis = (int)c.Int("axis", 1);
        axis = axis == x.Rank ? axis : c.NormalAxis(axis, Math.Max(x.Rank, 1));
        return c.B.Reshape(x, [Product(x.Shape, 0, axis), Product(x.Shape, axis, x.Rank)]);
    }

    private static Dim Product(Shape shape, int from, int to)
    {
        Dim product = 1;
        for (int i = from; i < to; i++)
        {
            product *= shape[i];
        }
        return product;
    }

    private static Node Squeeze(OperatorCall c)
    {
        Node x = c.Input(0);
        IReadOnlyList<long>? given = c.Ints("axes") ?? (c.Has(1) ? c.Numbers(1, "axes") : null);
        int[] axes = given is null
            ? [.. Enumerable.Range(0, x.Rank).Where(axis => x.Shape[axis] == 1)]
            : c.NormalAxes(given, x.Rank);
        foreach (int axis in axes)
        {
            if (x.Shape[axis].IsStatic && x.Shape[axis] != 1)
            {
                throw c.Bad($"Squeeze removes axis {axis} of {x.Type}", "only axes of size 1 can be removed");
            }
        }
        return c.B.Squeeze(x, axes);
    }

    private static Node Unsqueeze(OperatorCall c)
    {
        Node x = c.Input(0);
        IReadOnlyList<long> axes = c.Ints("axes") ?? c.Numbers(1, "axes");
        return c.B.Unsqueeze(x, c.NormalAxes(axes, x.Rank + axes.Count));
    }

    private static Node Transpose(OperatorCall c)
    {
        Node x = c.Input(0);
        IEnumerable<int> order = c.Ints("perm") is { } perm
            ? c.NormalAxes(perm, x.Rank)
            : Enumerable.Range(0, x.Rank).Reverse();
        Axes axes = Axes.From(order);
        return axes.Count == x.Rank ? c.B.Transpose(x, axes) : throw c.Bad(
            $"Transpose orders {axes.Count} axes of {x.Type}", "every axis must be listed once");
    }

    private static Node Expand(OperatorCall c)
    {
        Node x = c.Input(0);
        Shape shape = Constants.ShapeOf(c, c.Dims(1, "shape"));
        return c.B.BroadcastTo(x, OnnxBroadcasting.Join(c, x.Shape, shape));
    }

    // Repeating dimension d r times is [d] -> [r, d] -> [r * d].
    private static Node Tile(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        DimTensor repeats = c.Version >= 6 ? c.Dims(1, "repeats") : throw c.Unsupported("Tile as of version 1", "use version 6");
        if (repeats.Elements.Length != x.Rank)
        {
            throw c.Bad($"Tile has {repeats.Elements.Length} repeats for {x.Type}", "there must be one for each dimension");
        }
        Dim[] wide = [.. x.Shape.SelectMany((dim, axis) => (Dim[])[repeats.Elements[axis], dim])];
        Node repeated = b.BroadcastInDim(x, Shape.Create(wide), Axes.From(Enumerable.Range(0, x.Rank).Select(axis => (2 * axis) + 1)));
        return b.Reshape(repeated, Shape.From(x.Shape.Select((dim, axis) => dim * repeats.Elements[axis])));
    }

    private static Node Concat(OperatorCall c)
    {
        c.Value(0);
        Node[] parts = c.Inputs();
        return c.B.Concatenate(parts, c.NormalAxis(c.Int("axis", 1), parts[0].Rank));
    }

    // [n, c, h, w] -> [n, b, b, c/b2, h, w] (depth-column-row) or [n, c/b2, b, b, h, w] (column-row-depth) -> [n, c/b2, h*b, w*b]
    private static Node DepthToSpace(OperatorCall c)
    {
        GraphBuilder b = c.B;
        (Node x, long block) = Blocks(c);
        (Dim n, Dim channels, Dim h, Dim w) = (x.Shape[0], Dim.FloorDiv(x.Shape[1], block * block), x.Shape[2], x.Shape[3]);
        Node moved = c.Text("mode", "DCR") == "CRD"
            ? b.Transpose(b.Reshape(x, [n, channels, block, block, h, w]), [0, 1, 4, 2, 5, 3])
            : b.Transpose(b.Reshape(x, [n, block, block, channels, h, w]), [0, 3, 4, 1, 5, 2]);
        return b.Reshape(moved, [n, channels, h * block, w * block]);
    }

    private static Node SpaceToDepth(OperatorCall c)
    {
        GraphBuilder b = c.B;
        (Node x, long block) = Blocks(c);
        (Dim n, Dim channels) = (x.Shape[0], x.Shape[1]);
        (Dim h, Dim w) = (Dim.FloorDiv(x.Shape[2], block), Dim.FloorDiv(x.Shape[3], block));
        Node moved = b.Transpose(b.Reshape(x, [n, channels, h, block, w, block]), [0, 3, 5, 1, 2, 4]);
        return b.Reshape(moved, [n, channels * (block * block), h, w]);
    }

    private static (Node X, long Block) Blocks(OperatorCall c)
    {
        Node x = c.Input(0);
        long block = c.Int("blocksize");
        return x.Rank == 4 && block is > 0 and < 1 << 15 ? (x, block) : throw c.Bad(
            $"{c.Proto.OpType} of {x.Type} with blocks of {block}", "it takes images of rank 4 and a positive block size");
    }
}
