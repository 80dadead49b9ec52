namespace Graphene.Codegen;

/// <content>Where sums of results go.</content>
internal abstract partial class GpuAttentionLowering
{
    // What the block has summed, with maxima and sums of weights, for the kernel that joins parts.
    private void StoreParts(Block block, KBuffer parts, KExpr place, KRegister[] max, KExpr[] totals)
    {
        KExpr Place(int row) => KBuilder.Multiply(
            KBuilder.Add(KBuilder.Multiply(place, KBuilder.Value(_queries.Extent)), block.Rows[row]), Sizes.Columns + 2);
        ForEachSum((row, column, sum) => ForEachColumn(
            block, row, column, sum, (at, value) => B.Store(parts, KBuilder.Add(Place(row), at), value)));
        for (int r = 0; r < Rows; r++)
        {
            int row = r;
            KExpr isThere = KBuilder.Less(block.Rows[row], KBuilder.Value(_queries.Extent));
            B.If(KBuilder.Call(ScalarOp.And, isThere, IsFirst), () =>
            {
                KExpr at = B.Let("at", KBuilder.Add(Place(row), Sizes.Columns));
                B.Store(parts, at, new KRead(max[row]));
                B.Store(parts, KBuilder.Add(at, 1), totals[row]);
            });
        }
    }

    // A sum over no keys is 0, where a quotient would be none.
    private KExpr Quotient(KExpr sum, KExpr total, KExpr keys)
    {
        KExpr quotient = KBuilder.Divide(sum, KBuilder.Broadcast(total, sum.Type.Lanes));
        return Access.Key.Extent.Range.Min > 0 ? quotient : new KSelect(
            KBuilder.Broadcast(KBuilder.Less(0, keys), sum.Type.Lanes), quotient,
            KBuilder.Broadcast(Constant(Scalar.Zero(Sizes.Sum)), sum.Type.Lanes));
    }

    private void StoreResult(Block block, int row, KExpr column, KExpr value)
    {
        KBuffer output = Access.Source.Outputs[0];
        KExpr Rounded(KExpr v) => v.Type.Element == output.Element ? v : new KConvert(v, output.Element);
        int lanes = value.Type.Lanes;
        if (lanes > 1 && Sizes.Columns % lanes == 0 && Access.Result[Access.Column] == 1)
        {
            int alignment = Access.Result.IsMultipleOf(lanes, Access.Column) ? lanes : 1;
            B.If(IsThere(block, row, column), () => At(
                block, row, column, at => B.Add(new KStore(output, at, Rounded(value), Alignment: alignment))));
            return;
        }
        ForEachColumn(block, row, column, value, (c, v) => At(block, row, c, at => B.Store(output, at, Rounded(v))));
    }

    private void ForEachColumn(Block block, int row, KExpr column, KExpr value, Action<KExpr, KExpr> use)
    {
        value = B.Let("value", value);
        for (int lane = 0; lane < value.Type.Lanes; lane++)
        {
            KExpr one = value.Type.IsScalar ? value : new KShuffle(value, [lane]);
            KExpr at = KBuilder.Add(column, lane);
            B.If(IsThere(block, row, at), () => use(at, one));
        }
    }

    private KExpr IsThere(Block block, int row, KExpr column) => KBuilder.Call(
        ScalarOp.And, KBuilder.Less(block.Rows[row], KBuilder.Value(_queries.Extent)), KBuilder.Less(column, Sizes.Columns));

    private void At(Block block, int row, KExpr column, Action<KExpr> use) => Emitter.InScope(() =>
    {
        Emitter.Bind(_queries.Last, block.Rows[row]);
        Emitter.Bind(Access.Column, column);
        use(B.Let("at", Emitter.EmitPosition(Access.Result)));
    });
}
