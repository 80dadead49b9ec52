using NUnit.Framework;

namespace Graphene.Tests.Core.Gradients;

/// <summary>A cotangent has the element type of its value, whatever types meet on the way.</summary>
internal sealed class ElementTypeTests
{
    private static readonly DType[] Floating = [DType.F16, DType.BF16, DType.F32, DType.F64];

    private static IEnumerable<ElementwiseFn> Functions => ElementwiseTable.All.Where(fn => fn.Partials is not null);

    [TestCaseSource(nameof(Functions))]
    public void FunctionsKeepTheType(ElementwiseFn fn)
    {
        foreach (DType type in Floating)
        {
            var tensor = new TensorType(type, Shape.Of(2, 3));
            AssertTypes(
                [.. Enumerable.Repeat(tensor, fn.Arity)], (b, p) => b.Elementwise(fn, p), $"{fn} of {type.Name()}");
        }
    }

    [Test]
    public void ProductsWithAWiderResult()
    {
        foreach (DType type in (DType[])[DType.BF16, DType.F16])
        {
            AssertTypes(
                [new(type, Shape.Of(2, 3)), new(type, Shape.Of(3, 4))],
                (b, p) => b.DotGeneral(p[0], p[1], [], [], [1], [0], DType.F32), "dot_general");
            AssertTypes(
                [new(type, Shape.Of(1, 5, 2)), new(type, Shape.Of(3, 2, 4))],
                (b, p) => b.Convolution(
                    p[0], p[1], ConvolutionDimensions.ChannelsLast(1), [new WindowDim(3)], resultType: DType.F32), "convolution");
        }
    }

    [Test]
    public void ConversionsConvertBack() => AssertTypes(
        [new(DType.F32, Shape.Of(3)), new(DType.BF16, Shape.Of(3))],
        (b, p) => b.Multiply(b.Convert(p[0], DType.BF16), p[1]), "convert");

    [Test]
    public void NormalizationsInHalfPrecision() => AssertTypes(
        [new(DType.BF16, Shape.Of(4, 8))], (b, p) => b.Softmax(b.Gelu(p[0])), "softmax");

    private static void AssertTypes(TensorType[] types, Func<GraphBuilder, Node[], Node> build, string name)
    {
        var b = new GraphBuilder();
        Node[] parameters = [.. types.Select((t, i) => b.Parameter(i, t))];
        Node y = build(b, parameters);
        Node?[] gradients = ReverseMode.Run(b, [y], [b.Like(y, 1)], parameters);
        Assert.That(gradients.Select(g => g?.Type), Is.EqualTo(types), name);
        Node?[] tangents = ForwardMode.Run(b, [y], parameters, [.. parameters.Select(p => b.Like(p, 1))]);
        Assert.That(tangents[0]?.Type, Is.EqualTo(y.Type), name);
        Assert.That(Verifier.Check(b.Build("all", [.. gradients.OfType<Node>(), .. tangents.OfType<Node>()])), Is.Empty, name);
    }
}
