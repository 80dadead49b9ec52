namespace Graphene.Codegen;

/// <summary>
/// Lowers the first step of a convolution that pads or strides: each input plane is copied into its phases, zeros around it, as
/// <see cref="ChannelsFirstGeometry"/> describes. Each input element is touched once.
/// </summary>
internal static class ChannelsFirstInputLowering
{
    /// <summary>The kernel that fills the workspace.</summary>
    /// <param name="name">The kernel's name.</param>
    /// <param name="input">The input's value.</param>
    /// <param name="type">Its type.</param>
    /// <param name="index">Its strides: batch, feature, then y (when there is one) and x.</param>
    /// <param name="at">The counters that the strides belong to.</param>
    /// <param name="geometry">The planes.</param>
    /// <param name="workspace">Where they go.</param>
    /// <param name="target">The machine.</param>
    public static LoweredKernel Lower(
        string name, KernelOperand input, TensorType type, AffineIndex index, IReadOnlyList<IndexVariable> at,
        ChannelsFirstGeometry geometry, KernelOperand workspace, KernelTarget target)
    {
        var arguments = new KernelArguments();
        KBuffer from = arguments.Input("input", type.DType, input);
        KBuffer to = arguments.Output("planes", type.DType, workspace);
        var b = new KBuilder();
        var task = new KVariable("task", KType.Index);
        Dim features = at[1].Extent;
        KExpr batch = b.Let("batch", KBuilder.Divide(task, KBuilder.Value(features)));
        KExpr feature = b.Let("feature", KBuilder.Remainder(task, KBuilder.Value(features)));
        KExpr source = b.Let("source", KBuilder.Add(
            KBuilder.Value(index.Constant),
            KBuilder.Add(
                KBuilder.Multiply(batch, KBuilder.Value(index[at[0]])), KBuilder.Multiply(feature, KBuilder.Value(index[at[1]])))));
        Dim plane = geometry.Rows * geometry.RowLength;
        var copy = new PlaneCopy(
            b, from, to, geometry, at.Count == 4 ? index[at[2]] : 0, index[at[^1]], target.Lanes(type.DType));
        for (int phase = 0; phase < geometry.Phases.Count; phase++)
        {
            KExpr start = b.Let("plane", KBuilder.Multiply(
                KBuilder.Add(KBuilder.Multiply(task, geometry.Phases.Count), phase), KBuilder.Value(plane)));
            copy.Emit(source, start, geometry.Phases[phase]);
        }
        var cost = new KernelCost(0, type.SizeInBytes * 2);
        var kernel = new Kernel(
            name, arguments.Buffers, task, KBuilder.Value(at[0].Extent * features), b.ToBlock(), cost);
        return new LoweredKernel(kernel, arguments.Operands);
    }

    private sealed record PlaneCopy(
        KBuilder B, KBuffer From, KBuffer To, ChannelsFirstGeometry Geometry, Dim YStride, Dim XStride, int Lanes)
    {
        public void Emit(KExpr source, KExpr start, (long Y, long X) phase) => B.For("y", 0, KBuilder.Value(Geometry.Rows), 1, y =>
        {
            KExpr row = B.Let("row", Position(y, Geometry.Y, phase.Y));
            KExpr inside = KBuilder.Call(
                ScalarOp.And, KBuilder.Call(ScalarOp.LessOrEqual, 0, row), KBuilder.Less(row, KBuilder.Value(Geometry.InputHeight)));
            KExpr to = B.Let("to", KBuilder.Add(start, KBuilder.Multiply(y, KBuilder.Value(Geometry.RowLength))));
            KExpr from = B.Let("from", KBuilder.Add(source, KBuilder.Multiply(row, KBuilder.Value(YStride))));
            B.If(inside, () => EmitRow(to, x => Load(from, x, phase.X)), () => EmitRow(to, _ => Zero));
        });

        private KExpr Zero => new KConstant(Scalar.Zero(From.Element), Lanes);

        // input position = plane position * stride + phase - padding
        private static KExpr Position(KExpr place, WindowDim window, long phase) => KBuilder.Subtract(
            KBuilder.Add(KBuilder.Multiply(place, window.Stride), phase), KBuilder.Value(window.Low));

        private KExpr Load(KExpr from, KExpr x, long phase)
        {
            KExpr first = B.Let("x", Position(x, Geometry.X, phase));
            KExpr places = B.Let("places", new KRamp(first, Geometry.X.Stride, Lanes));
            KExpr mask = B.Let("mask", KBuilder.Call(
                ScalarOp.And,
                KBuilder.Call(ScalarOp.LessOrEqual, 0, places),
                KBuilder.Less(places, KBuilder.Value(Geometry.InputWidth))));
            KExpr at = KBuilder.Add(from, KBuilder.Multiply(first, KBuilder.Value(XStride)));
            return Geometry.X.Stride == 1 && XStride == 1
                ? new KLoad(From, at, Lanes, mask)
                : new KGather(From, new KRamp(at, KBuilder.Value(XStride * Geometry.X.Stride), Lanes), mask);
        }

        private void EmitRow(KExpr to, Func<KExpr, KExpr> value)
        {
            KExpr length = KBuilder.Value(Geometry.RowLength);
            KExpr whole = B.Let("whole", KBuilder.Multiply(KBuilder.Divide(length, Lanes), Lanes));
            B.For("x", 0, whole, Lanes, x => B.Store(To, KBuilder.Add(to, x), value(x)));
            KExpr rest = B.Let("rest", KBuilder.Subtract(length, whole));
            B.If(KBuilder.Less(0, rest), () =>
            {
                KExpr mask = B.Let("mask", KBuilder.Less(new KRamp(0, 1, Lanes), rest));
                B.Store(To, KBuilder.Add(to, whole), value(whole), mask);
            });
        }
    }
}
