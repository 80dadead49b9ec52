namespace Graphene.Codegen;

/// <summary>
/// Lowers sort for a GPU: pieces of a line are sorted in shared memory, longer lines merged from such runs in passes
/// through memory. Numbers of elements are moved; the elements themselves follow in the end.
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
internal sealed partial class GpuSortLowering
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
                KExpr begin = KBuilder.Multiply(KBuilder.Multiply(number, 2), KBuilder.Value(_length));
                KExpr place = KBuilder.Add(begin, KBuilder.Add(first, i));
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
                    KExpr isRising = KBuilder.Less(KBuilder.Remainder(low, KBuilder.Multiply(length, 2)), length);
                    EmitExchange(line, order, elements, low, high, isRising, count);
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
