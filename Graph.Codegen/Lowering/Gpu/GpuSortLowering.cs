namespace Graphene.Codegen;

/// <summary>
/// Lowers sort for a GPU: pieces of a line are sorted in shared memory, longer lines merged from such runs in passes through memory. Numbers
/// of elements are moved; the elements themselves follow in the end.
/// </summary>
/// <remarks>
/// <code>
/// runs:   task = (line, run of up to 2048)
///   elements -> shared memory;  order = 0, 1, 2, ..
///   bitonic network on order                              log2(n) (log2(n) + 1) / 2 steps, a barrier after each
///   elements in order -> results, or order -> memory where there are more runs
/// merges: task = (line, 1024 places), thread = 8 of them  one kernel for each doubling of the width
///   where the places begin in both runs by halving;  then merge 8
/// gather: thread = element
/// </code>
/// Stable: of two equal elements the one with the smaller number stands first, which makes the order total and the network right. One
/// comparison decides: the later element goes first when the comparator says that it must. The network does n log2(n)^2 / 4 comparisons
/// in shared memory, 66 steps for 2048; a pass reads and writes the order once and reads the elements where they lie.
/// </remarks>
internal sealed class GpuSortLowering
{
    private const int LongestRun = 2048;
    private const int MostThreads = 512;
    private const int MergeThreads = 128;
    private const int PlacesPerThread = 8;
    private const int SharedBytes = 48 << 10;
    private const long LongestLine = 1L << 40;

    private readonly Node _node;
    private readonly SortOp _op;
    private readonly Dim _length;
    private readonly int _run;

    private GpuSortLowering(Node node)
    {
        _node = node;
        _op = (SortOp)node.Op;
        _length = node.Types[0].Shape[_op.Dimension];
        int bytes = sizeof(int) + node.Types.Sum(t => t.DType.SizeInBytes());
        int most = LongestRun;
        while (most * bytes > SharedBytes)
        {
            most /= 2;
        }
        long longest = Math.Clamp(_length.Range.Max, 2, most);
        _run = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)longest);
    }

    private Dim Lines => _node.Types[0].Shape.Without([_op.Dimension]).ElementCount;

    private bool IsOneRun => _length.Range.Max <= _run;

    private DType OrderType => _length.Range.Max <= int.MaxValue ? DType.I32 : DType.I64;

    private KernelOperand.Workspace Workspace => new(Lines * _length * 2 * OrderType.SizeInBytes());

    /// <summary>The kernels of a sort node.</summary>
    public static IReadOnlyList<LoweredKernel> Lower(string name, Node node)
    {
        var lowering = new GpuSortLowering(node);
        if (lowering.IsOneRun)
        {
            return [lowering.Runs(name)];
        }
        List<LoweredKernel> kernels = [lowering.Runs(name + "_runs")];
        int pass = 0;
        for (long width = lowering._run; width < Math.Min(lowering._length.Range.Max, LongestLine); width *= 2)
        {
            kernels.Add(lowering.Merge(name + "_merge", width, pass++));
        }
        kernels.Add(lowering.Gather(name + "_gather"));
        return kernels;
    }

    private LoweredKernel Runs(string name)
    {
        var line = new Line(_node, _op);
        KBuilder b = line.B;
        int threads = Math.Clamp(_run / 2, KThreads.WarpSize, MostThreads);
        var thread = new KVariable("thread", KType.Index);
        var task = new KVariable("task", KType.Index);
        KBuffer? kept = IsOneRun ? null : line.Source.Arguments.Output("order", OrderType, Workspace);
        KExpr runs = KBuilder.CeilDiv(KBuilder.Value(_length), _run);
        KExpr number = b.Let("line", KBuilder.Divide(task, runs));
        KExpr first = b.Let("first", KBuilder.Multiply(KBuilder.Remainder(task, runs), _run));
        KExpr count = b.Let("count", KBuilder.Minimum(KBuilder.Subtract(KBuilder.Value(_length), first), _run));
        line.Bind(number);
        KBuffer order = Share(b, "numbers", DType.I32, _run);
        KBuffer[] elements = [.. _node.Types.Select(t => Share(b, "elements", t.DType, _run))];
        b.For("i", thread, _run, threads, i =>
        {
            b.Store(order, i, new KConvert(i, DType.I32));
            b.If(KBuilder.Less(i, count), () =>
            {
                for (int o = 0; o < elements.Length; o++)
                {
                    b.Store(elements[o], i, line.Load(o, KBuilder.Add(first, i)));
                }
            });
        });
        b.Add(new KBarrier());
        EmitNetwork(line, order, elements, thread, threads, count);
        b.For("i", thread, count, threads, i =>
        {
            KExpr from = b.Let("from", Number(order, i));
            if (kept is not null)
            {
                KExpr place = KBuilder.Add(KBuilder.Multiply(KBuilder.Multiply(number, 2), KBuilder.Value(_length)), KBuilder.Add(first, i));
                b.Store(kept, place, new KConvert(KBuilder.Add(first, from), OrderType));
                return;
            }
            for (int o = 0; o < elements.Length; o++)
            {
                line.Store(o, KBuilder.Add(first, i), b.Let("element", new KLoad(elements[o], from)));
            }
        });
        return line.Source.ToKernel(name, task, KBuilder.Multiply(KBuilder.Value(Lines), runs), new KThreads(thread, threads));
    }

    // Sequences of size elements rise and fall in turns; each round merges two into one that rises or falls.
    private void EmitNetwork(Line line, KBuffer order, KBuffer[] elements, KVariable thread, int threads, KExpr count)
    {
        KBuilder b = line.B;
        KRegister size = b.Declare("size", 2);
        b.While(KBuilder.Call(ScalarOp.LessOrEqual, new KRead(size), _run), () =>
        {
            KRegister distance = b.Declare("distance", KBuilder.Divide(new KRead(size), 2));
            b.While(KBuilder.Less(0, new KRead(distance)), () =>
            {
                KExpr apart = b.Let("apart", new KRead(distance));
                KExpr length = b.Let("length", new KRead(size));
                b.For("pair", thread, _run / 2, threads, pair => line.Source.Emitter.InScope(() =>
                {
                    KExpr inside = KBuilder.Remainder(pair, apart);
                    KExpr low = b.Let("low", KBuilder.Add(KBuilder.Multiply(KBuilder.Subtract(pair, inside), 2), inside));
                    KExpr high = b.Let("high", KBuilder.Add(low, apart));
                    EmitExchange(line, order, elements, low, high, KBuilder.Less(KBuilder.Remainder(low, KBuilder.Multiply(length, 2)), length), count);
                }));
                b.Add(new KBarrier());
                b.Assign(distance, KBuilder.Divide(apart, 2));
            });
            b.Assign(size, KBuilder.Multiply(new KRead(size), 2));
        });
    }

    private static void EmitExchange(Line line, KBuffer order, KBuffer[] elements, KExpr low, KExpr high, KExpr rises, KExpr count)
    {
        KBuilder b = line.B;
        KExpr a = b.Let("a", Number(order, low));
        KExpr c = b.Let("c", Number(order, high));
        KExpr earlier = b.Let("earlier", KBuilder.Minimum(a, c));
        KExpr later = b.Let("later", KBuilder.Maximum(a, c));
        KRegister laterFirst = b.Declare("laterFirst", new KConstant(Scalar.FromBool(false), 1));
        b.If(KBuilder.Less(later, count), () => line.Source.Emitter.InScope(() => b.Assign(laterFirst, line.Precedes(
            [.. elements.Select(e => (b.Let("left", new KLoad(e, later)), b.Let("right", new KLoad(e, earlier))))]))));
        KExpr first = b.Let("first", new KSelect(new KRead(laterFirst), later, earlier));
        KExpr second = b.Let("second", new KSelect(new KRead(laterFirst), earlier, later));
        KExpr isRising = b.Let("rises", rises);
        b.Store(order, low, new KConvert(new KSelect(isRising, first, second), DType.I32));
        b.Store(order, high, new KConvert(new KSelect(isRising, second, first), DType.I32));
    }

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

    private static KExpr Number(KBuffer order, KExpr place) =>
        order.Element == DType.I64 ? new KLoad(order, place) : new KConvert(new KLoad(order, place), DType.I64);

    private static KBuffer Share(KBuilder b, string name, DType element, long length)
    {
        KBuffer buffer = KBuffer.Shared(name, element, length);
        b.Add(new KScratch(buffer));
        return buffer;
    }

    /// <summary>A line of the operands in a kernel.</summary>
    private sealed class Line
    {
        private readonly Node _node;
        private readonly SortOp _op;
        private readonly IndexVariable[] _at;

        public Line(Node node, SortOp op)
        {
            (_node, _op) = (node, op);
            Source = new OperandSource(node);
            _at = [.. node.Types[0].Shape.Select((d, i) => Source.F.Variable($"i{i}", d))];
        }

        public OperandSource Source { get; }

        public KBuilder B => Source.B;

        public int Operands => _node.Operands.Length;

        public void Bind(KExpr number)
        {
            GpuElements.Bind(Source.Emitter, [.. _at.Where((_, axis) => axis != _op.Dimension)], number);
            Source.Emitter.Bind(_at[_op.Dimension], 0);
        }

        public KExpr Load(int operand, KExpr place) =>
            B.Let("element", new KLoad(Source.Inputs[operand], Position(_node.Operands[operand].Type, place)));

        public void Store(int operand, KExpr place, KExpr value) =>
            B.Store(Source.Outputs[operand], Position(_node.Types[operand], place), value);

        public KExpr Precedes((KExpr Left, KExpr Right)[] elements)
        {
            var arguments = new List<ScalarExpr>();
            foreach (KExpr e in elements.SelectMany(pair => new[] { pair.Left, pair.Right }))
            {
                ScalarExpr argument = Source.F.Placeholder(e.Type.Element);
                Source.Emitter.Bind(argument, e);
                arguments.Add(argument);
            }
            return Source.Emitter.Emit(Source.Apply(_op.Comparator, [.. arguments])[0]);
        }

        private KExpr Position(TensorType type, KExpr place)
        {
            AffineIndex index = AffineIndex.Of(IndexVector.From(_at), type);
            return KBuilder.Add(Source.Emitter.EmitPosition(index), KBuilder.Multiply(place, KBuilder.Value(index[_at[_op.Dimension]])));
        }
    }
}
