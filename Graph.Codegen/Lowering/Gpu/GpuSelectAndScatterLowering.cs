namespace Graphene.Codegen;

/// <summary>
/// Lowers select_and_scatter whose windows overlap (others are fused by their element form): each element looks at the windows that it lies
/// under, in order, and combines the source's elements of those that pick it.
/// </summary>
/// <remarks>
/// <code>
/// thread = element of the result
///   result = initial
///   for windows that cover the element:          ceil(size / stride) in each dimension
///     where = what the window picks              size elements of each dimension are read, from the first cache
///     if where is the element: result = f(result, source)
/// </code>
/// Windows are gone through again by each of their elements; in return nobody writes where another does, and elements are combined in the
/// order of the definition. A window of 3 x 3 with stride 2 reads 20 elements for each result on average.
/// </remarks>
internal static class GpuSelectAndScatterLowering
{
    /// <summary>The kernel of a select_and_scatter node.</summary>
    public static LoweredKernel Lower(string name, Node node)
    {
        var op = (SelectAndScatterOp)node.Op;
        var source = new OperandSource(node);
        return GpuElements.Kernel(name, source, [.. node.Shape], at =>
        {
            KRegister result = source.B.Declare("result", source.Emitter.Emit(source.Operand(2, IndexVector.Scalar)));
            KExpr own = source.Position(IndexVector.From(at), node.Type);
            IndexVariable[] windows = [.. node.Operands[1].Shape.Select((extent, i) => source.F.Variable($"w{i}", extent))];
            ForEachWindow(op, source, at, windows, 0, () =>
            {
                (KRegister found, KRegister where) = SelectAndScatterLowering.EmitPick(op, source, node, windows);
                KExpr isOwn = KBuilder.Call(ScalarOp.And, new KRead(found), KBuilder.Call(ScalarOp.Equal, new KRead(where), own));
                source.B.If(isOwn, () => source.Emitter.InScope(() =>
                {
                    ScalarExpr present = source.F.Placeholder(node.DType);
                    source.Emitter.Bind(present, source.B.Let("present", new KRead(result)));
                    ScalarExpr next = source.Apply(op.Scatter, present, source.Operand(1, IndexVector.From(windows)))[0];
                    source.B.Assign(result, source.Emitter.Emit(next));
                }));
            });
            source.B.Store(source.Outputs[0], own, new KRead(result));
        });
    }

    // Window w covers w stride - low .. w stride - low + size - 1.
    private static void ForEachWindow(
        SelectAndScatterOp op, OperandSource source, IndexVariable[] at, IndexVariable[] windows, int axis, Action body)
    {
        if (axis == windows.Length)
        {
            body();
            return;
        }
        WindowDim w = op.Window[axis];
        KExpr padded = source.B.Let("padded", KBuilder.Add(source.Emitter.Emit(at[axis]), KBuilder.Value(w.Low)));
        KExpr below = KBuilder.Maximum(KBuilder.Subtract(KBuilder.Add(padded, w.Stride), KBuilder.Value(w.Size)), 0);
        KExpr first = source.B.Let("first", KBuilder.Divide(below, w.Stride));
        KExpr end = source.B.Let("end", KBuilder.Minimum(
            KBuilder.Add(KBuilder.Divide(KBuilder.Maximum(padded, 0), w.Stride), 1), KBuilder.Value(windows[axis].Extent)));
        source.B.For("w", first, end, 1, window => source.Emitter.InScope(() =>
        {
            source.Emitter.Bind(windows[axis], window);
            ForEachWindow(op, source, at, windows, axis + 1, body);
        }));
    }
}
