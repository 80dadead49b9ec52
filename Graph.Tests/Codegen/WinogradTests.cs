using Graphene.Codegen;
using Graphene.Codegen.Llvm;
using Graphene.Optimizer;
using Graphene.Runtime;
using Graphene.Tests.Codegen.KernelIr;
using Graphene.Tests.Support;
using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Codegen;

/// <summary>
/// 3x3 convolutions in tiles: near the reference within the stated bound, the same bits for any number of threads and images, and
/// only where they are allowed and pay.
/// </summary>
internal sealed partial class WinogradTests
{
    // Of the largest sum of abs(x) * abs(w) under a window, which docs/numerics.md states.
    private const double BoundOfTwo = 4e-7;
    private const double BoundOfFour = 2e-6;

    private static readonly OptimizerOptions Allowed = OptimizerOptions.Default with { Winograd = WinogradTiles.FourByFour };
    private static readonly OptimizerOptions Definition = OptimizerOptions.Default with { Winograd = WinogradTiles.None };

    private static readonly WindowDim Same = new(3, 1, 1, 1);

    // Images, height, width, inputs, outputs, padding; sizes fill tiles and vectors, and do not.
    private static IEnumerable<TestCaseData> Shapes =>
    [
        Case("whole tiles of 4", 4, 1, [28, 24], 32, 32, Same, Same),
        Case("parts of tiles of 4", 4, 2, [27, 26], 16, 48, Same, Same),
        Case("parts of vectors", 4, 1, [30, 29], 21, 27, Same, Same),
        Case("without padding", 4, 1, [30, 30], 16, 32, new(3), new(3)),
        Case("more padding on one side", 4, 1, [28, 29], 16, 32, new(3, 1, 2, 0), new(3, 1, 0, 3)),
        Case("a border that is cut off", 4, 1, [33, 35], 16, 32, new(3, 1, -2, -1), new(3, 1, 1, -3)),
        Case("padding wider than the kernel", 4, 1, [17, 22], 32, 32, new(3, 1, 5, 4), new(3, 1, 0, 7)),
        Case("whole tiles of 2", 2, 1, [12, 12], 64, 64, Same, Same),
        Case("parts of tiles of 2", 2, 2, [17, 15], 40, 48, Same, Same),
        Case("more outputs than a panel has", 2, 1, [17, 15], 40, 88, Same, Same),
        Case("several blocks, the last one not full", 4, 1, [60, 58], 64, 32, Same, Same),
        Case("many inputs", 2, 2, [11, 12], 528, 48, Same, Same),
        Case("taps apart, whole tiles", 2, 1, [24, 16], 64, 48, Apart(2), Apart(4)),
        Case("taps apart, parts of tiles", 2, 2, [21, 19], 40, 48, Apart(2), Apart(3)),
        Case("taps apart, some images without a last tile", 2, 1, [25, 18], 48, 48, Apart(4), Apart(2)),
        Case("taps apart along columns alone", 4, 1, [24, 26], 32, 32, Same, Apart(2)),
        Case("taps apart and no padding", 2, 1, [32, 32], 32, 32, new(3, 1, Dilation: 2), new(3, 1, Dilation: 3)),
        Case("taps apart and more padding on one side", 4, 1, [25, 24], 48, 48, new(3, 1, 1, 4, Dilation: 2), new(3, 1, -1, 7, Dilation: 3)),
    ];

    private static IEnumerable<TestCaseData> Machines =>
    [
        new TestCaseData(new KernelTarget(128, 8, CacheSizes.Typical)).SetArgDisplayNames("128 bits, 8 registers"),
        new TestCaseData(new KernelTarget(128, 32, CacheSizes.Typical)).SetArgDisplayNames("128 bits, 32 registers"),
        new TestCaseData(new KernelTarget(256, 16, CacheSizes.Typical)).SetArgDisplayNames("256 bits, 16 registers"),
        new TestCaseData(new KernelTarget(512, 32, new CacheSizes(48 << 10, 12, 2 << 20))).SetArgDisplayNames("512 bits, 32 registers"),
        new TestCaseData(new KernelTarget(128, 16, CacheSizes.Typical) { MostSums = 9, UnrolledSteps = 1 }).SetArgDisplayNames("few sums"),
        new TestCaseData(new KernelTarget(256, 16, new CacheSizes(16 << 10, 4, 64 << 10))).SetArgDisplayNames("small caches"),
    ];

    private static WindowDim Apart(int dilation) => new(3, 1, dilation, dilation, Dilation: dilation);

    [TestCaseSource(nameof(Shapes))]
    public void ResultsAreNearTheReference(int largestTile, Convolution convolution)
    {
        Module module = convolution.Build(Activate);
        Literal x = Noise(convolution.Input, 1);
        Literal expected = Evaluator.Evaluate(module.Entry, [x])[0];
        foreach (WinogradTiles largest in new[] { WinogradTiles.TwoByTwo, WinogradTiles.FourByFour })
        {
            OptimizerOptions allowed = OptimizerOptions.Default with { Winograd = largest };
            var interpreted = new InterpretedModule(module, KernelTarget.Of(GraphCompiler.Cpu().Target), allowed);
            Assert.That(
                interpreted.Kernels.Select(k => k.Name).Distinct(), Is.EqualTo(new[] { "convolution_patches", "convolution_tiles" }));
            int tile = WinogradForm.TileOf(convolution.Op, x.Type, convolution.Kernel, largest);
            Assert.That(tile, Is.EqualTo(Math.Min(largestTile, (int)largest)));

            Literal actual = CompiledModule.Run(module, [x], allowed)[0];
            LiteralAssert.AreClose(actual, expected, 0, convolution.Bound(tile, x));
        }
    }

    [TestCaseSource(nameof(Machines))]
    public void SchedulesOfAllMachinesGiveTheSameBits(KernelTarget machine)
    {
        Convolution[] convolutions = [new([2, 17, 15], 32, 44, Same, Same), new([1, 21, 23], 32, 44, Same, Apart(2))];
        foreach (Convolution convolution in convolutions)
        {
            Module module = convolution.Build(Activate);
            Literal x = Noise(convolution.Input, 1);

            var interpreted = new InterpretedModule(module, machine, Allowed);
            Assert.That(interpreted.Kernels.Select(k => k.Name), Has.Some.EqualTo("convolution_tiles"));
            Literal here = CompiledModule.Run(module, [x], Allowed)[0];
            LiteralAssert.AreEqual(interpreted.Run([x])[0], here);
        }
    }

    [Test]
    public void CodeForOlderProcessorsGivesTheSameBits()
    {
        foreach (string features in new[] { "", "+avx512f,+avx512bw,+avx512cd,+avx512dq,+avx512vl" })
        {
            LlvmTarget target = Processor.With(features);
            if (HostProcessor.MissingFeatures(target.RequiredFeatures) is { Count: > 0 })
            {
                continue;
            }
            var convolution = new Convolution([1, 27, 26], 24, 40, Same, Same);
            Module module = convolution.Build(Activate);
            Literal x = Noise(convolution.Input, 1);
            LiteralAssert.AreEqual(
                CompiledModule.Run(module, [x], Allowed, target: target)[0], CompiledModule.Run(module, [x], Allowed)[0], features);
        }
    }

    [Test]
    public void ThreadsChangeNoBit()
    {
        var convolution = new Convolution([2, 33, 34], 32, 64, Same, Same);
        Module module = convolution.Build(Activate);
        Literal x = Noise(convolution.Input, 1);
        Literal one = CompiledModule.Run(module, [x], Allowed, threads: 1)[0];
        foreach (int threads in new[] { 2, 3, 4 })
        {
            using var pool = new ComputePool(threads);
            using var session = new Session(
                module, new CompiledModule.Uncached(options: Allowed), new SessionOptions { MaxThreads = threads, Pool = pool });
            for (int run = 0; run < 10; run++)
            {
                Literal many = session.Run("y0", new Dictionary<string, Feed> { ["x0"] = x });
                LiteralAssert.AreEqual(many, one, $"{threads} threads, run {run}");
            }
        }
    }

    [Test]
    public void ImagesHaveTheSameBitsAloneAndTogetherFedOrKnown()
    {
        var convolution = new Convolution([5, 17, 15], 32, 48, Same, Same);
        Literal x = Noise(convolution.Input, 1);
        Literal together = CompiledModule.Run(convolution.Build(Activate), [x], Allowed)[0];

        Dim images = Dim.Symbol("images", 1, 64);
        using var session = new Session(convolution.Build(Activate, images), new CompiledModule.Uncached(options: Allowed));
        LiteralAssert.AreEqual(session.Run("y0", new Dictionary<string, Feed> { ["x0"] = x }), together, "all of them, fed");
        Module alone = (convolution with { Size = [1, 17, 15] }).Build(Activate);
        for (int image = 0; image < 5; image++)
        {
            Literal one = Literal.From(x.As<float>().Slice(image * 17 * 15 * 32, 17 * 15 * 32), 1, 17, 15, 32);
            float[] expected = together.As<float>().Slice(image * 17 * 15 * 48, 17 * 15 * 48).ToArray();
            float[] fed = session.Run("y0", new Dictionary<string, Feed> { ["x0"] = one }).As<float>().ToArray();
            Assert.That(fed, Is.EqualTo(expected), $"image {image}, fed");
            Assert.That(CompiledModule.Run(alone, [one], Allowed)[0].As<float>().ToArray(), Is.EqualTo(expected), $"image {image}");
        }
        Assert.That(session.PlanCount, Is.EqualTo(1));
    }

    [Test]
    public void AResidualIsAddedInTheKernel()
    {
        var convolution = new Convolution([1, 24, 24], 32, 32, Same, Same);
        Module module = convolution.Build((b, x, y) => b.Maximum(b.Add(y, x), b.Splat(DType.F32, y.Shape, 0)));
        Literal x = Noise(convolution.Input, 1);

        var interpreted = new InterpretedModule(module, KernelTarget.Of(GraphCompiler.Cpu().Target), Allowed);
        Assert.That(interpreted.Kernels.Distinct().Count(), Is.EqualTo(2));
        Literal actual = CompiledModule.Run(module, [x], Allowed)[0];
        LiteralAssert.AreClose(actual, Evaluator.Evaluate(module.Entry, [x])[0], 0, convolution.Bound(4, x));
        LiteralAssert.AreEqual(interpreted.Run([x])[0], actual, "interpreted");
    }

    [Test]
    public void FeaturesFirstGoLastAndThenIntoTiles()
    {
        Module module = CompiledModule.Build(b =>
        {
            Node x = b.Parameter(0, new TensorType(DType.F32, Shape.Of(1, 32, 24, 24)));
            foreach (int seed in new[] { 2, 3 })
            {
                var op = new ConvolutionOp(ConvolutionDimensions.ChannelsFirst(2), [Same, Same], 1, 1, DType.F32);
                x = b.Add(op, x, b.Constant(Noise([32, 32, 3, 3], seed)));
            }
            return [x];
        });
        Literal x = Noise([1, 32, 24, 24], 1);

        var interpreted = new InterpretedModule(module, KernelTarget.Of(GraphCompiler.Cpu().Target), Allowed);
        Assert.That(interpreted.Kernels.Select(k => k.Name), Has.Some.EqualTo("convolution_tiles").And.None.EqualTo("convolution"));
        Literal direct = CompiledModule.Run(module, [x], Definition)[0];
        double largest = direct.ToDoubles().Max(Math.Abs);
        LiteralAssert.AreClose(CompiledModule.Run(module, [x], Allowed)[0], direct, 0, 1e-5 * largest);
    }

    [Test]
    public void LayersOfOneShapeShareKernelsAndNotWeights()
    {
        var first = new Convolution([1, 16, 16], 32, 32, Same, Same);
        Module module = first.Build((b, _, y) => b.Add(first.Op, y, b.Constant(Noise([3, 3, 32, 32], 9))));
        Literal x = Noise(first.Input, 1);
        var interpreted = new InterpretedModule(module, KernelTarget.Of(GraphCompiler.Cpu().Target), Allowed);
        Kernel[] products = [.. interpreted.Kernels.Where(k => k.Name == "convolution_tiles")];
        Assert.That(products, Has.Length.GreaterThan(1));
        Assert.That(products.Distinct().Count(), Is.EqualTo(1));
        Literal expected = Evaluator.Evaluate(module.Entry, [x])[0];
        LiteralAssert.AreClose(CompiledModule.Run(module, [x], Allowed)[0], expected, 0, 1e-5 * expected.ToDoubles().Max(Math.Abs));
    }

    [Test]
    public void TilesOfTwoAreTheDefaultAndWithoutTilesResultsAreThoseOfTheDefinition()
    {
        var convolution = new Convolution([1, 24, 24], 32, 32, Same, Same);
        Module module = convolution.Build(Activate);
        Literal x = Noise(convolution.Input, 1);
        LiteralAssert.AreEqual(
            CompiledModule.Run(module, [x])[0],
            CompiledModule.Run(module, [x], OptimizerOptions.Default with { Winograd = WinogradTiles.TwoByTwo })[0]);
        Assert.That(NamesOf(module, OptimizerOptions.Default), Has.Some.EqualTo("convolution_tiles"));
        Assert.That(NamesOf(module, Definition), Has.None.EqualTo("convolution_tiles"));
        Assert.That(
            new[] { null, Definition, Allowed }.Select(o => GraphCompiler.Cpu(new GraphCompilerOptions { Optimizer = o }).Fingerprint),
            Is.Unique, "so the cache keeps them apart");
    }

    [Test]
    public void TilesOfTwoErrLessThanTheDefinition()
    {
        var convolution = new Convolution([1, 24, 24], 64, 32, Same, Same);
        Module module = convolution.Build((_, _, y) => y);
        Literal x = Noise(convolution.Input, 1);
        double[] exact = convolution.Exact(x);
        double tiles = MeanError(CompiledModule.Run(module, [x])[0]);
        double definition = MeanError(CompiledModule.Run(module, [x], Definition)[0]);
        Assert.That(tiles, Is.GreaterThan(0).And.LessThan(0.9 * definition));

        double MeanError(Literal actual) => actual.ToDoubles().Zip(exact, (a, e) => Math.Abs(a - e)).Average();
    }

    [Test]
    public void WhatItIsNotForIsComputedByItsDefinition()
    {
        var plain = new Convolution([1, 24, 24], 32, 32, Same, Same);
        Declines(plain with { Rows = new(3, 2, 1, 1), Columns = new(3, 2, 1, 1) }, "strides");
        Declines(plain with { Rows = Apart(20), Columns = Apart(20) }, "taps most of which read the border");
        Declines(plain with { Size = [1, 10, 10], Rows = Apart(8), Columns = Apart(8) }, "tiles most of which reach over the image");
        Declines(plain with { Groups = 2 }, "groups");
        Declines(plain with { Type = DType.F64 }, "f64");
        Declines(plain with { Type = DType.BF16 }, "bf16");
        Declines(plain with { Inputs = 3 }, "few inputs");
        Declines(plain with { Outputs = 2 }, "few outputs");

        Module fed = CompiledModule.Build(b => [b.Add(
            plain.Op, b.Parameter(0, new TensorType(DType.F32, Shape.Of(plain.Input))), b.Parameter(1, plain.Kernel))]);
        Assert.That(NamesOf(fed), Has.None.EqualTo("convolution_tiles"), "a kernel that is fed");
        Literal infinite = Literal.Generate(
            plain.Kernel, at => Scalar.FromDouble(DType.F32, at[2] == 5 && at[3] == 7 ? double.PositiveInfinity : 1));
        Module unbounded = CompiledModule.Build(b => [b.Add(
            plain.Op, b.Parameter(0, new TensorType(DType.F32, Shape.Of(plain.Input))), b.Constant(infinite))]);
        Assert.That(NamesOf(unbounded), Has.None.EqualTo("convolution_tiles"), "an infinite weight");

        static void Declines(Convolution c, string why) =>
            Assert.That(NamesOf(c.Build((_, _, y) => y)), Has.None.EqualTo("convolution_tiles"), why);
    }

    [TestCase(double.PositiveInfinity, 1)]
    [TestCase(double.NaN, 1)]
    [TestCase(1e30, 1)]
    [TestCase(double.NaN, 3)]
    public void InTilesOfTwoAValueReachesTheWindowsThatReadIt(double value, int dilation)
    {
        var convolution = new Convolution([1, 24, 24], 16, 32, Apart(dilation), Apart(dilation));
        Module module = convolution.Build((_, _, y) => y);
        Literal x = Noise(convolution.Input, 1);
        foreach ((int y, int z) in new[] { (9, 13), (9, 12), (8, 13), (8, 12), (0, 23) })
        {
            Literal changed = Literal.Generate(
                x.Type, at => at[1] == y && at[2] == z && at[3] == 3 ? Scalar.FromDouble(DType.F32, value) : x[at]);
            Literal before = CompiledModule.Run(module, [x])[0];
            Literal after = CompiledModule.Run(module, [changed])[0];
            for (long i = 0; i < before.ElementCount; i++)
            {
                (long row, long column) = (i / (24 * 32), i / 32 % 24);
                bool isUnder = IsTap(row - y) && IsTap(column - z);
                Assert.That(after[i].Equals(before[i]), Is.EqualTo(!isUnder), $"row {row}, column {column} of a value at {y}, {z}");
                Assert.That(double.IsFinite(after[i].AsDouble), Is.EqualTo(!isUnder || double.IsFinite(value)));
            }
        }

        bool IsTap(long distance) => distance == 0 || Math.Abs(distance) == dilation;
    }

    [TestCase(double.PositiveInfinity)]
    [TestCase(double.NaN)]
    public void InTilesOfFourWhatIsNotFiniteReachesItsTilesAlone(double value)
    {
        var convolution = new Convolution([1, 24, 24], 16, 32, Same, Same);
        Module module = convolution.Build((_, _, y) => y);
        Literal x = Noise(convolution.Input, 1);
        Literal changed = Literal.Generate(x.Type, at => at is [0, 9, 13, 3] ? Scalar.FromDouble(DType.F32, value) : x[at]);
        Literal finite = CompiledModule.Run(module, [x], Allowed)[0];
        Literal actual = CompiledModule.Run(module, [changed], Allowed)[0];
        for (long i = 0; i < finite.ElementCount; i++)
        {
            (long row, long column) = (i / (24 * 32), i / 32 % 24);

            // Patches of six begin at every fourth row and column, one before the tile.
            bool isReached = row / 4 == 2 && column / 4 == 3;
            bool isUnder = Math.Abs(row - 9) <= 1 && Math.Abs(column - 13) <= 1;
            if (!isReached)
            {
                Assert.That(actual[i], Is.EqualTo(finite[i]), $"row {row}, column {column}");
            }
            else if (isUnder)
            {
                Assert.That(double.IsFinite(actual[i].AsDouble), Is.False, $"row {row}, column {column}");
            }
        }
    }

    [Test]
    public void ResnetsLayersGetTheTilesThatWereCounted()
    {
        Assert.That(new[] { (56, 64), (28, 128), (14, 256), (7, 512) }.Select(s =>
        {
            var c = new Convolution([1, s.Item1, s.Item1], s.Item2, s.Item2, Same, Same);
            return WinogradForm.TileOf(c.Op, new TensorType(DType.F32, Shape.Of(c.Input)), c.Kernel, WinogradTiles.FourByFour);
        }), Is.EqualTo(new[] { 4, 4, 2, 0 }));
    }

    private static IEnumerable<string> NamesOf(Module module, OptimizerOptions? options = null) =>
        new InterpretedModule(module, KernelTarget.Of(GraphCompiler.Cpu().Target), options ?? Allowed).Kernels.Select(k => k.Name);

    private static Node Activate(GraphBuilder b, Node x, Node y)
    {
        Node bias = b.BroadcastInDim(b.Constant(Noise([y.Shape[3].Value], 7)), y.Shape, [3]);
        return b.Maximum(b.Add(y, bias), b.Splat(DType.F32, y.Shape, 0));
    }

    private static TestCaseData Case(
        string name, int tile, long images, long[] size, int inputs, int outputs, WindowDim rows, WindowDim columns) =>
        new TestCaseData(tile, new Convolution([images, .. size], inputs, outputs, rows, columns)).SetArgDisplayNames(name);
}
