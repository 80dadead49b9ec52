using Graphene.Tests.Codegen.KernelIr;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen;

/// <summary>
/// Features that are concatenated are written where the result has them, with and without a border, and nothing else
/// moves.
/// </summary>
internal sealed class BoxedPartTests
{
    private static readonly WindowDim Same = new(3, 1, 1, 1);
    private static readonly WindowDim One = new(1);

    [TestCase(DType.F32, 18, 33)]
    [TestCase(DType.F32, 64, 16)]
    [TestCase(DType.F64, 24, 40)]
    public void ConvolutionsWriteTheirFeatures(DType type, int few, int many)
    {
        Node[] Fire(GraphBuilder b, Node x)
        {
            Node squeezed = Active(b, Convolve(b, x, 16, One));
            Node joined = b.Concatenate([Active(b, Convolve(b, squeezed, few, One)), Active(b, Convolve(b, squeezed, many, Same))], 3);
            return [Convolve(b, joined, 20, One)];
        }

        AssertRuns(type, Fire, interpreted => Assert.That(
            Names(interpreted), Has.Exactly(1).EqualTo("loop"), "the border of the 3x3's input"));
    }

    [Test]
    public void ASkipGoesStraightInsideTheBorder()
    {
        Node[] Level(GraphBuilder b, Node x)
        {
            Node skip = Active(b, Convolve(b, x, 16, Same));
            Node pooled = b.MaxPool(skip, new PoolingOptions([2, 2]) { Strides = [2, 2], ChannelsLast = true });
            Node down = Convolve(b, pooled, 32, One);
            Node up = b.Reshape(
                b.BroadcastInDim(down, [down.Shape[0], down.Shape[1], 2, down.Shape[2], 2, 32], [0, 1, 3, 5]),
                [down.Shape[0], 2 * down.Shape[1], 2 * down.Shape[2], 32]);
            return [Convolve(b, b.Concatenate([b.Negate(up), skip], 3), 20, Same)];
        }

        AssertRuns(DType.F32, Level, interpreted => Assert.That(Names(interpreted), Has.Exactly(1).EqualTo("loop_border")));
    }

    [TestCase(32, 24)]
    [TestCase(17, 40)]
    public void WorkOnJoinedFeaturesIsDonePieceByPiece(int few, int many)
    {
        Node[] Dense(GraphBuilder b, Node x)
        {
            Node joined = b.Concatenate([Convolve(b, x, few, One), Convolve(b, x, many, One)], 3);
            Node scale = b.BroadcastInDim(b.Constant(Numbers(x.DType, joined.Shape[3].Value)), joined.Shape, [3]);
            Node scaled = Active(b, b.Multiply(joined, scale));
            return [Convolve(b, scaled, 20, One), scaled];
        }

        AssertRuns(DType.F32, Dense, interpreted => Assert.That(Names(interpreted), Has.Exactly(1).EqualTo("loop")));
    }

    [TestCase(0)]
    [TestCase(2)]
    public void WhatIsSortedIsCopiedBesideWhatIsConvolved(int border)
    {
        Node[] Mixed(GraphBuilder b, Node x)
        {
            Node sorted = b.Sort([Convolve(b, x, 32, One)], 3, SortingComposites.Comparator([DType.F32], descending: false))[0];
            Node joined = b.Concatenate([sorted, Active(b, Convolve(b, x, 24, Same)), b.Reverse(sorted, [1])], 3);
            return [Convolve(b, joined, 20, new WindowDim(1 + border, 1, border, 0))];
        }

        AssertRuns(DType.F32, Mixed, _ => { });
    }

    private static void AssertRuns(DType type, Func<GraphBuilder, Node, Node[]> write, Action<InterpretedModule> check)
    {
        Literal x = Numbers(type, 2, 10, 14, 5);
        Module known = CompiledModule.Build(b => write(b, b.Parameter(0, x.Type)));
        Module fed = CompiledModule.Build(b => write(b, b.Parameter(0, x.Type with { Shape = [Dim.Symbol("images", 1, 64), 10, 14, 5] })));

        Literal[] expected = Evaluator.Evaluate(known.Entry, [x]); // sums of small integers, which are exact

        var interpreted = new InterpretedModule(known);
        Assert.Multiple(() =>
        {
            for (int i = 0; i < expected.Length; i++)
            {
                LiteralAssert.AreEqual(interpreted.Run([x])[i], expected[i], "interpreted");
                LiteralAssert.AreEqual(CompiledModule.Run(known, [x], 1)[i], expected[i], "one thread");
                LiteralAssert.AreEqual(CompiledModule.Run(known, [x], 2)[i], expected[i], "two threads");
                LiteralAssert.AreEqual(CompiledModule.Run(fed, [x], 2)[i], expected[i], "fed");
            }
            check(interpreted);
        });
    }

    private static IEnumerable<string> Names(InterpretedModule module) => module.Kernels.Select(k => k.Name);

    private static Node Active(GraphBuilder b, Node y) =>
        b.Maximum(y, b.BroadcastInDim(b.Constant(Scalar.FromDouble(y.DType, 0)), y.Shape, []));

    private static Node Convolve(GraphBuilder b, Node x, int features, WindowDim window) => b.Add(
        new ConvolutionOp(ConvolutionDimensions.ChannelsLast(2), [window, window], 1, 1, x.DType), x,
        b.Constant(Numbers(x.DType, window.Size.Value, window.Size.Value, x.Shape[^1].Value, features)));

    private static Literal Numbers(DType type, params long[] shape)
    {
        var random = new Random(shape.Length);
        return Literal.Generate(new TensorType(type, Shape.Of(shape)), _ => Scalar.FromDouble(type, random.Next(-2, 3)));
    }
}
