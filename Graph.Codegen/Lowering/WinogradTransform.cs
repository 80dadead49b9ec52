namespace Graphene.Codegen;

/// <summary>
/// Winograd's minimal filtering F(m x m, 3 x 3) in Kernel IR: y = A^T ((G g G^T) * (B^T d B)) A turns a patch d of m + 2 by m + 2 elements
/// and a kernel g into m by m results, with one product for each of the (m + 2)^2 positions.
/// </summary>
/// <remarks>
/// <para>
/// Convolving is multiplying polynomials; they are evaluated at m + 1 points and at infinity, multiplied point by point, and interpolated
/// (Toom and Cook; transposed, as a filter needs it). The points are 0 and pairs p, -p. With M(x) = x times all (x^2 - p^2):
/// </para>
/// <code>
/// row of B^T at a point p     coefficients of M(x) / (x - p)          at infinity those of M
/// row of G at a point p       1, p, p^2, over M'(p)                   at infinity 0, 0, 1
/// row of A^T for result k     p^k at each point p                     at infinity 1 for the last result, else 0
/// </code>
/// <para>
/// A pair shares its even and its odd powers, so a row of 6 takes 12 multiply-adds into the points and 12 instructions back. The order of
/// steps is fixed: rows of a patch first, then columns.
/// </para>
/// </remarks>
internal sealed class WinogradTransform
{
    private readonly double[] _points; // the positive one of each pair

    private WinogradTransform(params double[] points) => _points = points;

    /// <summary>F(2 x 2, 3 x 3).</summary>
    public static WinogradTransform Two { get; } = new(1);

    /// <summary>F(4 x 4, 3 x 3). Of the pairs with short fractions these err least: see docs/benchmarks/notes.md.</summary>
    public static WinogradTransform Four { get; } = new(0.625, 1.5);

    /// <summary>The side of a tile of results.</summary>
    public int Tile => 2 * _points.Length;

    /// <summary>The side of a patch.</summary>
    public int Patch => Tile + 2;

    /// <summary>The number of products for each pair of features.</summary>
    public int Positions => Patch * Patch;

    /// <summary>The transform with tiles of a side.</summary>
    /// <param name="tile">2 or 4.</param>
    public static WinogradTransform Of(int tile) => tile switch
    {
        2 => Two,
        4 => Four,
        _ => throw new CompilerBugException("winograd lowering", $"no tiles of {tile} x {tile}"),
    };

    /// <summary>The matrix G.</summary>
    public double[,] Weights()
    {
        var g = new double[Patch, 3];
        double[] points = [0, .. _points.SelectMany(p => new[] { p, -p })];
        for (int i = 0; i < points.Length; i++)
        {
            double product = points.Where((_, j) => j != i).Aggregate(1.0, (all, p) => all * (points[i] - p));
            (g[i, 0], g[i, 1], g[i, 2]) = (1 / product, points[i] / product, points[i] * points[i] / product);
        }
        g[Patch - 1, 2] = 1;
        return g;
    }

    /// <summary>Writes B^T d B.</summary>
    /// <param name="b">The kernel.</param>
    /// <param name="read">A vector of the patch, by row and column.</param>
    /// <param name="write">Takes a vector, by row and column.</param>
    public void EmitInput(KBuilder b, Func<int, int, KExpr> read, Action<int, int, KExpr> write) =>
        Emit(Patch, Patch, Patch, x => IntoPoints(b, x), read, write, "d", b);

    /// <summary>Writes A^T m A.</summary>
    /// <param name="b">The kernel.</param>
    /// <param name="read">A vector of sums, by row and column of the patch.</param>
    /// <param name="write">Takes a vector of results, by row and column of the tile.</param>
    public void EmitOutput(KBuilder b, Func<int, int, KExpr> read, Action<int, int, KExpr> write) =>
        Emit(Patch, Tile, Tile, x => FromPoints(b, x), read, write, "m", b);

    // All columns, then all rows of what that gave.
    private static void Emit(
        int size, int rows, int columns, Func<KExpr[], KExpr[]> transform, Func<int, int, KExpr> read, Action<int, int, KExpr> write,
        string name, KBuilder b)
    {
        var half = new KExpr[size][];
        for (int column = 0; column < size; column++)
        {
            half[column] = transform([.. Enumerable.Range(0, size).Select(row => b.Let(name, read(row, column)))]);
        }
        for (int row = 0; row < rows; row++)
        {
            KExpr[] whole = transform([.. half.Select(column => column[row])]);
            for (int column = 0; column < columns; column++)
            {
                write(row, column, whole[column]);
            }
        }
    }

    private KExpr[] IntoPoints(KBuilder b, KExpr[] d)
    {
        var v = new KExpr[Patch];
        double[] all = InSquares(_points);
        v[0] = Combine(b, all, i => d[2 * i]);
        v[^1] = Combine(b, all, i => d[(2 * i) + 1]);
        for (int pair = 0; pair < _points.Length; pair++)
        {
            double[] others = InSquares(_points.Where((_, i) => i != pair));
            KExpr even = Combine(b, others, i => d[(2 * i) + 2]);
            KExpr odd = Combine(b, others, i => d[(2 * i) + 1]);
            v[(2 * pair) + 1] = AddMultiple(b, odd, _points[pair], even);
            v[(2 * pair) + 2] = AddMultiple(b, odd, -_points[pair], even);
        }
        return v;
    }

    private KExpr[] FromPoints(KBuilder b, KExpr[] m)
    {
        var y = new KExpr[Tile];
        (KExpr Even, KExpr Odd)[] pairs = [.. _points.Select((_, i) => (
            b.Let("even", KBuilder.Add(m[(2 * i) + 1], m[(2 * i) + 2])), b.Let("odd", KBuilder.Subtract(m[(2 * i) + 1], m[(2 * i) + 2]))))];
        for (int k = 0; k < y.Length; k++)
        {
            KExpr? sum = k == 0 ? m[0] : null;
            for (int i = 0; i < pairs.Length; i++)
            {
                KExpr term = k % 2 == 0 ? pairs[i].Even : pairs[i].Odd;
                double power = Math.Pow(_points[i], k);
                sum = sum is not null ? AddMultiple(b, term, power, sum)
                    : power == 1 ? term
                    : b.Let("y", KBuilder.Multiply(term, Number(power, term)));
            }
            y[k] = k == y.Length - 1 ? b.Let("y", KBuilder.Add(sum!, m[^1])) : sum!;
        }
        return y;
    }

    // The coefficients of the product of all (x - p^2), without the first, which is 1: lowest power first.
    private static double[] InSquares(IEnumerable<double> points)
    {
        double[] polynomial = [1];
        foreach (double p in points)
        {
            double[] next = new double[polynomial.Length + 1];
            for (int i = 0; i < polynomial.Length; i++)
            {
                next[i + 1] += polynomial[i];
                next[i] -= polynomial[i] * p * p;
            }
            polynomial = next;
        }
        return polynomial[..^1];
    }

    // The element for the highest power, plus multiples of those for the others.
    private static KExpr Combine(KBuilder b, double[] coefficients, Func<int, KExpr> element)
    {
        KExpr sum = element(coefficients.Length);
        for (int i = coefficients.Length - 1; i >= 0; i--)
        {
            sum = AddMultiple(b, element(i), coefficients[i], sum);
        }
        return sum;
    }

    private static KExpr AddMultiple(KBuilder b, KExpr x, double factor, KExpr y) => b.Let("t", factor switch
    {
        1 => KBuilder.Add(y, x),
        -1 => KBuilder.Subtract(y, x),
        _ => KBuilder.FusedMultiplyAdd(x, Number(factor, x), y),
    });

    private static KConstant Number(double value, KExpr like) => new(Scalar.FromDouble(like.Type.Element, value), like.Type.Lanes);
}
