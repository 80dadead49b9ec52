using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core.Gradients;

/// <summary>Holds gradients of every order against central differences in f64, and forward mode against reverse mode.</summary>
internal static class GradientCheck
{
    private const double Tolerance = 1e-6;
    private const double Step = 1e-5;

    /// <summary>Each order's gradients are the differences of the order before it.</summary>
    public static void AgainstDifferences(GradientCase c)
    {
        var b = new GraphBuilder();
        Node[] parameters = [.. c.Inputs.Select((x, i) => b.Parameter(i, x.Type))];
        int[] floating = [.. Enumerable.Range(0, parameters.Length).Where(i => parameters[i].DType.IsFloating())];
        Node[] xs = [.. floating.Select(i => parameters[i])];
        Node value = Weighted(b, c.Build(b, parameters), 100);
        for (int order = 1; order <= c.Orders; order++)
        {
            Node?[] found = ReverseMode.Run(b, [value], [b.Like(value, 1)], xs);
            Node[] gradients = [.. found.Select((g, i) => g ?? b.Like(xs[i], 0))];
            Assert.That(gradients.Select(g => g.Type), Is.EqualTo(xs.Select(x => x.Type)), $"{c}, order {order}");
            Computation function = b.Build("value", [value]);
            Computation derivative = b.Build("gradients", gradients);
            Assert.That(Verifier.Check(derivative), Is.Empty, $"{c}, order {order}");
            Compare(c, order, function, Evaluator.Evaluate(derivative, c.Inputs), floating);
            if (order < c.Orders)
            {
                value = Weighted(b, gradients, 100 + order);
            }
        }
    }

    /// <summary>The product of a cotangent with the derivative along a tangent is the same from either side.</summary>
    public static void ForwardAgainstReverse(GradientCase c)
    {
        var b = new GraphBuilder();
        Node[] parameters = [.. c.Inputs.Select((x, i) => b.Parameter(i, x.Type))];
        Node[] xs = [.. parameters.Where(p => p.DType.IsFloating())];
        Node[] ys = [.. c.Build(b, parameters).Where(y => y.DType.IsFloating())];
        Node[] tangents = [.. xs.Select((x, i) => b.Constant(Noise(x.Shape.ToStatic(), 200 + i, x.DType)))];
        Node[] cotangents = [.. ys.Select((y, i) => b.Constant(Noise(y.Shape.ToStatic(), 300 + i, y.DType)))];
        Node?[] forward = ForwardMode.Run(b, ys, xs, tangents);
        Node?[] reverse = ReverseMode.Run(b, ys, cotangents, xs);
        Computation both = b.Build(
            "both", [Inner(b, forward, cotangents), Inner(b, reverse, tangents)]);
        Assert.That(Verifier.Check(both), Is.Empty, c.ToString());
        Literal[] products = Evaluator.Evaluate(both, c.Inputs);
        (double f, double r) = (products[0][0].AsDouble, products[1][0].AsDouble);
        Assert.That(Distance(f, r), Is.LessThan(1e-9), $"{c}: forward {f}, reverse {r}");
    }

    private static void Compare(GradientCase c, int order, Computation function, Literal[] gradients, int[] floating)
    {
        for (int i = 0; i < floating.Length; i++)
        {
            double[] x = c.Inputs[floating[i]].ToDoubles();
            for (int k = 0; k < x.Length; k++)
            {
                double expected = (ValueAt(c, function, floating[i], k, Step) - ValueAt(c, function, floating[i], k, -Step)) / (2 * Step);
                double actual = gradients[i][k].AsDouble;
                Assert.That(
                    Distance(actual, expected), Is.LessThan(Tolerance),
                    $"{c}, order {order}: by element {k} of input {floating[i]} it is {actual}, differences give {expected}");
            }
        }
    }

    private static double ValueAt(GradientCase c, Computation function, int input, int element, double step)
    {
        Literal[] inputs = [.. c.Inputs];
        int position = 0;
        Literal at = inputs[input];
        inputs[input] = Literal.Generate(at.Type, _ =>
        {
            Scalar present = at[position];
            return position++ == element ? Scalar.FromDouble(at.DType, present.AsDouble + step) : present;
        });
        return Evaluator.Evaluate(function, inputs)[0][0].AsDouble;
    }

    // One number that every element of every floating result has a part in.
    private static Node Weighted(GraphBuilder b, Node[] results, int seed) => Inner(
        b, [.. results.Where(r => r.DType.IsFloating())],
        [.. results.Where(r => r.DType.IsFloating()).Select((r, i) => b.Constant(Noise(r.Shape.ToStatic(), seed + i, r.DType)))]);

    private static Node Inner(GraphBuilder b, Node?[] left, Node[] right)
    {
        Node sum = b.Constant(DType.F64, 0);
        for (int i = 0; i < left.Length; i++)
        {
            if (left[i] is { } x)
            {
                Node product = b.Multiply(b.Convert(x, DType.F64), b.Convert(right[i], DType.F64));
                sum = b.Add(sum, b.ReduceSum(product, null, keepDims: false));
            }
        }
        return sum;
    }

    private static double Distance(double x, double y) =>
        Math.Abs(x - y) / Math.Max(1, Math.Max(Math.Abs(x), Math.Abs(y)));
}
