namespace Graphene.Codegen;

// A convolution whose input has a border of zeros: each tile leaves out the taps that read nothing else.
//
//   y = 0           the first of three kernel rows lies in the border     ky from 1 to 3
//   y = 1 ... 12                                                           ky from 0 to 3
//   y = 13          the last one does                                      ky from 0 to 2
//
// That is a tenth of a 3x3 convolution over 7x7 positions, and most of one whose taps lie apart by as much as its input is wide. It asks for
// tiles that do not reach from one row of the image into the next, which divide its width. No bit changes, see BorderTaps.
internal sealed partial class MatrixProductLowering
{
    // A loop whose rounds are known is unrolled; for fewer products than this a tap is not worth losing that.
    private const long FewestProductsOfTap = 32;

    private readonly Dictionary<int, double> _shareOfTaps = [];
    private List<BorderLoop>? _borders;
    private (KExpr Begin, KExpr End)?[]? _inside;

    // The dimensions that have loops of their own over taps; those whose taps and features are one run of memory have none.
    private List<BorderLoop> Borders => _borders ??= FindBorders();

    // Tiles of so many rows each lie in one row of the image: consecutive positions of the last row counter, a fixed distance apart.
    private bool IsAligned(int rows) =>
        _fusion.Pooling is null && _rows.Count > 1 && _rows[^1].Extent is { IsStatic: true, Value: var width } && width % rows == 0 && rows > 1;

    // Whole tiles begin at multiples of their rows, what is left over wherever they end.
    private bool IsInOneRow(TileRows rows) => rows.End is null && rows.Count == _tileRows && IsAligned(_tileRows);

    private List<BorderLoop> FindBorders()
    {
        var borders = new List<BorderLoop>();
        foreach (BorderTaps taps in _narrow is null ? _product.Borders : [])
        {
            int depth = _depth.FindIndex(
                g => g.Members.Contains(taps.Tap) && g.Members.All(m => ReferenceEquals(m, taps.Tap) || m.Extent == 1));
            int row = _rows.FindIndex(g => g.Members.Contains(taps.Row));
            if (depth >= 0 && row >= 0 && Count(_depth.Skip(depth + 1)).Range.Min >= FewestProductsOfTap)
            {
                IEnumerable<IndexVariable> members = _rows[row].Members.SkipWhile(m => !ReferenceEquals(m, taps.Row)).Skip(1);
                Dim inner = members.Aggregate((Dim)1, (product, m) => product * m.Extent);
                bool isFirst = _rows[row].Members.TakeWhile(m => !ReferenceEquals(m, taps.Row)).All(m => m.Extent == 1);
                if (inner.IsStatic && isFirst)
                {
                    borders.Add(new BorderLoop(taps, depth, row, inner.Value));
                }
            }
        }
        return borders;
    }

    // The taps that are not all border for a tile, for each group of k; null for all of them.
    private (KExpr Begin, KExpr End)?[]? TapsInside(TileRows rows, KExpr[][] counters)
    {
        if (Borders.Count == 0)
        {
            return null;
        }
        var inside = new (KExpr Begin, KExpr End)?[_depth.Count];
        foreach ((BorderTaps taps, int depth, int row, long inner) in Borders)
        {
            KExpr Position(KExpr[] own) => inner == 1 ? own[row] : _b.Let("position", KBuilder.Divide(own[row], inner));
            (KExpr begin, KExpr end) = taps.Inside(Position(counters[0]), Position(counters[^1]));
            for (int outer = 0; outer < row && !IsInOneRow(rows); outer++)
            {
                KExpr isOne = _b.Let("one", KBuilder.Call(ScalarOp.Equal, counters[0][outer], counters[^1][outer]));
                begin = new KSelect(isOne, begin, 0);
                end = new KSelect(isOne, end, taps.Tap.Extent.Value);
            }
            inside[depth] = (_b.Let("tap0", begin), _b.Let("tap1", end));
        }
        return inside;
    }

    // How much of the products tiles of so many rows do not leave out. Images of a batch are alike.
    private double ShareOfTaps(int rows)
    {
        if (!_shareOfTaps.TryGetValue(rows, out double share))
        {
            share = CountTaps(rows);
            _shareOfTaps.Add(rows, share);
        }
        return share;
    }

    private double CountTaps(int rows)
    {
        int first = Borders.Select(t => t.Row).DefaultIfEmpty(0).Min();
        if (Borders.Count == 0 || _rows.Skip(first).Any(g => !g.Extent.IsStatic))
        {
            return 1;
        }
        long Product(int from) => _rows.Skip(from).Aggregate(1L, (product, g) => product * g.Extent.Value);
        long[] inner = [.. Borders.Select(t => Product(t.Row + 1) * t.Inner)];
        long[] outer = [.. Borders.Select(t => Product(t.Row))];
        long positions = Product(first);
        double sum = 0;
        for (long begin = 0; begin < positions; begin += rows)
        {
            long last = Math.Min(begin + rows, positions) - 1;
            double left = 1;
            for (int i = 0; i < inner.Length; i++)
            {
                BorderTaps taps = Borders[i].Taps;
                if (begin / outer[i] == last / outer[i])
                {
                    (long from, long to) = taps.Inside(begin % outer[i] / inner[i], last % outer[i] / inner[i]);
                    left *= (double)Math.Max(0, to - from) / taps.Tap.Extent.Value;
                }
            }
            sum += left;
        }
        return sum / DimMath.CeilDiv(positions, rows);
    }

    // A dimension with its group of k, its group of rows, and how many rows of that share a position.
    private sealed record BorderLoop(BorderTaps Taps, int Depth, int Row, long Inner);
}
