namespace Graphene.Codegen;

/// <content>
/// The schedule for a GPU: a thread computes four neighbouring positions of some features, and neighbouring
/// threads have neighbouring features.
/// <code>
/// thread = (row of positions, 4 positions, 16 bytes of features), features fastest
///   where the 4 windows lie inside:  for ky: load each input under them once; sums += x * w
///   at the borders:                  each position by itself, padding left out of the sums
///   epilogue on the sums
/// </code>
/// With windows of 3 x 3 and stride 1 a thread reads 18 inputs and 9 weights for 36 multiply-adds of 4 features; rows above and below come
/// from the caches. Bound by memory: inputs and results once, 18 flops for each 8 bytes.
/// </content>
internal sealed partial class DepthwiseConvolutionLowering
{
    private const int Threads = 128;

    private LoweredKernel RunThreads(string name, Node fusion)
    {
        Dim[] outer = [.. _fusion.Hero.Shape.Take(_fusion.Hero.Rank - 2)];
        bool isWhole = _feature.Extent.IsStatic && _feature.Extent.Value % _lanes == 0;
        int lanes = _lanes = isWhole ? _lanes : 1;
        KExpr vectors = KBuilder.Value(Dim.FloorDiv(_feature.Extent, lanes));
        KExpr tiles = KBuilder.CeilDiv(KBuilder.Value(_width), PositionsPerTile);
        KExpr rows = KBuilder.Value(outer.Aggregate((Dim)1, (n, extent) => n * extent));
        var task = new KVariable("task", KType.Index);
        var thread = new KVariable("thread", KType.Index);
        KExpr count = KBuilder.Multiply(KBuilder.Multiply(rows, tiles), vectors);
        KExpr number = _b.Let("number", KBuilder.Add(KBuilder.Multiply(task, Threads), thread));
        _b.If(KBuilder.Less(number, count), () => _emitter.InScope(() =>
        {
            KExpr feature = _b.Let("c", KBuilder.Multiply(KBuilder.Remainder(number, vectors), lanes));
            KExpr rest = _b.Let("rest", KBuilder.Divide(number, vectors));
            KExpr x = _b.Let("x", KBuilder.Multiply(KBuilder.Remainder(rest, tiles), PositionsPerTile));
            BindRow(_b.Let("row", KBuilder.Divide(rest, tiles)), outer);
            _emitter.WithVector(_feature, feature, lanes, null, () => EmitPositions(x));
        }));
        LoweredKernel lowered = ToKernel(name, fusion, task, KBuilder.CeilDiv(count, Threads));
        var threads = new KThreads(thread, Threads) { TasksPerMultiprocessor = GpuTarget.TasksOf(Threads) };
        return lowered with { Kernel = lowered.Kernel with { Threads = threads } };
    }

    private void EmitPositions(KExpr x)
    {
        KExpr end = _b.Let("end", KBuilder.Minimum(KBuilder.Add(x, PositionsPerTile), KBuilder.Value(_width)));
        void Singles() => _b.For("single", x, end, 1, single => _emitter.InScope(() => EmitSingle(single)));
        if (_x.Size.Value > MostUnrolledPositions)
        {
            Singles();
            return;
        }
        KExpr isInside = KBuilder.Call(
            ScalarOp.And, KBuilder.Call(ScalarOp.LessOrEqual, KBuilder.Value(Inner.Begin), x),
            KBuilder.Call(ScalarOp.LessOrEqual, KBuilder.Add(x, PositionsPerTile), KBuilder.Value(Inner.End)));
        _b.If(isInside, () => _emitter.InScope(() => EmitTile(x)), () => _emitter.InScope(Singles));
    }
}
