using System.Numerics;

namespace Graphene.Codegen;

/// <content>
/// Windows that slide along the fastest dimension of the results: pooling with features first. A block of rows is reduced down the
/// window's other dimensions first, into a row of scratch with a border of what stands for padding, and along it afterwards.
/// <code>
/// for row in block                                       3x3, steps of two
///   for place by lanes                                   inside of the operand: nothing is asked there
///     down[row][1 + place] = max of three rows           those that are outside are left out
/// for row in block
///   for column by lanes
///     a0, a1 = even and odd of down[row][2 column ..]    a2 = even of down[row][2 column + 2 ..]
///     result[row][column ..] = max(a0, a1, a2)
/// </code>
/// A place is reduced once for all windows that it is under, and vectors lie together in memory whatever the step is. The largest and
/// the smallest do not depend on the order; a sum's order is this one where the window is a few elements wide. With features last, lanes
/// are features, a place is as many of them as a task takes, and only what does not depend on the order is reduced like this.
/// </content>
public sealed partial class LoopNestLowering
{
    // What a block of rows takes of the nearest cache, which has its rows of the operands to hold besides.
    private const int BytesOfWindows = 8 * 1024;

    // A row of windows in one piece, where it is not longer. Features are cut first.
    private const int MostPlaces = 1024;
    private const int MostElementsOfPlaces = 4096;
    private const int MostFeatures = 64;

    private KExpr? TryEmitWindows(LoopPlan plan, KVariable task)
    {
        if (_target.Gpu is not null || VectorLanes() < 2 || plan.Serial.Count > 0)
        {
            return null;
        }
        LoopGroup[] rows = [.. plan.Outer.SkipLast(1)];
        if (plan.Inner is { } inner)
        {
            return TryEmitWindows(inner, null, plan.Outer, task)
                ?? (plan.Outer.Count > 0 ? TryEmitWindows(plan.Outer[^1], inner, rows, task) : null);
        }

        // Many elements that lie together would be reduced in lanes of their own, each as often as windows overlap.
        return plan.Outer.Count > 0 && _roots.All(r => r.Own.Count == 0)
            ? TryEmitWindows(plan.Outer[^1], null, rows, task, onlyOverlapping: true)
            : null;
    }

    // Windows along one loop, in lanes of it or of the features inside of it.
    private KExpr? TryEmitWindows(
        LoopGroup along, LoopGroup? features, IReadOnlyList<LoopGroup> outer, KVariable task, bool onlyOverlapping = false)
    {
        int lanes = VectorLanes();
        SlidingWindow[] windows = [.. _nest.Loops.Distinct().Select(loop => SlidingWindow.TryFind(
            loop, along.Last, (features ?? along).Last, _analysis, _source.Factory)).OfType<SlidingWindow>()];
        bool overlap = windows.Length == _nest.Loops.Distinct().Count() && windows.All(w => w.Stride < w.Taps);
        if (windows.Length == 0 || (onlyOverlapping && !overlap) || along.Extent == 0 || features?.Extent == 0)
        {
            return null;
        }
        long unit = features is null ? 1 : features.Extent.IsStatic ? Math.Min(features.Extent.Value, MostFeatures) : MostFeatures;
        long pitch = features is null ? 1 : DimMath.CeilDiv(unit, lanes) * lanes;
        long places = features is null ? MostPlaces : MostElementsOfPlaces / pitch;
        int step = features is null ? lanes : 1;
        long most = windows.Min(w => (places - w.Reach) / w.Stride / step * step);
        if (most <= 0)
        {
            return null;
        }
        long columns = along.Extent.IsStatic ? Math.Min(most, along.Extent.Value) : most;
        long down = windows.Sum(w => w.Stride * w.Others.Aggregate(1L, (n, v) => n * (v.Extent.IsStatic ? v.Extent.Value : 1)));
        long perRow = columns * unit * (down + windows.Sum(w => w.Taps));
        long rowsPerTask = RowsOf(Math.Max(1, ElementsPerTask / Math.Max(1, perRow)));
        DownRow[] rows = [.. windows.Select(w => new DownRow(w, columns, lanes, features is null ? 0 : pitch))];
        long rowsInBlock = Math.Clamp(BytesOfWindows / rows.Sum(r => r.Pitch * r.Type.SizeInBytes()), 1, rowsPerTask);
        foreach (DownRow row in rows)
        {
            row.Buffer = _b.Scratch("down", row.Type, row.Pitch * rowsInBlock);
        }
        KExpr count = KBuilder.Value(outer.Aggregate((Dim)1, (n, g) => n * g.Extent));
        (KExpr rest, KExpr tiles, Piece? lane) = (task, 1, null);
        if (features is not null)
        {
            lane = Cut(features, unit);
        }
        Piece column = Cut(along, columns);
        KExpr begin = _b.Let("begin", KBuilder.Multiply(rest, rowsPerTask));
        KExpr end = _b.Let("end", KBuilder.Minimum(KBuilder.Add(begin, rowsPerTask), count));
        foreach (DownRow row in rows)
        {
            EmitBorder(row, column.First, column.Count, rowsInBlock);
        }
        _b.For("block", begin, end, rowsInBlock, block =>
        {
            KExpr last = rowsInBlock == 1
                ? KBuilder.Add(block, 1)
                : _b.Let("last", KBuilder.Minimum(KBuilder.Add(block, rowsInBlock), end));
            EachRow(block, last, row => Array.ForEach(rows, down => EmitDown(down, row, lane)));
            EachRow(block, last, row =>
            {
                _emitter.Hoist(_nest.Elements, [.. along.Members, .. features?.Members ?? []]);
                if (lane is null)
                {
                    EachVector(column, lanes, (i, width) => EmitResults(row, i, 0, width));
                    return;
                }
                _b.For("column", 0, column.Count, 1, i => _emitter.InScope(() =>
                {
                    _emitter.Bind(along.Last, KBuilder.Add(column.First, i));
                    _emitter.Hoist(_nest.Elements, lane.Group.Members);
                    EachVector(lane, lanes, (feature, width) => EmitResults(row, i, feature, width));
                }));
            });
        });
        return KBuilder.Multiply(KBuilder.CeilDiv(count, rowsPerTask), tiles);

        void EmitResults(KExpr row, KExpr column, KExpr feature, int width)
        {
            Array.ForEach(rows, down => EmitAlong(down, row, column, feature, width));
            StoreAll(_roots);
        }

        void EachRow(KExpr first, KExpr last, Action<KExpr> body) => _b.For("row", first, last, 1, row => _emitter.InScope(() =>
        {
            _emitter.BindRow(outer, row);
            body(_b.Let("place", KBuilder.Subtract(row, first)));
        }));

        // What a task takes of a loop.
        Piece Cut(LoopGroup group, long most)
        {
            foreach (IndexVariable member in group.Members.SkipLast(1))
            {
                _emitter.Bind(member, 0);
            }
            KExpr extent = KBuilder.Value(group.Extent);
            KExpr pieces = KBuilder.CeilDiv(extent, most);
            if (pieces is KConstant { Value: var one } && one.AsInteger == 1)
            {
                return new Piece(group, 0, extent);
            }
            KExpr first = _b.Let("first", KBuilder.Multiply(KBuilder.Remainder(rest, pieces), most));
            (rest, tiles) = (_b.Let("rest", KBuilder.Divide(rest, pieces)), KBuilder.Multiply(tiles, pieces));
            return new Piece(group, first, _b.Let("count", KBuilder.Minimum(most, KBuilder.Subtract(extent, first))));
        }
    }

    private void EachVector(Piece piece, int lanes, Action<KExpr, int> body, bool mayRepeat = false)
    {
        int width = LanesFor(piece.Count, lanes);
        _b.ForVectors(
            0, piece.Count, width, (i, mask) => _emitter.WithVector(
                piece.Group.Last, KBuilder.Add(piece.First, i), width, mask, () => body(i, width)),
            mayRepeat);
    }

    // Rows that are shorter than a vector take half of one, or less.
    private static int LanesFor(KExpr count, int lanes) => count is KConstant { Value.AsInteger: var known } && known < lanes
        ? (int)Math.Max(2, BitOperations.RoundUpToPowerOf2((ulong)known))
        : lanes;

    // Places outside of the operand, in all rows of a block.
    private void EmitBorder(DownRow down, KExpr firstColumn, KExpr columns, long rows)
    {
        SlidingWindow window = down.Window;
        KExpr first = KBuilder.Multiply(firstColumn, window.Stride);
        KExpr places = _b.Let("places", KBuilder.Add(
            KBuilder.Multiply(KBuilder.Subtract(columns, 1), window.Stride), window.Reach + 1));
        (KExpr begin, KExpr end) = (0, places);
        foreach (AffineIndex index in window.Bounds.Where(window.IsAlong).Select(b => b.Index))
        {
            KExpr rest = KBuilder.Value(index.Constant);
            if (index[window.Tap].Value > 0)
            {
                begin = KBuilder.Maximum(begin, KBuilder.Subtract(KBuilder.Subtract(0, rest), first));
            }
            else
            {
                end = KBuilder.Minimum(end, KBuilder.Subtract(KBuilder.Add(rest, 1), first));
            }
        }
        down.Begin = _b.Let("inside", KBuilder.Minimum(begin, places));
        down.End = _b.Let("outside", KBuilder.Maximum(down.Begin, end));
        down.First = _b.Let("first", first);
        if (down.Begin is KConstant { Value.AsBool: false } && down.End.Equals(places))
        {
            return;
        }
        var padding = new KConstant(Convert(window.Initial, down.Type), down.Lanes);
        _b.For("row", 0, rows, 1, row =>
        {
            KExpr start = _b.Let("start", KBuilder.Multiply(row, down.Pitch));
            Fill(0, KBuilder.Multiply(down.Begin, down.Unit));
            Fill(KBuilder.Multiply(down.End, down.Unit), KBuilder.Multiply(places, down.Unit));

            // The last vector may go on into what is written later, or never read.
            void Fill(KExpr from, KExpr to) =>
                _b.For("i", from, to, down.Lanes, i => _b.Store(down.Buffer!, KBuilder.Add(start, i), padding));
        });

        static Scalar Convert(Scalar value, DType type) => value.DType == type ? value : Scalar.FromDouble(type, value.AsDouble);
    }

    // Some values of a counter.
    private sealed record Piece(LoopGroup Group, KExpr First, KExpr Count);

    // A row of scratch for each row of a block; features are the elements of a place, 0 where lanes are places.
    private sealed class DownRow(SlidingWindow window, long columns, int lanes, long features)
    {
        public SlidingWindow Window => window;

        public int Lanes => lanes;

        public DType Type => window.Function.Identity.DType;

        public bool LanesAreFeatures => features > 0;

        public long Unit => Math.Max(1, features);

        // Vectors that are read or written whole go on behind the last place.
        public long Pitch { get; } = features > 0
            ? ((((columns - 1) * window.Stride) + window.Reach + 1) * features) + lanes
            : DimMath.CeilDiv(((columns + lanes) * window.Stride) + window.Reach + lanes, 16) * 16;

        // A maximum or minimum of an element and this is the element.
        public Scalar Neutral => window.Function.Op == ScalarOp.Minimum
            ? Scalar.Highest(window.Initial.DType)
            : Scalar.Lowest(window.Initial.DType);

        public KBuffer? Buffer { get; set; }

        // The places that are inside of the operand, counted from the first one.
        public KExpr? Begin { get; set; }

        public KExpr? End { get; set; }

        public KExpr? First { get; set; }
    }
}
