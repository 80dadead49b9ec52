using Graphene.Codegen;
using Graphene.Optimizer;
using Graphene.Tests.Codegen.KernelIr;
using Graphene.Tests.Support;
using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Codegen;

/// <summary>
/// A maximum over windows that lie side by side is taken of a convolution's values while they are in registers: one kernel, and the
/// values of two, on every machine and for every number of images.
/// </summary>
internal sealed class PooledConvolutionTests
{
    private static readonly WindowDim Whole = new(3);

    private static IEnumerable<TestCaseData> Machines =>
    [
        new TestCaseData(new KernelTarget(128, 8, CacheSizes.Typical)).SetArgDisplayNames("128 bits, 8 registers"),
        new TestCaseData(new KernelTarget(128, 32, CacheSizes.Typical)).SetArgDisplayNames("128 bits, 32 registers"),
        new TestCaseData(new KernelTarget(128, 16, CacheSizes.Typical) { MostSums = 2, UnrolledSteps = 1 })
            .SetArgDisplayNames("two sums"),
        new TestCaseData(new KernelTarget(256, 16, CacheSizes.Typical)).SetArgDisplayNames("256 bits"),
        new TestCaseData(new KernelTarget(512, 32, CacheSizes.Typical)).SetArgDisplayNames("512 bits"),
        new TestCaseData(new KernelTarget(512, 32, CacheSizes.Typical) { HalvesVectors = true })
            .SetArgDisplayNames("512 bits in halves"),
        new TestCaseData(new KernelTarget(256, 16, new CacheSizes(4 << 10, 4, 16 << 10))).SetArgDisplayNames("small caches"),
    ];

    // Sizes of the window. Images of 11 by 14 leave a row or a column over.
    private static IEnumerable<TestCaseData> Windows =>
        from size in new[] { (2, 2), (1, 2), (2, 1), (4, 1), (1, 4) }
        from features in new[] { 6, 16, 40 }
        select new TestCaseData(size.Item1, size.Item2, features)
            .SetArgDisplayNames($"{size.Item1} x {size.Item2}", $"{features} features");

    [TestCaseSource(nameof(Windows))]
    public void WindowsAreOneKernelWithTheConvolution(int rows, int columns, int features)
    {
        Literal x = SmallIntegers(2, 13, 16, 5);
        Module module = Model(x.Shape, features, Side(rows), Side(columns));
        Literal expected = Evaluator.Evaluate(module.Entry, [x])[0]; // sums of small integers, which are exact

        var interpreted = new InterpretedModule(module);
        Assert.That(interpreted.Kernels.Select(k => k.Name), Is.EqualTo(new[] { "convolution" }));
        LiteralAssert.AreEqual(interpreted.Run([x])[0], expected, "interpreted");
        LiteralAssert.AreEqual(CompiledModule.Run(module, [x], 1)[0], expected);
        LiteralAssert.AreEqual(CompiledModule.Run(module, [x], 2)[0], expected, "two threads");
    }

    [TestCaseSource(nameof(Machines))]
    public void EveryMachineDoes(KernelTarget machine)
    {
        foreach (int features in new[] { 6, 24 })
        {
            Literal x = SmallIntegers(3, 13, 16, 5);
            Module module = Model(x.Shape, features, Side(2), Side(2));
            LiteralAssert.AreEqual(
                new InterpretedModule(module, machine).Run([x])[0], Evaluator.Evaluate(module.Entry, [x])[0], $"{features} features");
        }
    }

    [Test]
    public void AnyNumberOfImagesDoes([Values(1, 2)] int columns)
    {
        Module any = Model([Dim.Symbol("images", 1, 64), 7, 10, 5], 24, Side(2), Side(columns));
        var interpreted = new InterpretedModule(any);
        Assert.That(interpreted.Kernels.Select(k => k.Name), Is.EqualTo(new[] { "convolution" }));
        foreach (int images in new[] { 1, 3, 4 })
        {
            Literal x = SmallIntegers(images, 7, 10, 5);
            Module known = Model(x.Shape, 24, Side(2), Side(columns));
            LiteralAssert.AreEqual(CompiledModule.Run(any, [x])[0], Evaluator.Evaluate(known.Entry, [x])[0], $"{images} images");
        }
    }

    [Test]
    public void MinimaAndOtherBeginningsDo()
    {
        Literal x = SmallIntegers(2, 9, 9, 5);
        foreach ((ElementwiseFn fn, double first) in
            new[] { (ElementwiseTable.Minimum, double.PositiveInfinity), (ElementwiseTable.Maximum, 7) })
        {
            Module module = Module(x.Shape, (b, y) =>
                b.ReduceWindow(y, b.Constant(Scalar.FromDouble(DType.F32, first)), [new(1), Side(2), Side(2), new(1)], fn));
            Assert.That(new InterpretedModule(module).Kernels.Count(), Is.EqualTo(1), fn.Name);
            LiteralAssert.AreEqual(CompiledModule.Run(module, [x])[0], Evaluator.Evaluate(module.Entry, [x])[0], fn.Name);
        }
    }

    [Test]
    public void NotANumberStays()
    {
        Literal x = Literal.Generate(
            new TensorType(DType.F32, [1, 8, 8, 5]), at => Scalar.FromDouble(DType.F32, at[1] == 3 ? double.NaN : at[2]));
        Module module = Model(x.Shape, 16, Side(2), Side(2));
        LiteralAssert.AreEqual(CompiledModule.Run(module, [x])[0], Evaluator.Evaluate(module.Entry, [x])[0]);
    }

    [Test]
    public void TilesWhoseResultsLieApartHoldNoWindows()
    {
        var apart = new WindowDim(3, 1, 2, 2, Dilation: 2);
        var convolution = new WinogradTests.Convolution([1, 16, 16], 48, 48, apart, apart);
        Literal x = Noise(convolution.Input, 1);
        Literal values = CompiledModule.Run(convolution.Build((_, _, y) => y), [x])[0];
        Module alone = CompiledModule.Build(b => [Pool(b, b.Parameter(0, values.Type), Side(2), Side(2))]);

        Module module = convolution.Build((b, _, y) => Pool(b, y, Side(2), Side(2)));
        var interpreted = new InterpretedModule(module, KernelTarget.Of(GraphCompiler.Cpu().Target));
        Assert.That(interpreted.Kernels.Select(k => k.Name), Has.Some.EqualTo("convolution_tiles").And.Some.EqualTo("loop"));
        LiteralAssert.AreEqual(CompiledModule.Run(module, [x])[0], Evaluator.Evaluate(alone.Entry, [values])[0]);
    }

    // Tiles of Winograd's results hold whole windows. Values are those without pooling.
    [Test]
    public void TilesHoldWindowsOfTwo([Values(1, 2)] int rows, [Values(1, 2)] int columns, [Values(2, 4)] int tile)
    {
        if (rows * columns == 1)
        {
            Assert.Ignore("a window of one value is none");
        }
        var same = new WindowDim(3, 1, 1, 1);
        var convolution = tile == 2
            ? new WinogradTests.Convolution([2, 17, 15], 40, 48, same, same)
            : new WinogradTests.Convolution([2, 27, 26], 16, 43, same, same);
        WinogradTiles largest = tile == 2 ? WinogradTiles.TwoByTwo : WinogradTiles.FourByFour;
        OptimizerOptions options = OptimizerOptions.Default with { Winograd = largest };
        Literal x = Noise(convolution.Input, 1);
        Assert.That(WinogradForm.TileOf(convolution.Op, x.Type, convolution.Kernel, largest), Is.EqualTo(tile));
        Literal values = CompiledModule.Run(convolution.Build((b, _, y) => Active(b, y)), [x], options)[0];
        Module alone = CompiledModule.Build(b => [Pool(b, b.Parameter(0, values.Type), Side(rows), Side(columns))]);
        Literal expected = Evaluator.Evaluate(alone.Entry, [values])[0];

        Node Epilogue(GraphBuilder b, Node x, Node y) => Pool(b, Active(b, y), Side(rows), Side(columns));
        Module module = convolution.Build(Epilogue);
        var interpreted = new InterpretedModule(module, KernelTarget.Of(GraphCompiler.Cpu().Target), options);
        Assert.That(interpreted.Kernels.Select(k => k.Name).Distinct(), Is.EqualTo(new[] { "convolution_patches", "convolution_tiles" }));
        LiteralAssert.AreEqual(interpreted.Run([x])[0], expected, "interpreted");
        LiteralAssert.AreEqual(CompiledModule.Run(module, [x], options, 2)[0], expected);
        Module any = convolution.Build(Epilogue, Dim.Symbol("images", 1, 8));
        LiteralAssert.AreEqual(CompiledModule.Run(any, [x], options)[0], expected, "any number of images");
    }

    // The residual is read for each value of a window, and the border is that of the next convolution.
    [Test]
    public void ResidualsComeBeforeAndBordersAfter()
    {
        Literal x = SmallIntegers(2, 12, 16, 18);
        Literal residual = SmallIntegers(2, 10, 14, 18);
        var same = new WindowDim(3, 1, 1, 1);
        Module module = CompiledModule.Build(b =>
        {
            Node y = b.Add(Convolve(b, b.Parameter(0, x.Type), 18, Whole), b.Parameter(1, residual.Type));
            return [Convolve(b, Pool(b, y, Side(2), Side(2)), 7, same)];
        });
        var interpreted = new InterpretedModule(module);

        Assert.That(interpreted.Kernels.Select(k => k.Name), Is.EqualTo(new[] { "convolution_border", "convolution", "convolution" }));
        Literal expected = Evaluator.Evaluate(module.Entry, [x, residual])[0];
        LiteralAssert.AreEqual(interpreted.Run([x, residual])[0], expected, "interpreted");
        LiteralAssert.AreEqual(CompiledModule.Run(module, [x, residual], 2)[0], expected);
    }

    [Test]
    public void OtherWindowsAreKernelsOfTheirOwn()
    {
        AssertApart("three by three", (b, y) => Pool(b, y, Side(3), Side(3)));
        AssertApart("overlapping", (b, y) => Pool(b, y, new WindowDim(2), new WindowDim(2)));
        AssertApart("a border", (b, y) => Pool(b, y, new WindowDim(2, 2, 1, 0), Side(2)));
        AssertApart("sums", (b, y) => b.ReduceWindow(
            y, b.Constant(Scalar.FromDouble(DType.F32, 0)), [new(1), Side(2), Side(2), new(1)], ElementwiseTable.Add));
        AssertApart("over features", (b, y) => b.ReduceWindow(
            y, b.Constant(Scalar.FromDouble(DType.F32, double.NegativeInfinity)), [new(1), new(1), Side(2), Side(2)],
            ElementwiseTable.Maximum));
        AssertApart("needed without", (b, y) => b.Concatenate(
            [Pool(b, y, Side(2), Side(2)), b.Slice(y, [0, 0, 0, 0], [2, 5, 5, 16], [1, 1, 1, 1])], 0));

        static void AssertApart(string what, Func<GraphBuilder, Node, Node> after)
        {
            Literal x = SmallIntegers(2, 13, 13, 5);
            Module module = Module(x.Shape, after);
            Assert.That(new InterpretedModule(module).Kernels.Count(), Is.GreaterThan(1), what);
            LiteralAssert.AreEqual(CompiledModule.Run(module, [x])[0], Evaluator.Evaluate(module.Entry, [x])[0], what);
        }
    }

    private static WindowDim Side(int size) => new(size, size);

    private static Module Model(Shape image, int features, WindowDim rows, WindowDim columns) => CompiledModule.Build(
        b => [Pool(b, Active(b, Convolve(b, b.Parameter(0, new TensorType(DType.F32, image)), features, Whole)), rows, columns)]);

    private static Module Module(Shape image, Func<GraphBuilder, Node, Node> after) => CompiledModule.Build(
        b => [after(b, Convolve(b, b.Parameter(0, new TensorType(DType.F32, image)), 16, Whole))]);

    private static Node Active(GraphBuilder b, Node x) => b.Maximum(
        b.Add(x, b.BroadcastInDim(b.Constant(SmallIntegers(x.Shape[^1].Value)), x.Shape, [x.Rank - 1])),
        b.BroadcastInDim(b.Constant(Scalar.FromDouble(DType.F32, 0)), x.Shape, []));

    private static Node Pool(GraphBuilder b, Node x, WindowDim rows, WindowDim columns) => b.ReduceWindow(
        x, b.Constant(Scalar.FromDouble(DType.F32, double.NegativeInfinity)), [new(1), rows, columns, new(1)], ElementwiseTable.Maximum);

    private static Node Convolve(GraphBuilder b, Node x, int features, WindowDim side) => b.Add(
        new ConvolutionOp(ConvolutionDimensions.ChannelsLast(2), [side, side], 1, 1, DType.F32), x,
        b.Constant(SmallIntegers(side.Size.Value, side.Size.Value, x.Shape[^1].Value, features)));
}
