using NUnit.Framework;

namespace Graphene.Tests.Support;

/// <summary>Builds a few nodes over constants and evaluates them on the reference evaluator; their text must read back.</summary>
internal static class Evaluation
{
    public static Literal F32(ReadOnlySpan<long> shape, params ReadOnlySpan<float> elements) => Literal.From(elements, shape);

    public static Literal I32(ReadOnlySpan<long> shape, params ReadOnlySpan<int> elements) => Literal.From(elements, shape);

    public static Literal I64(ReadOnlySpan<long> shape, params ReadOnlySpan<long> elements) => Literal.From(elements, shape);

    /// <summary>The elements 0, 1, 2, ... times a factor, plus an offset.</summary>
    public static Literal Ramp(ReadOnlySpan<long> shape, float factor = 1, float offset = 0)
    {
        var type = new TensorType(DType.F32, Shape.Of(shape));
        int next = 0;
        return Literal.Generate(type, _ => Scalar.FromDouble(DType.F32, (next++ * factor) + offset));
    }

    /// <summary>Normally distributed elements from a seed.</summary>
    public static Literal Noise(ReadOnlySpan<long> shape, int seed, DType type = DType.F32)
    {
        var random = new Random(seed);
        return Literal.Generate(
            new TensorType(type, Shape.Of(shape)),
            _ => Scalar.FromDouble(
                type, Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())));
    }

    /// <summary>Integers from -3 to 3, the same for each shape of a rank: their sums of products are exact, in any order.</summary>
    public static Literal SmallIntegers(params ReadOnlySpan<long> shape)
    {
        var random = new Random(shape.Length);
        return Literal.Generate(new TensorType(DType.F32, Shape.Of(shape)), _ => Scalar.FromDouble(DType.F32, random.Next(-3, 4)));
    }

    public static Literal[] All(Func<GraphBuilder, IReadOnlyList<Node>> build)
    {
        var b = new GraphBuilder();
        Computation computation = b.Build("test", build(b));
        string text = Printer.Print(computation);
        Assert.That(Printer.Print(Parser.ParseComputation(text)), Is.EqualTo(text), "text that is read back prints the same");
        return Evaluator.Evaluate(computation, []);
    }

    public static Literal One(Func<GraphBuilder, Node> build) => All(b => [build(b)])[0];

    public static float[] Floats(Func<GraphBuilder, Node> build) => One(build).As<float>().ToArray();
}
