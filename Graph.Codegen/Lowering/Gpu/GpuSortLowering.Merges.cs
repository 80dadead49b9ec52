namespace Graphene.Codegen;

/// <content>Merging sorted runs of lines that are longer than shared memory holds.</content>
internal sealed partial class GpuSortLowering
{
    private LoweredKernel Merge(string name, long width, int pass)
    {
        var line = new Line(_node, _op);
        KBuilder b = line.B;
        var thread = new KVariable("thread", KType.Index);
        var task = new KVariable("task", KType.Index);
        KBuffer order = line.Source.Arguments.Output("order", OrderType, Workspace);
        const int PerTask = MergeThreads * PlacesPerThread;
        KExpr length = KBuilder.Value(_length);
        KExpr tasks = KBuilder.CeilDiv(length, PerTask);
        KExpr number = b.Let("line", KBuilder.Divide(task, tasks));
        line.Bind(number);
        KExpr place = b.Let("place", KBuilder.Add(
            KBuilder.Multiply(KBuilder.Remainder(task, tasks), PerTask), KBuilder.Multiply(thread, PlacesPerThread)));
        b.If(KBuilder.Less(place, length), () =>
        {
            KExpr both = b.Let("both", KBuilder.Multiply(number, KBuilder.Multiply(length, 2)));
            KExpr from = b.Let("from", KBuilder.Add(both, pass % 2 == 0 ? 0 : length));
            KExpr to = b.Let("to", KBuilder.Add(both, pass % 2 == 0 ? length : 0));
            KExpr begin = b.Let("begin", KBuilder.Multiply(KBuilder.Divide(place, 2 * width), 2 * width));
            KExpr middle = b.Let("middle", KBuilder.Minimum(KBuilder.Add(begin, width), length));
            KExpr end = b.Let("end", KBuilder.Minimum(KBuilder.Add(begin, 2 * width), length));
            EmitMerge(line, order, from, to, place, begin, middle, end);
        });
        KExpr needed = KBuilder.Minimum(KBuilder.Divide(KBuilder.Subtract(length, 1), width), 1);
        KExpr count = KBuilder.Multiply(KBuilder.Multiply(KBuilder.Value(Lines), tasks), needed);
        return line.Source.ToKernel(name, task, count, new KThreads(thread, MergeThreads));
    }

    private static void EmitMerge(
        Line line, KBuffer order, KExpr from, KExpr to, KExpr place, KExpr begin, KExpr middle, KExpr end)
    {
        KBuilder b = line.B;
        KExpr before = b.Let("before", KBuilder.Subtract(place, begin));
        KExpr lefts = KBuilder.Subtract(middle, begin);
        KExpr rights = KBuilder.Subtract(end, middle);
        KRegister low = b.Declare("low", KBuilder.Maximum(KBuilder.Subtract(before, rights), 0));
        KRegister high = b.Declare("high", KBuilder.Minimum(before, lefts));
        b.While(KBuilder.Less(new KRead(low), new KRead(high)), () => line.Source.Emitter.InScope(() =>
        {
            KExpr half = b.Let("half", KBuilder.Divide(KBuilder.Add(new KRead(low), new KRead(high)), 2));
            KExpr right = KBuilder.Subtract(KBuilder.Add(middle, KBuilder.Subtract(before, half)), 1);
            KExpr rightFirst = b.Let("rightFirst", RightFirst(line, order, from, right, KBuilder.Add(begin, half)));
            b.If(rightFirst, () => b.Assign(high, half), () => b.Assign(low, KBuilder.Add(half, 1)));
        }));
        KRegister l = b.Declare("l", KBuilder.Add(begin, new KRead(low)));
        KRegister r = b.Declare("r", KBuilder.Add(middle, KBuilder.Subtract(before, new KRead(low))));
        KExpr last = b.Let("last", KBuilder.Minimum(KBuilder.Add(place, PlacesPerThread), end));
        b.For("o", place, last, 1, o => line.Source.Emitter.InScope(() =>
        {
            KRegister takeRight = b.Declare("takeRight", KBuilder.Less(new KRead(r), end));
            KExpr areBoth = KBuilder.Call(ScalarOp.And, new KRead(takeRight), KBuilder.Less(new KRead(l), middle));
            b.If(areBoth, () => line.Source.Emitter.InScope(
                () => b.Assign(takeRight, RightFirst(line, order, from, new KRead(r), new KRead(l)))));
            KExpr taken = b.Let("taken", new KSelect(new KRead(takeRight), new KRead(r), new KRead(l)));
            b.Store(order, KBuilder.Add(to, o), b.Let("number", new KLoad(order, KBuilder.Add(from, taken))));
            KExpr step = b.Let("step", new KConvert(new KRead(takeRight), DType.I64));
            b.Assign(r, KBuilder.Add(new KRead(r), step));
            b.Assign(l, KBuilder.Add(new KRead(l), KBuilder.Subtract(1, step)));
        }));
    }

    private static KExpr RightFirst(Line line, KBuffer order, KExpr from, KExpr right, KExpr left)
    {
        KExpr r = line.B.Let("number", Number(order, KBuilder.Add(from, right)));
        KExpr l = line.B.Let("number", Number(order, KBuilder.Add(from, left)));
        return line.Precedes([.. Enumerable.Range(0, line.Operands).Select(o => (line.Load(o, r), line.Load(o, l)))]);
    }

    private LoweredKernel Gather(string name)
    {
        var line = new Line(_node, _op);
        KBuilder b = line.B;
        KBuffer order = line.Source.Arguments.Input("order", OrderType, Workspace);
        KExpr length = KBuilder.Value(_length);
        KExpr passes = 0;
        for (long width = _run; width < Math.Min(_length.Range.Max, LongestLine); width *= 2)
        {
            passes = KBuilder.Add(passes, KBuilder.Minimum(KBuilder.Divide(KBuilder.Subtract(length, 1), width), 1));
        }
        return GpuElements.Kernel(name, line.Source, [Lines, _length], at =>
        {
            KExpr number = line.Source.Emitter.Emit(at[0]);
            KExpr i = line.Source.Emitter.Emit(at[1]);
            line.Bind(number);
            KExpr half = KBuilder.Add(KBuilder.Multiply(number, 2), KBuilder.Remainder(passes, 2));
            KExpr from = b.Let("from", Number(order, KBuilder.Add(KBuilder.Multiply(half, length), i)));
            for (int o = 0; o < line.Operands; o++)
            {
                line.Store(o, i, line.Load(o, from));
            }
        });
    }
}
