namespace Graphene.Optimizer;

// Slices, joins, pads, gathers: they move towards the operands, merge, and disappear where nothing is cut or added.
public sealed partial class AlgebraicSimplifier
{
    private Node? Slice(GraphBuilder b, Node node, SliceOp op)
    {
        Node x = node.Operands[0];
        return x switch
        {
            _ when node.Shape.Equals(x.Shape) && op.Strides.All(s => s == 1) => x,

            _ when Splats.ValueOf(x) is { } splat => Splats.Make(b, splat, node.Shape),

            // slice(slice x) => slice x
            { Op: SliceOp inner, Operands: [var source] } => SliceOfSlice(b, op, inner, source),

            // slice(concatenate) inside of one operand => slice of it
            { Op: ConcatenateOp concatenate } => SliceOfConcatenate(b, op, concatenate, x),

            // slice(broadcast x) => broadcast(slice x)
            { Op: BroadcastInDimOp broadcast, Operands: [var source] } => SliceOfBroadcast(b, node, op, broadcast, source),

            // slice(transpose x) => transpose(slice x)
            { Op: TransposeOp transpose, Operands: [var source] } => b.Transpose(
                b.Slice(
                    source, Permute(op.Starts, transpose.Permutation), Permute(op.Limits, transpose.Permutation),
                    Permute(op.Strides, transpose.Permutation)),
                transpose.Permutation),

            // slice(reshape(transpose x)) => reshape(slice(transpose x))   where the reshape joins dimensions, and whole ones are taken
            { Op: ReshapeOp, Operands: [{ Op: TransposeOp } source] } => SliceOfJoined(b, node, op, source),

            // slice(f(x, y)) => f(slice x, slice y)   when nobody else needs the rest; work on a dot's result stays with the dot
            { Op.IsElementwise: true } when UseCount(x) == 1 && !HeroChain.Contains(x) => b.Add(
                x.Op, [.. x.Operands.Select(o => o.Rank == 0 ? o : b.Slice(o, op.Starts, op.Limits, op.Strides))]),

            // slice(pad x) that cuts off what was added => slice x
            { Op: PadOp pad, Operands: [var source, _] } => SliceOfPad(b, op, pad, source),

            _ => null,
        };
    }

    private static Node? SliceOfJoined(GraphBuilder b, Node node, SliceOp op, Node x)
    {
        if (op.Strides.Any(s => s != 1) || JoinedDimensions.Of(x.Shape, node.Operands[0].Shape) is not { } groups)
        {
            return null;
        }
        var starts = new Dim[x.Rank];
        Dim[] limits = [.. x.Shape];
        for (int axis = 0; axis < groups.Length; axis++)
        {
            if (op.Starts[axis] == 0 && op.Limits[axis] == node.Operands[0].Shape[axis])
            {
                continue;
            }
            Dim together = groups[axis].Skip(1).Aggregate((Dim)1, (n, inner) => n * x.Shape[inner]);
            if (groups[axis].Length == 0 || !together.IsStatic || together == 0 ||
                !Dim.TryDivideExact(op.Starts[axis], together.Value, out Dim start) ||
                !Dim.TryDivideExact(op.Limits[axis], together.Value, out Dim limit))
            {
                return null;
            }
            (starts[groups[axis][0]], limits[groups[axis][0]]) = (start, limit);
        }
        return b.Reshape(b.Slice(x, [.. starts], [.. limits]), node.Shape);
    }

    // Entry p[i] of the result is entry i: from a transpose's result back to its operand.
    private static ValueList<T> Permute<T>(ValueList<T> list, Axes permutation)
        where T : IEquatable<T>
    {
        var result = new T[list.Count];
        for (int i = 0; i < result.Length; i++)
        {
            result[permutation[i]] = list[i];
        }
        return [.. result];
    }

    private static Node SliceOfSlice(GraphBuilder b, SliceOp outer, SliceOp inner, Node x)
    {
        var starts = new Dim[x.Rank];
        var limits = new Dim[x.Rank];
        var strides = new long[x.Rank];
        for (int i = 0; i < x.Rank; i++)
        {
            starts[i] = inner.Starts[i] + (outer.Starts[i] * inner.Strides[i]);
            strides[i] = inner.Strides[i] * outer.Strides[i];
            // The last element that the outer slice may take, plus one, in terms of x.
            Dim end = inner.Starts[i] + (outer.Limits[i] * inner.Strides[i]);
            limits[i] = inner.Strides[i] == 1 ? end : Dim.Min(end, inner.Limits[i]);
        }
        return b.Slice(x, [.. starts], [.. limits], [.. strides]);
    }

    private static Node? SliceOfConcatenate(GraphBuilder b, SliceOp op, ConcatenateOp concatenate, Node x)
    {
        int axis = concatenate.Dimension;
        Dim begin = 0;
        foreach (Node operand in x.Operands)
        {
            Dim end = begin + operand.Shape[axis];
            if ((op.Starts[axis] - begin).Range.Min >= 0 && (end - op.Limits[axis]).Range.Min >= 0)
            {
                return b.Slice(
                    operand, With(op.Starts, axis, op.Starts[axis] - begin), With(op.Limits, axis, op.Limits[axis] - begin), op.Strides);
            }
            begin = end;
        }
        return null;
    }

    private static ValueList<Dim> With(ValueList<Dim> list, int index, Dim value) =>
        [.. list.Select((d, i) => i == index ? value : d)];

    private static Node SliceOfBroadcast(GraphBuilder b, Node node, SliceOp op, BroadcastInDimOp broadcast, Node x)
    {
        Axes dims = broadcast.BroadcastDimensions;
        Node sliced = b.Slice(
            x,
            [.. x.Shape.Select((d, i) => d == 1 ? 0 : op.Starts[dims[i]])],
            [.. x.Shape.Select((d, i) => d == 1 ? 1 : op.Limits[dims[i]])],
            [.. x.Shape.Select((d, i) => d == 1 ? 1 : op.Strides[dims[i]])]);
        return b.BroadcastInDim(sliced, node.Shape, dims);
    }

    private static Node? SliceOfPad(GraphBuilder b, SliceOp op, PadOp pad, Node x)
    {
        for (int i = 0; i < x.Rank; i++)
        {
            bool inside = pad.Interior[i] == 0 && (op.Starts[i] - pad.Low[i]).Range.Min >= 0 && pad.Low[i].Range.Min >= 0 &&
                (pad.Low[i] + x.Shape[i] - op.Limits[i]).Range.Min >= 0;
            if (!inside)
            {
                return null;
            }
        }
        return b.Slice(
            x, [.. op.Starts.Select((d, i) => d - pad.Low[i])], [.. op.Limits.Select((d, i) => d - pad.Low[i])], op.Strides);
    }

    // dynamic_slice with known starts => slice   (starts are clamped so that the slice fits)
    private static Node? DynamicSlice(GraphBuilder b, Node node, DynamicSliceOp op)
    {
        Node x = node.Operands[0];
        if (node.Shape.Equals(x.Shape))
        {
            return x; // only start 0 fits
        }
        Dim[]? starts = ConstantStarts(node, 1, x.Shape, [.. op.Sizes]);
        return starts is null ? null : b.Slice(x, [.. starts], [.. op.Sizes.Select((size, i) => starts[i] + size)]);
    }

    private static Dim[]? ConstantStarts(Node node, int firstOperand, Shape shape, IReadOnlyList<Dim> sizes)
    {
        var starts = new Dim[shape.Rank];
        for (int i = 0; i < starts.Length; i++)
        {
            if (Splats.ValueOf(node.Operands[firstOperand + i]) is not { } start || start.AsInteger > long.MaxValue)
            {
                return null;
            }
            Dim wanted = Math.Max(0, (long)start.AsInteger);
            Dim last = shape[i] - sizes[i];
            if ((last - wanted).Range.Min < 0 && !last.IsStatic)
            {
                return null;
            }
            starts[i] = Dim.Min(wanted, last);
        }
        return starts;
    }

    // An update of everything is the update.
    private static Node? DynamicUpdateSlice(Node node)
    {
        Node x = node.Operands[0];
        Node update = node.Operands[1];
        return update.Shape.Equals(x.Shape) ? update
            : update.Shape.ElementCount == 0 ? x
            : null;
    }

    private static Node? Concatenate(GraphBuilder b, Node node, ConcatenateOp op)
    {
        int axis = op.Dimension;
        if (node.Operands.Length == 1)
        {
            return node.Operands[0];
        }
        // Operands without elements add nothing.
        Node[] operands = [.. node.Operands.Where(o => o.Shape[axis] != 0)];
        if (operands.Length > 0 && operands.Length < node.Operands.Length)
        {
            return b.Concatenate(operands, axis);
        }
        // concatenate(concatenate(x, y), z) => concatenate(x, y, z)
        if (operands.Any(o => o.Op is ConcatenateOp inner && inner.Dimension == axis))
        {
            return b.Concatenate(
                [
                    .. operands.SelectMany(o =>
                        o.Op is ConcatenateOp inner && inner.Dimension == axis ? [.. o.Operands] : new[] { o }),
                ],
                axis);
        }
        return JoinSlices(b, operands, axis);
    }

    // concatenate(slice(x, 0..2), slice(x, 2..5)) => slice(x, 0..5)
    private static Node? JoinSlices(GraphBuilder b, Node[] operands, int axis)
    {
        for (int i = 0; i + 1 < operands.Length; i++)
        {
            if (operands[i] is { Op: SliceOp left, Operands: [var x] } && operands[i + 1] is { Op: SliceOp right, Operands: [var y] } &&
                ReferenceEquals(x, y) && left.Strides.Equals(right.Strides) && left.Strides[axis] == 1 &&
                left.Limits[axis] == right.Starts[axis] &&
                With(left.Starts, axis, 0).Equals(With(right.Starts, axis, 0)) &&
                With(left.Limits, axis, 0).Equals(With(right.Limits, axis, 0)))
            {
                Node joined = b.Slice(x, left.Starts, With(left.Limits, axis, right.Limits[axis]), left.Strides);
                return b.Concatenate([.. operands[..i], joined, .. operands[(i + 2)..]], axis);
            }
        }
        return null;
    }

    private static Node? Pad(GraphBuilder b, Node node, PadOp op)
    {
        Node x = node.Operands[0];
        Node value = node.Operands[1];
        bool isNothing = op.Low.All(d => d == 0) && op.High.All(d => d == 0) && op.Interior.All(n => n == 0);
        bool isSame = Splats.ValueOf(x) is { } splat && Splats.ValueOf(value) == splat;
        return isNothing ? x
            : isSame ? Splats.Make(b, Splats.ValueOf(value)!.Value, node.Shape)
            : x is { Op: PadOp inner, Operands: [var source, var innerValue] } && ReferenceEquals(value, innerValue) &&
                op.IsBorder && inner.IsBorder
            ? b.Pad(source, value, Sum(op.Low, inner.Low), Sum(op.High, inner.High))
            : null;
    }

    private static ValueList<Dim> Sum(ValueList<Dim> x, ValueList<Dim> y) => [.. x.Zip(y, (a, b) => a + b)];

    private static Node? Reverse(GraphBuilder b, Node node, ReverseOp op)
    {
        Node x = node.Operands[0];
        // Reversing a dimension of size 1 changes nothing.
        Axes needed = Axes.From(op.Dimensions.Where(axis => x.Shape[axis] != 1));
        return x switch
        {
            _ when Splats.ValueOf(x) is not null => x,
            _ when needed.Count < op.Dimensions.Count => b.Reverse(x, needed),
            { Op: ReverseOp inner, Operands: [var source] } => b.Reverse(
                source,
                Axes.From(op.Dimensions.Concat(inner.Dimensions)
                    .GroupBy(a => a).Where(g => g.Count() == 1).Select(g => g.Key).Order())),
            _ => null,
        };
    }

    // gather at one known index => slice and reshape
    private static Node? Gather(GraphBuilder b, Node node, GatherOp op)
    {
        (Node x, Node indices) = (node.Operands[0], node.Operands[1]);
        GatherDimensions d = op.Dimensions;
        bool isOnePlace = d.OperandBatchingDims.Count == 0 && indices.Op is ConstantOp &&
            indices.Shape.ElementCount == d.StartIndexMap.Count;
        if (!isOnePlace)
        {
            return null;
        }
        Literal literal = ((ConstantOp)indices.Op).Value;
        var starts = new Dim[x.Rank];
        Array.Fill(starts, 0);
        for (int i = 0; i < d.StartIndexMap.Count; i++)
        {
            int axis = d.StartIndexMap[i];
            Dim last = x.Shape[axis] - op.SliceSizes[axis];
            Int128 wanted = literal[i].AsInteger;
            if (wanted > long.MaxValue || (!last.IsStatic && (last - Math.Max(0, (long)wanted)).Range.Min < 0))
            {
                return null;
            }
            starts[axis] = Dim.Min(Math.Max(0, (long)wanted), last);
        }
        Node slice = b.Slice(x, [.. starts], [.. op.SliceSizes.Select((size, i) => starts[i] + size)]);
        return b.Reshape(slice, node.Shape);
    }

    // Counting along a dimension of size 1 gives 0 only.
    private static Node? Iota(GraphBuilder b, IotaOp op) => op.Type.Shape[op.Dimension] == 1
        ? Splats.Make(b, Scalar.Zero(op.Type.DType), op.Type.Shape)
        : null;
}
