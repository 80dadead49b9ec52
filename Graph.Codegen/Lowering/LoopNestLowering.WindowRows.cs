namespace Graphene.Codegen;

/// <content>A row of places, and the row of windows over them.</content>
public sealed partial class LoopNestLowering
{
    // More rounds than this are not written one by one.
    private const int MostRoundsInLine = 32;

    // What lies at each place that is inside, reduced over the window's other dimensions.
    private void EmitDown(DownRow down, KExpr row, Piece? lane)
    {
        SlidingWindow window = down.Window;
        IndexVariable other = window.Counter == window.Tap ? window.Along : window.Tap;
        KExpr start = _b.Let("start", KBuilder.Multiply(row, down.Pitch));
        (IndexVariable Counter, KExpr Begin, KExpr End)[] ranges = [.. window.Others.Select(counter =>
        {
            IEnumerable<WindowBound> bounds = window.Bounds.Where(b => b.OnlyOneOf(window.Others) == counter);
            (KExpr begin, KExpr end) = _emitter.EmitRange(counter, bounds);
            return (counter, begin, end);
        })];
        Int128 rounds = ranges.Aggregate(
            (Int128)1, (n, r) => r.Counter.Extent.IsStatic ? n * r.Counter.Extent.Value : MostRoundsInLine + 1);
        KExpr[] outside = [.. ranges.SelectMany(
            r => new[] { Differs(r.Begin, 0), Differs(r.End, KBuilder.Value(r.Counter.Extent)) }).OfType<KExpr>()];
        if (rounds > MostRoundsInLine)
        {
            Rows(inLine: false);
        }
        else if (outside.Length == 0)
        {
            Rows(inLine: true);
        }
        else
        {
            _b.If(outside.Aggregate((a, b) => KBuilder.Call(ScalarOp.Or, a, b)), () => Rows(inLine: false), () => Rows(inLine: true));
        }

        void Rows(bool inLine)
        {
            if (lane is not null)
            {
                _b.For("place", down.Begin!, down.End!, 1, place => _emitter.InScope(() =>
                {
                    _emitter.Bind(window.Counter, KBuilder.Add(down.First!, place));
                    _emitter.Bind(other, 0);
                    KExpr at = _b.Let("at", KBuilder.Add(start, KBuilder.Multiply(place, down.Unit)));
                    EachVector(lane, down.Lanes, (i, width) => _b.Store(
                        down.Buffer!, KBuilder.Add(at, i), inLine ? InLine(0, width)! : InRounds(width), _emitter.Mask), mayRepeat: true);
                }));
                return;
            }
            int width = LanesFor(KBuilder.Subtract(down.End!, down.Begin!), down.Lanes);
            _b.ForVectors(
                down.Begin!, down.End!, width, (place, mask) => _emitter.WithVector(
                    window.Counter, KBuilder.Add(down.First!, place), width, mask, () =>
                    {
                        _emitter.Bind(other, 0);
                        _b.Store(down.Buffer!, KBuilder.Add(start, place), inLine ? InLine(0, width)! : InRounds(width), mask);
                    }),
                mayRepeat: true);
        }

        KExpr Element(int width) => window.Function.Widen(KBuilder.Broadcast(_emitter.Emit(window.Element), width));

        KExpr? InLine(int depth, int width, KExpr? so = null)
        {
            if (depth == ranges.Length)
            {
                KExpr element = Element(width);
                return so is null ? element : _b.Let("down", window.Function.Combine(so, element));
            }
            for (long i = 0; i < ranges[depth].Counter.Extent.Value; i++)
            {
                _emitter.InScope(() =>
                {
                    _emitter.Bind(ranges[depth].Counter, i);
                    so = InLine(depth + 1, width, so);
                });
            }
            return so;
        }

        KRead InRounds(int width)
        {
            KRegister register = _b.Declare("down", new KConstant(window.Function.Identity, width));
            Round(0);
            return new KRead(register);

            void Round(int depth)
            {
                if (depth == ranges.Length)
                {
                    _b.Assign(register, window.Function.Combine(new KRead(register), Element(width)));
                    return;
                }
                _b.For("r", ranges[depth].Begin, ranges[depth].End, 1, r => _emitter.InScope(() =>
                {
                    _emitter.Bind(ranges[depth].Counter, r);
                    Round(depth + 1);
                }));
            }
        }

        static KExpr? Differs(KExpr a, KExpr b) => a.Equals(b) ? null : KBuilder.Call(ScalarOp.NotEqual, a, b);
    }

    // The windows that begin at a vector of columns.
    private void EmitAlong(DownRow down, KExpr row, KExpr column, KExpr feature, int lanes)
    {
        SlidingWindow window = down.Window;
        long stride = down.LanesAreFeatures ? 1 : window.Stride;
        long distance = window.Dilation * down.Unit;
        KExpr at = _b.Let("at", KBuilder.Add(
            KBuilder.Add(KBuilder.Multiply(row, down.Pitch), KBuilder.Multiply(column, window.Stride * down.Unit)), feature));
        var parts = new Dictionary<long, KExpr[]>();
        KExpr joined;
        if (window.Taps <= MostRoundsInLine)
        {
            joined = window.Join(Enumerable.Range(0, (int)window.Taps).Select(tap => _b.Let("along", Place(tap * distance))));
        }
        else
        {
            KRegister register = _b.Declare("along", Place(0));
            _b.For("tap", 1, window.Taps, 1, tap =>
            {
                KExpr first = KBuilder.Add(at, KBuilder.Multiply(tap, distance));
                KExpr next = stride == 1
                    ? new KLoad(down.Buffer!, first, lanes)
                    : new KGather(down.Buffer!, new KRamp(first, stride, lanes));
                _b.Assign(register, window.Function.Combine(new KRead(register), next));
            });
            joined = new KRead(register);
        }
        KExpr total = window.Function.Round(joined);
        bool isWhole = window.Function.Op != ScalarOp.Add && window.Initial == down.Neutral;
        _emitter.BindLoop(window.Loop, _b.Let("window", isWhole
            ? total
            : ExprEmitter.EmitCall(window.Function.Op, [KBuilder.Broadcast(_emitter.Emit(window.Loop.Initial[0]), lanes), total])));

        // One element of each step, so far behind the first.
        KExpr Place(long far)
        {
            if (stride > SlidingWindow.MostStep)
            {
                return new KGather(down.Buffer!, new KRamp(KBuilder.Add(at, far), stride, lanes));
            }
            (long steps, long phase) = Math.DivRem(far, stride);
            if (!parts.TryGetValue(steps, out KExpr[]? vectors))
            {
                vectors = [.. Enumerable.Range(0, (int)stride).Select(part => _b.Let("part", new KLoad(
                    down.Buffer!, KBuilder.Add(at, (steps * stride) + (part * lanes)), lanes)))];
                parts.Add(steps, vectors);
            }
            return StridedLanes(vectors, (int)phase);
        }
    }

    // Every s-th element of s vectors.
    private KExpr StridedLanes(KExpr[] parts, int phase)
    {
        int lanes = parts[0].Type.Lanes;
        KExpr mixed = parts[0];
        for (int part = 1; part < parts.Length; part++)
        {
            mixed = _b.Let("mixed", new KShuffle(new KJoin(mixed, parts[part]), Enumerable.Range(0, lanes).Select(lane =>
            {
                (int from, int place) = Math.DivRem((lane * parts.Length) + phase, lanes);
                return from == part ? lanes + place : from > part ? 0 : part == 1 ? place : lane;
            }).ToValueList()));
        }
        return mixed;
    }
}
