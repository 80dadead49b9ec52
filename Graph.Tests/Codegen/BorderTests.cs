using Graphene.Tests.Codegen.KernelIr;
using Graphene.Tests.Support;
using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Codegen;

/// <summary>Convolutions that write their results inside the border of the next one: the border is there, and nothing else moves.</summary>
internal sealed class BorderTests
{
    private static readonly WindowDim Same = new(3, 1, 1, 1);

    // Image, kernels' windows: rows and columns of the second convolution.
    private static IEnumerable<TestCaseData> Images =>
    [
        new TestCaseData(new long[] { 2, 9, 13 }, Same, Same).SetArgDisplayNames("all sides"),
        new TestCaseData(new long[] { 1, 12, 20 }, Same, new WindowDim(3)).SetArgDisplayNames("rows only"),
        new TestCaseData(new long[] { 3, 7, 21 }, new WindowDim(1), Same).SetArgDisplayNames("columns only"),
        new TestCaseData(new long[] { 2, 11, 17 }, new WindowDim(3, 1, 2, 0), new WindowDim(5, 1, 0, 3))
            .SetArgDisplayNames("unequal sides"),
        new TestCaseData(new long[] { 1, 15, 40 }, new WindowDim(3, 2, 4, 5), new WindowDim(3, 2, 1, 1))
            .SetArgDisplayNames("wider than the kernel"),
    ];

    [TestCaseSource(nameof(Images))]
    public void TheNextConvolutionFindsItsBorder(long[] image, WindowDim rows, WindowDim columns)
    {
        Literal x = SmallIntegers([.. image, 5]);
        Module known = Chain(x.Shape, rows, columns);
        Module fed = Chain([Dim.Symbol("images", 1, 64), image[1], Dim.Symbol("width", 1, 4096), 5], rows, columns);

        Literal expected = Evaluator.Evaluate(known.Entry, [x])[0]; // sums of small integers, which are exact

        var interpreted = new InterpretedModule(known);
        LiteralAssert.AreEqual(interpreted.Run([x])[0], expected, "interpreted");
        LiteralAssert.AreEqual(CompiledModule.Run(known, [x], 2)[0], expected);
        LiteralAssert.AreEqual(CompiledModule.Run(fed, [x], 2)[0], expected, "fed");
        Assert.That(
            interpreted.Kernels.Select(k => k.Name),
            Has.Exactly(1).EqualTo("convolution_border").And.Exactly(2).EqualTo("convolution"));
    }

    [Test]
    public void AResultThatIsNeededWithoutItsBorderHasNone()
    {
        Literal x = SmallIntegers(1, 9, 13, 5);
        Module module = CompiledModule.Build(b =>
        {
            Node y = Active(b, b.Parameter(0, x.Type));
            return [Convolve(b, y, 7, Same, Same), y];
        });

        var interpreted = new InterpretedModule(module);
        Assert.That(interpreted.Kernels.Select(k => k.Name), Has.None.EqualTo("convolution_border"));
        Assert.That(CompiledModule.Run(module, [x]), Is.EqualTo(Evaluator.Evaluate(module.Entry, [x])).Using<Literal>(
            (actual, expected) => actual.ToDoubles().SequenceEqual(expected.ToDoubles())));
    }

    private static Module Chain(Shape image, WindowDim rows, WindowDim columns) => CompiledModule.Build(b =>
    {
        Node active = Active(b, b.Parameter(0, new TensorType(DType.F32, image)));
        return [Convolve(b, active, 7, rows, columns)];
    });

    private static Node Active(GraphBuilder b, Node x)
    {
        Node y = Convolve(b, x, 18, Same, Same);
        return b.Maximum(y, b.BroadcastInDim(b.Constant(Scalar.FromDouble(DType.F32, 0)), y.Shape, []));
    }

    private static Node Convolve(GraphBuilder b, Node x, int features, WindowDim rows, WindowDim columns) => b.Add(
        new ConvolutionOp(ConvolutionDimensions.ChannelsLast(2), [rows, columns], 1, 1, DType.F32), x,
        b.Constant(SmallIntegers(rows.Size.Value, columns.Size.Value, x.Shape[^1].Value, features)));
}
