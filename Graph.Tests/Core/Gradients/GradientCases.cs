using static Graphene.Tests.Core.Gradients.GradientCase;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core.Gradients;

/// <summary>At least one use of every op that has a gradient.</summary>
internal static partial class GradientCases
{
    public static IEnumerable<GradientCase> All =>
        [.. Elementwise(), .. Pointwise(), .. Movement(), .. Indexed(), .. Products(), .. Windows(), .. Reductions(), .. Bodies()];

    private static readonly string[] PositiveDomain =
        ["log", "sqrt", "rsqrt", "cbrt", "power", "divide", "remainder", "atan2", "log_plus_one", "abs"];

    /// <summary>Normally distributed f64 elements.</summary>
    private static Literal X(int seed, params long[] shape) => Noise(shape, seed, DType.F64);

    /// <summary>Elements of at least a half.</summary>
    private static Literal Positive(int seed, params long[] shape)
    {
        Literal x = X(seed, shape);
        int next = 0;
        return Literal.Generate(x.Type, _ => Scalar.FromDouble(DType.F64, 0.5 + Math.Abs(x[next++].AsDouble)));
    }

    // Shapes differ from function to function, chosen by a seed.
    private static IEnumerable<GradientCase> Elementwise()
    {
        foreach ((int seed, ElementwiseFn fn) in ElementwiseTable.All.Where(fn => fn.Partials is not null).Index())
        {
            var random = new Random(seed);
            long[] shape = [.. Enumerable.Range(0, random.Next(0, 3)).Select(_ => (long)random.Next(1, 4))];
            bool isPositive = PositiveDomain.Contains(fn.Name);
            Literal[] inputs = [.. Enumerable.Range(0, fn.Arity).Select(
                i => isPositive ? Positive(seed + (50 * i), shape) : X(seed + (50 * i), shape))];
            yield return One(fn.Name, $"f64[{string.Join(",", shape)}]", inputs, (b, p) => b.Elementwise(fn, p)) with { Orders = 3 };
        }
        yield return One("power", "cube of any sign", [X(1, 4)], (b, p) => b.Power(p[0], b.Like(p[0], 3))) with { Orders = 3 };
        yield return One("maximum", "with a constant", [X(2, 5)], (b, p) => b.Maximum(p[0], b.Like(p[0], 0)));
    }

    private static IEnumerable<GradientCase> Pointwise()
    {
        Literal half = Literal.FromScalar(Scalar.FromDouble(DType.F64, 0.5));
        Literal low = Literal.FromScalar(Scalar.FromDouble(DType.F64, -0.4));
        yield return One("clamp", "scalar bounds", [low, X(1, 3, 4), half], (b, p) => b.Clamp(p[0], p[1], p[2]));
        yield return One("clamp", "tensor bounds", [X(2, 6), X(3, 6), X(4, 6)], (b, p) => b.Clamp(p[0], p[1], p[2]));
        Literal mask = Literal.Generate(new TensorType(DType.Bool, Shape.Of(2, 3)), at => Scalar.FromBool((at[0] + at[1]) % 2 == 0));
        yield return One("select", "mask", [mask, X(5, 2, 3), X(6, 2, 3)], (b, p) => b.Select(p[0], b.Sine(p[1]), p[2]));
        yield return One(
            "select", "scalar", [Literal.FromScalar(Scalar.FromBool(true)), X(5, 3), X(6, 3)], (b, p) => b.Select(p[0], p[1], p[2]));
        yield return One(
            "convert", "there and back", [X(7, 3)],
            (b, p) => b.Multiply(p[0], b.Convert(b.Convert(b.Floor(p[0]), DType.F32), DType.F64)));
    }

    private static IEnumerable<GradientCase> Movement()
    {
        yield return One("transpose", "rank 3", [X(1, 2, 3, 2)], (b, p) => Cube(b, b.Transpose(p[0], [2, 0, 1])));
        yield return One("reshape", "split", [X(1, 4, 3)], (b, p) => Cube(b, b.Reshape(p[0], Shape.Of(2, 6))));
        yield return One("reverse", "two of three", [X(1, 2, 3, 2)], (b, p) => Cube(b, b.Reverse(p[0], [2, 1])));
        yield return One(
            "broadcast_in_dim", "new, repeated and exchanged", [X(1, 1, 3)],
            (b, p) => Cube(b, b.BroadcastInDim(p[0], Shape.Of(3, 2, 4), [2, 0])));
        yield return One(
            "broadcast_in_dim", "exchanged only", [X(1, 2, 3)], (b, p) => Cube(b, b.BroadcastInDim(p[0], Shape.Of(3, 2), [1, 0])));
        yield return One("broadcast_in_dim", "scalar", [X(1)], (b, p) => Cube(b, b.BroadcastInDim(p[0], Shape.Of(2, 3), [])));
        yield return One("slice", "strided", [X(1, 5, 4)], (b, p) => Cube(b, b.Slice(p[0], [1, 0], [5, 3], [3, 2])));
        yield return One("slice", "nothing", [X(1, 3)], (b, p) => b.Slice(p[0], [2], [2]));
        yield return One(
            "concatenate", "three", [X(1, 2, 2), X(2, 2, 1), X(3, 2, 3)], (b, p) => Cube(b, b.Concatenate(p, 1)));
        yield return One(
            "pad", "around and between", [X(1, 2, 3), X(2)], (b, p) => Cube(b, b.Pad(p[0], p[1], [1, 0], [2, 1], [1, 2])));
        yield return One(
            "pad", "negative", [X(1, 4, 5), X(2)], (b, p) => Cube(b, b.Pad(p[0], p[1], [-1, 2], [1, -3], [2, 0])));
        yield return new(
            "optimization_barrier", "two", [X(1, 3), X(2, 2)], (b, p) => [.. b.OptimizationBarrier(p).Select(x => Cube(b, x))]);
        yield return One(
            "get_tuple_element", "second", [X(1, 3), X(2, 2)], (b, p) => Cube(b, b.OptimizationBarrier(p)[1]));
    }

    private static IEnumerable<GradientCase> Indexed()
    {
        Literal[] starts = [I32([], 1), I32([], 9)];
        yield return One(
            "dynamic_slice", "moved inside", [X(1, 4, 5), .. starts], (b, p) => Cube(b, b.DynamicSlice(p[0], p[1..], [2, 3])));
        yield return One(
            "dynamic_update_slice", "moved inside", [X(1, 4, 5), X(2, 2, 3), .. starts],
            (b, p) => Cube(b, b.DynamicUpdateSlice(p[0], p[1], p[2..])));
        yield return One("gather", "rows, some twice, some outside", [X(1, 4, 3), I32([5], 2, 0, 2, 9, -4)],
            (b, p) => Cube(b, b.Take(p[0], p[1], 0)));
        yield return One("gather", "columns by u64", [X(1, 2, 4), Literal.From<ulong>([3, ulong.MaxValue, 1], 3)],
            (b, p) => Cube(b, b.Take(p[0], p[1], 1)));
        yield return One(
            "gather", "windows", [X(1, 3, 4, 2), I64([2, 3, 2], 0, 0, 1, 0, 2, 1, 0, 1, 1, 1, 0, 9)],
            (b, p) => Cube(b, b.Gather(p[0], p[1], new GatherDimensions([2, 3], [0], [], [], [1, 0], 2), [1, 2, 2])));
        yield return One(
            "gather", "batching", [X(1, 2, 3, 2), I64([4, 2, 1], 0, 1, 2, 0, 1, 9, -4, 1)],
            (b, p) => Cube(b, b.Gather(p[0], p[1], new GatherDimensions([2], [1], [0], [1], [1], 2), [1, 1, 2])));
        yield return new("sort", "two together", [X(1, 3, 4), X(2, 3, 4)], (b, p) =>
            [.. b.Sort(p, 1, SortingComposites.Comparator([DType.F64, DType.F64], descending: true)).Select(x => Cube(b, x))]);
        yield return One("sort", "along the first axis", [X(1, 4, 2)], (b, p) => Cube(b, b.SortValues(p[0], 0)));
        foreach (GradientCase c in Scatters())
        {
            yield return c;
        }
    }

    private static IEnumerable<GradientCase> Scatters()
    {
        var rows = new ScatterDimensions([1], [0], [], [], [0], 1);
        var windows = new ScatterDimensions([1, 2], [], [], [], [0, 1], 1);
        Literal twice = I32([3, 1], 2, 0, 2);
        Literal outside = I32([3, 1], 2, -1, 9);
        foreach ((string name, ElementwiseFn fn) in
            new[] { ("sum", ElementwiseTable.Add), ("maximum", ElementwiseTable.Maximum), ("minimum", ElementwiseTable.Minimum) })
        {
            Computation body = ReductionBody.Of(fn, DType.F64);
            yield return One("scatter", $"{name}, one place twice", [X(1, 4, 2), twice, X(2, 3, 2)],
                (b, p) => Cube(b, b.Scatter(p[0], p[1], p[2], rows, body)));
            yield return One("scatter", $"{name}, some outside", [X(1, 4, 2), outside, X(2, 3, 2)],
                (b, p) => Cube(b, b.Scatter(p[0], p[1], p[2], rows, body)));
            yield return One("scatter", $"{name}, windows over the edge", [X(1, 4, 3), I32([2, 2], 1, 0, 3, -1), X(2, 2, 2, 2)],
                (b, p) => Cube(b, b.Scatter(p[0], p[1], p[2], windows, body)));
        }
        yield return One("scatter", "replaced, the last one counts", [X(1, 4, 2), twice, X(2, 3, 2)],
            (b, p) => Cube(b, b.Scatter(p[0], p[1], p[2], rows, Replace())));
        yield return One("scatter", "replaced, unique", [X(1, 4, 2), I32([2, 1], 3, 1), X(2, 2, 2)],
            (b, p) => Cube(b, b.Scatter(p[0], p[1], p[2], rows, Replace(), uniqueIndices: true)));
        yield return One("scatter", "replaced windows over the edge", [X(1, 4, 3), I32([2, 2], 1, 0, 3, -1), X(2, 2, 2, 2)],
            (b, p) => Cube(b, b.Scatter(p[0], p[1], p[2], windows, Replace())));
        yield return One("scatter", "product, unique", [X(1, 4, 2), I32([3, 1], 3, 1, 9), X(2, 3, 2)],
            (b, p) => Cube(b, b.Scatter(
                p[0], p[1], p[2], rows, ReductionBody.Of(ElementwiseTable.Multiply, DType.F64), uniqueIndices: true)));
    }

    private static Computation Replace()
    {
        var b = new GraphBuilder();
        b.Parameter(0, TensorType.Scalar(DType.F64));
        return b.Build("replace", [b.Parameter(1, TensorType.Scalar(DType.F64))]);
    }

    /// <summary>The cube, so that what a linear op gives on has derivatives of every order.</summary>
    private static Node Cube(GraphBuilder b, Node x) => b.Multiply(x, b.Multiply(x, x));
}
