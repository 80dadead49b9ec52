namespace Graphene;

/// <summary>Moving and marking elements: one-hot rows, triangles, tiles, stacks, blocks of space and depth.</summary>
public static class IndexingComposites
{
    /// <summary>A new axis that is <paramref name="on"/> at the position that the index names, <paramref name="off"/> elsewhere.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="indices">Any numeric dtype; negative ones count from the end, others outside give no mark.</param>
    /// <param name="depth">The size of the new axis.</param>
    /// <param name="on">A scalar.</param>
    /// <param name="off">A scalar of the same dtype.</param>
    /// <param name="axis">The place of the new axis; negative from the end of the result.</param>
    public static Node OneHot(this GraphBuilder b, Node indices, Dim depth, Node on, Node off, int axis = -1)
    {
        int place = b.Site("one_hot", indices).Axis(axis, indices.Rank + 1);
        Node index = b.Convert(indices, DType.I64);
        Node wrapped = b.Add(index, b.BroadcastTo(b.DimValue(depth), index.Shape));
        index = b.Select(b.Less(index, b.Like(index, 0)), wrapped, index);
        Dim[] dims = [.. indices.Shape.Take(place), depth, .. indices.Shape.Skip(place)];
        var shape = Shape.From(dims);
        Node position = b.Iota(new TensorType(DType.I64, shape), place);
        Node mark = b.Equal(position, b.BroadcastBack(index, shape, [place]));
        return b.Select(mark, b.BroadcastTo(on, shape), b.BroadcastTo(off, shape));
    }

    /// <summary>One of two tensors, element by element, all three broadcast together.</summary>
    public static Node Where(this GraphBuilder b, Node condition, Node whenTrue, Node whenFalse)
    {
        Node[] all = b.BroadcastTogether("where", condition, whenTrue, whenFalse);
        return b.Select(all[0], all[1], all[2]);
    }

    /// <summary>The upper or lower triangle of the last two dimensions, 0 elsewhere.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="x">Rank at least 2.</param>
    /// <param name="upper">True to keep elements on and above the diagonal, false for on and below.</param>
    /// <param name="diagonal">Which diagonal, as an i64 scalar: 0 the main one, positive above it; null for 0.</param>
    public static Node Triangle(this GraphBuilder b, Node x, bool upper, Node? diagonal = null)
    {
        b.Site("triangle", x).Require(x.Rank >= 2, DiagnosticId.RankMismatch, $"{x.Type} holds no matrices");
        var square = new TensorType(DType.I64, [x.Shape[^2], x.Shape[^1]]);
        Node row = b.Iota(square, 0);
        if (diagonal is not null)
        {
            row = b.Add(row, b.BroadcastTo(b.Convert(b.Reshape(diagonal, Shape.Scalar), DType.I64), square.Shape));
        }
        Node column = b.Iota(square, 1);
        Node kept = upper ? b.LessOrEqual(row, column) : b.LessOrEqual(column, row);
        return b.Select(b.BroadcastTo(kept, x.Shape), x, b.Like(x, 0));
    }

    /// <summary>Ones on a diagonal of a matrix, zeros elsewhere.</summary>
    public static Node Eye(this GraphBuilder b, DType type, Dim rows, Dim columns, long diagonal = 0)
    {
        var square = new TensorType(DType.I64, [rows, columns]);
        Node row = b.Add(b.Iota(square, 0), b.Splat(DType.I64, square.Shape, diagonal));
        return b.Convert(b.Equal(row, b.Iota(square, 1)), type);
    }

    /// <summary>The whole tensor repeated along each dimension.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="x">The tensor.</param>
    /// <param name="repeats">One number per dimension.</param>
    public static Node Tile(this GraphBuilder b, Node x, IReadOnlyList<Dim> repeats)
    {
        b.Site("tile", x).Require(
            repeats.Count == x.Rank, DiagnosticId.RankMismatch, $"{repeats.Count} repeats are given for {x.Type}");
        int[] places = [.. Enumerable.Range(0, x.Rank).Select(i => (2 * i) + 1)];
        var spread = Shape.From(x.Shape.SelectMany((dim, i) => new[] { repeats[i], dim }));
        return b.Reshape(
            b.BroadcastInDim(x, spread, Axes.From(places)), Shape.From(x.Shape.Select((dim, i) => dim * repeats[i])));
    }

    /// <summary>Each element repeated in place along one axis: [a, b] becomes [a, a, b, b].</summary>
    public static Node RepeatElements(this GraphBuilder b, Node x, int axis, Dim times)
    {
        int along = b.Site("repeat_elements", x).Axis(axis, x.Rank);
        int[] places = [.. Enumerable.Range(0, x.Rank).Select(i => i <= along ? i : i + 1)];
        Dim[] spread = [.. x.Shape.Take(along + 1), times, .. x.Shape.Skip(along + 1)];
        return b.Reshape(
            b.BroadcastInDim(x, Shape.From(spread), Axes.From(places)), x.Shape.With(along, x.Shape[along] * times));
    }

    /// <summary>Consecutive parts along an axis.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="x">The tensor.</param>
    /// <param name="sizes">The size of each part.</param>
    /// <param name="axis">The axis; negative from the end.</param>
    public static Node[] Split(this GraphBuilder b, Node x, IReadOnlyList<Dim> sizes, int axis = 0)
    {
        OpSite site = b.Site("split", x);
        int along = site.Axis(axis, x.Rank);
        Dim total = sizes.Aggregate((Dim)0, (sum, size) => sum + size);
        site.Require(
            site.CanBeEqual(total, x.Shape[along]), DiagnosticId.ShapeMismatch,
            $"parts of {string.Join(", ", sizes)} make {total}, axis {along} of {x.Type} has {x.Shape[along]}");
        var parts = new Node[sizes.Count];
        Dim start = 0;
        for (int i = 0; i < parts.Length; i++)
        {
            parts[i] = b.SliceDimension(x, along, start, start + sizes[i]);
            start += sizes[i];
        }
        return parts;
    }

    /// <summary>Tensors of one shape joined along a new axis.</summary>
    public static Node Stack(this GraphBuilder b, IReadOnlyList<Node> parts, int axis = 0)
    {
        int place = b.Site("stack", [.. parts]).Axis(axis, parts[0].Rank + 1);
        return b.Concatenate([.. parts.Select(part => b.ExpandDims(part, place))], place);
    }

    /// <summary>The same elements under another shape, of which one size may be -1: it follows from the others.</summary>
    public static Node ReshapeInferred(this GraphBuilder b, Node x, Shape shape)
    {
        OpSite site = b.Site("reshape", x);
        int[] open = [.. Enumerable.Range(0, shape.Rank).Where(i => shape[i] == -1)];
        site.Require(open.Length <= 1, DiagnosticId.BadAttribute, $"{shape} leaves {open.Length} sizes open, one may be -1");
        if (open.Length == 0)
        {
            return b.Reshape(x, shape);
        }
        Dim known = shape.Without([open[0]]).ElementCount;
        Dim rest = 0;
        site.Require(
            known != 0 && (Dim.TryDivideExact(x.Shape.ElementCount, known, out rest) || !x.Shape.ElementCount.IsStatic || !known.IsStatic),
            DiagnosticId.ElementCountMismatch, $"{x.Type} has {x.Shape.ElementCount} elements, not a multiple of {known}",
            why: "a reshape keeps all elements", fix: "choose sizes whose product divides the number of elements");
        rest = rest == 0 && x.Shape.ElementCount != 0 ? Dim.FloorDiv(x.Shape.ElementCount, known) : rest;
        return b.Reshape(x, shape.With(open[0], rest));
    }

    /// <summary>A box of elements; a size of -1 reaches to the end of its dimension.</summary>
    public static Node SliceBox(this GraphBuilder b, Node x, Shape begin, Shape size)
    {
        b.Site("slice", x).Require(
            begin.Rank == x.Rank && size.Rank == x.Rank, DiagnosticId.RankMismatch,
            $"begin {begin} and size {size} do not have one entry per dimension of {x.Type}");
        return b.Slice(
            x, begin.ToValueList(), size.Select((s, i) => s == -1 ? x.Shape[i] : begin[i] + s).ToValueList());
    }

    /// <summary>A new dimension of size 1.</summary>
    public static Node ExpandDims(this GraphBuilder b, Node x, int axis)
    {
        int place = b.Site("expand_dims", x).Axis(axis, x.Rank + 1);
        Dim[] dims = [.. x.Shape.Take(place), 1, .. x.Shape.Skip(place)];
        return b.Reshape(x, Shape.From(dims));
    }

    /// <summary>Removes dimensions of size 1; all of them when no axes are given.</summary>
    public static Node Squeeze(this GraphBuilder b, Node x, IReadOnlyList<int>? axes = null)
    {
        OpSite site = b.Site("squeeze", x);
        Axes removed = axes is null
            ? Axes.From(Enumerable.Range(0, x.Rank).Where(i => x.Shape[i] == 1))
            : site.AxesOrAll(axes, x.Rank);
        site.Require(
            removed.All(i => site.CanBeEqual(x.Shape[i], 1)), DiagnosticId.ShapeMismatch,
            $"axes {removed} of {x.Type} do not all have size 1");
        return b.Reshape(x, x.Shape.Without(removed));
    }

    /// <summary><c>start, start + delta, ...</c>: so many numbers.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="start">A scalar.</param>
    /// <param name="delta">A scalar of the same dtype.</param>
    /// <param name="count">How many.</param>
    public static Node Range(this GraphBuilder b, Node start, Node delta, Dim count)
    {
        Node index = b.Iota(new TensorType(start.DType, [count]), 0);
        return b.Add(b.Multiply(index, b.BroadcastTo(delta, index.Shape)), b.BroadcastTo(start, index.Shape));
    }

    /// <summary>Moves blocks of features into space: [n, f, h, w] becomes [n, f / block^2, h * block, w * block].</summary>
    /// <param name="b">The builder.</param>
    /// <param name="x">[batch, features, height, width].</param>
    /// <param name="block">The side of a block.</param>
    /// <param name="columnRowDepth">True when the features' blocks vary slowest (ONNX's CRD), false when fastest (DCR).</param>
    public static Node DepthToSpace(this GraphBuilder b, Node x, long block, bool columnRowDepth = false)
    {
        OpSite site = b.Site("depth_to_space", x);
        site.Require(x.Rank == 4, DiagnosticId.RankMismatch, $"{x.Type} is not of shape [batch, features, height, width]");
        Dim depth = 0;
        site.Require(
            block > 0 && Dim.TryDivideExact(x.Shape[1], block * block, out depth), DiagnosticId.BadAttribute,
            $"{x.Shape[1]} features of {x.Type} do not make blocks of {block} x {block}");
        (Dim n, Dim h, Dim w) = (x.Shape[0], x.Shape[2], x.Shape[3]);
        Node blocks = columnRowDepth
            ? b.Transpose(b.Reshape(x, [n, depth, block, block, h, w]), [0, 1, 4, 2, 5, 3])
            : b.Transpose(b.Reshape(x, [n, block, block, depth, h, w]), [0, 3, 4, 1, 5, 2]);
        return b.Reshape(blocks, [n, depth, h * block, w * block]);
    }

    /// <summary>Moves blocks of space into features: [n, f, h, w] becomes [n, f * block^2, h / block, w / block].</summary>
    public static Node SpaceToDepth(this GraphBuilder b, Node x, long block)
    {
        OpSite site = b.Site("space_to_depth", x);
        site.Require(x.Rank == 4, DiagnosticId.RankMismatch, $"{x.Type} is not of shape [batch, features, height, width]");
        Dim h = 0;
        Dim w = 0;
        site.Require(
            block > 0 && Dim.TryDivideExact(x.Shape[2], block, out h) && Dim.TryDivideExact(x.Shape[3], block, out w),
            DiagnosticId.BadAttribute, $"{x.Type} cannot be cut into blocks of {block} x {block}");
        (Dim n, Dim f) = (x.Shape[0], x.Shape[1]);
        Node blocks = b.Transpose(b.Reshape(x, [n, f, h, block, w, block]), [0, 3, 5, 1, 2, 4]);
        return b.Reshape(blocks, [n, f * block * block, h, w]);
    }
}
