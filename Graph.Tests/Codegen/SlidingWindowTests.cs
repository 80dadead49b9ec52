using Graphene.Codegen;
using Graphene.Tests.Codegen.KernelIr;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen;

/// <summary>
/// Windows that slide along the fastest dimension are reduced down their other dimensions first: the bits are those of the window's
/// elements in order, for every step, border, width and machine.
/// </summary>
internal sealed class SlidingWindowTests
{
    private static readonly DType[] Types =
        [DType.F32, DType.F64, DType.F16, DType.BF16, DType.I8, DType.U8, DType.I32, DType.I64];

    private static readonly ElementwiseFn[] Functions = [ElementwiseTable.Maximum, ElementwiseTable.Minimum, ElementwiseTable.Add];

    private static IEnumerable<TestCaseData> Windows
    {
        get
        {
            WindowDim[][] windows =
            [
                [new(3, 2, 1, 1), new(3, 2, 1, 1)],
                [new(2, 2), new(2, 2)],
                [new(5, 1, 2, 2), new(5, 1, 2, 2)],
                [new(13, 1, 6, 6), new(13, 1, 6, 6)],
                [new(3), new(2, 1, 1)],
                [new(1), new(3, 3, 0, 2)],
                [new(4, 3, 2), new(4, 3, 0, 3)],
                [new(2, 1, 0, 1, Dilation: 2), new(3, 1, 4, 3, Dilation: 3)],
                [new(6, 5), new(6, 5, 3, 3)],
                [new(2, 1, 4, 4), new(3, 1, 4, 5)], // windows over nothing but padding
                [new(3, 1, -1, -2), new(3, 2, -2, 1)],
                [new(3, 1, 1, 1, BaseDilation: 2), new(3, 1, 1, 1)],
                [new(3, 1, 1, 1, Reversed: true), new(3, 2, 1, 1, Reversed: true)],
                [new(2, 2), new(40, 1, 20, 19)],
                [new(6, 1, 2, 3), new(6, 1, 2, 3)],
            ];
            foreach (WindowDim[] window in windows)
            {
                foreach (int width in new[] { 14, 37 })
                {
                    yield return new TestCaseData(window, width).SetArgDisplayNames(
                        string.Join(" x ", window.Select(w => $"{w.Size}/{w.Stride} {w.Low}+{w.High} {w.Dilation}")), $"{width}");
                }
            }
        }
    }

    private static IEnumerable<TestCaseData> Machines =>
    [
        new TestCaseData(new KernelTarget(32, 8, CacheSizes.Typical)).SetArgDisplayNames("no vectors"),
        new TestCaseData(new KernelTarget(128, 16, CacheSizes.Typical)).SetArgDisplayNames("128 bits"),
        new TestCaseData(new KernelTarget(256, 16, CacheSizes.Typical)).SetArgDisplayNames("256 bits"),
        new TestCaseData(new KernelTarget(512, 32, CacheSizes.Typical)).SetArgDisplayNames("512 bits"),
    ];

    [TestCaseSource(nameof(Windows))]
    public void EveryWindowIsAsInTheEvaluator(WindowDim[] window, int width)
    {
        // Each type meets each function, but not in each window.
        int number = window.Sum(w => (int)(w.Size.Value + w.Stride)) + width;
        foreach ((ElementwiseFn fn, int turn) in Functions.Select((fn, i) => (fn, i)))
        {
            foreach (DType type in (DType[])[DType.F32, Types[(number + turn) % Types.Length]])
            {
                Literal x = Values(type, [2, 3, 13, width], isExact: fn == ElementwiseTable.Add);
                Module module = Module(x.Shape, type, window, fn);
                Literal expected = Evaluator.Evaluate(module.Entry, [x])[0];
                LiteralAssert.AreEqual(CompiledModule.Run(module, [x], 2)[0], expected, $"{fn.Name} {type}");
            }
        }
    }

    [TestCaseSource(nameof(Machines))]
    public void EveryMachineDoes(KernelTarget machine)
    {
        foreach (WindowDim[] window in (WindowDim[][])[[new(3, 2, 1, 1), new(3, 2, 1, 1)], [new(2), new(5, 1, 2, 2)], [new(5, 4), new(5, 4, 1)]])
        {
            foreach (ElementwiseFn fn in Functions)
            {
                Literal x = Values(DType.F32, [2, 9, 23], isExact: false);
                Module module = CompiledModule.Build(b => [Pool(b, b.Parameter(0, x.Type), [new(1), .. window], fn)]);
                Literal compiled = CompiledModule.Run(module, [x])[0];
                var interpreted = new InterpretedModule(module, machine);
                if (machine.VectorBits > 32 || fn != ElementwiseTable.Add)
                {
                    LiteralAssert.AreEqual(interpreted.Run([x])[0], compiled, $"{fn.Name} {window[1].Size}");
                }
                Assert.That(IsSliding(interpreted), Is.EqualTo(machine.VectorBits > 32), fn.Name);
            }
        }
    }

    [Test]
    public void SizesMayBeFed([Values(1, 2)] int step, [Values(3, 7)] int size)
    {
        var side = new WindowDim(size, step, size / 2, size / 2);
        foreach (ElementwiseFn fn in Functions)
        {
            Shape any = [Dim.Symbol("images", 1, 64), 2, Dim.Symbol("height", 1, 4096), Dim.Symbol("width", 1, 4096)];
            Module fed = Module(any, DType.F32, [side, side], fn);
            Assert.That(IsSliding(new InterpretedModule(fed)), Is.True);
            foreach ((int height, int width) in new[] { (1, 1), (9, 5), (4, 33), (2, 2100) })
            {
                Literal x = Values(DType.F32, [2, 2, height, width], isExact: true);
                Module known = Module(x.Shape, DType.F32, [side, side], fn);
                Literal expected = Evaluator.Evaluate(known.Entry, [x])[0];
                LiteralAssert.AreEqual(CompiledModule.Run(fed, [x], 2)[0], expected, $"{fn.Name} {height} x {width}, fed");
                LiteralAssert.AreEqual(CompiledModule.Run(known, [x], 2)[0], expected, $"{fn.Name} {height} x {width}");
            }
        }
    }

    [Test]
    public void ColumnsAreAddedUpBeforeTheyAreJoined()
    {
        Literal x = Evaluation.Noise([5, 30], 3);
        Module module = CompiledModule.Build(b => [Pool(b, b.Parameter(0, x.Type), [new(3), new(5)], ElementwiseTable.Add)]);
        Literal actual = CompiledModule.Run(module, [x])[0];
        LiteralAssert.AreEqual(actual, Literal.Generate(actual.Type, at =>
        {
            float[] columns = [.. Enumerable.Range(0, 5).Select(c => (At(0, c) + At(1, c)) + At(2, c))];
            return Scalar.FromDouble(DType.F32, ((columns[0] + columns[4]) + columns[2]) + (columns[1] + columns[3]));

            float At(long row, long column) => (float)x[[at[0] + row, at[1] + column]].AsDouble;
        }));
    }

    [Test]
    public void WhatIsAroundThemIsOneKernelWithThem()
    {
        Literal x = Values(DType.F32, [2, 3, 11, 27], isExact: true);
        Literal bias = Values(DType.F32, [3], isExact: true);
        WindowDim side = new(3, 2, 1, 1);
        Module module = CompiledModule.Build(b =>
        {
            Node input = b.Parameter(0, x.Type);
            Node biased = b.Abs(b.Add(input, b.BroadcastInDim(b.Parameter(1, bias.Type), input.Shape, [1])));
            Node largest = Pool(b, biased, [new(1), new(1), side, side], ElementwiseTable.Maximum);
            Node sum = Pool(b, biased, [new(1), new(1), side, side], ElementwiseTable.Add);
            return [b.Add(largest, b.BroadcastInDim(b.Iota(new TensorType(DType.F32, [14]), 0), largest.Shape, [3])), b.Subtract(sum, largest)];
        });
        Literal[] expected = Evaluator.Evaluate(module.Entry, [x, bias]);
        Literal[] actual = CompiledModule.Run(module, [x, bias], 2);
        Literal[] interpreted = new InterpretedModule(module).Run([x, bias]);
        for (int i = 0; i < expected.Length; i++)
        {
            LiteralAssert.AreEqual(actual[i], expected[i], $"{i}");
            LiteralAssert.AreEqual(interpreted[i], expected[i], $"{i}, interpreted");
        }
    }

    [Test]
    public void OtherBeginningsDo()
    {
        Literal x = Values(DType.F32, [3, 12, 20], isExact: true);
        foreach ((ElementwiseFn fn, double first) in
            new[] { (ElementwiseTable.Maximum, 1), (ElementwiseTable.Minimum, -1), (ElementwiseTable.Add, 2), (ElementwiseTable.Add, -0.0) })
        {
            Module module = CompiledModule.Build(b => [b.ReduceWindow(
                b.Parameter(0, x.Type), b.Constant(Scalar.FromDouble(DType.F32, first)), [new(1), new(3, 1, 2, 2), new(3, 1, 2, 2)], fn)]);
            LiteralAssert.AreEqual(CompiledModule.Run(module, [x])[0], Evaluator.Evaluate(module.Entry, [x])[0], $"{fn.Name} {first}");
        }
    }

    [Test]
    public void FeaturesLastDo([Values(1, 5, 40, 150)] int features, [Values(3, 9)] int size, [Values(1, 2)] int step)
    {
        var side = new WindowDim(size, step, size / 2, size - 2);
        foreach (ElementwiseFn fn in Functions)
        {
            Literal x = Values(features == 40 ? DType.BF16 : DType.F32, [2, 11, 10, features], isExact: fn == ElementwiseTable.Add);
            Module module = CompiledModule.Build(b => [Pool(b, b.Parameter(0, x.Type), [new(1), side, side, new(1)], fn)]);
            Module fed = CompiledModule.Build(b =>
            {
                Shape any = [2, Dim.Symbol("height", 1, 4096), Dim.Symbol("width", 1, 4096), Dim.Symbol("features", 1, 4096)];
                return [Pool(b, b.Parameter(0, new TensorType(x.DType, any)), [new(1), side, side, new(1)], fn)];
            });
            Literal expected = Evaluator.Evaluate(module.Entry, [x])[0];
            var interpreted = new InterpretedModule(module);
            LiteralAssert.AreEqual(CompiledModule.Run(module, [x], 2)[0], expected, fn.Name);
            LiteralAssert.AreEqual(CompiledModule.Run(fed, [x], 2)[0], expected, $"{fn.Name}, fed");
            LiteralAssert.AreEqual(interpreted.Run([x])[0], expected, $"{fn.Name}, interpreted");

            // Sums have another order, and windows that hardly overlap no use for it.
            bool slides = features == 1 ? fn != ElementwiseTable.Add || size < 8 : fn != ElementwiseTable.Add && (size > 3 || step == 1);
            Assert.That(IsSliding(interpreted), Is.EqualTo(slides), fn.Name);
        }
    }

    private static bool IsSliding(InterpretedModule module) =>
        module.Kernels.Select(KernelPrinter.Print).Any(text => text.Contains("scratch down", StringComparison.Ordinal));

    private static Module Module(Shape shape, DType type, WindowDim[] window, ElementwiseFn fn) => CompiledModule.Build(
        b => [Pool(b, b.Parameter(0, new TensorType(type, shape)), [new(1), new(1), .. window], fn)]);

    private static Node Pool(GraphBuilder b, Node x, WindowDim[] window, ElementwiseFn fn) => b.ReduceWindow(
        x, b.Constant(fn == ElementwiseTable.Add ? Scalar.Zero(x.DType)
            : fn == ElementwiseTable.Maximum ? Scalar.Lowest(x.DType) : Scalar.Highest(x.DType)),
        window, fn);

    // Numbers whose sums are exact, or all that a comparison can meet.
    private static Literal Values(DType type, long[] shape, bool isExact)
    {
        var random = new Random(shape.Length + 1);
        return Literal.Generate(new TensorType(type, Shape.Of(shape)), _ => random.Next(isExact ? 7 : 12) switch
        {
            7 => Scalar.Lowest(type),
            8 => Scalar.Highest(type),
            9 when type.IsFloating() && random.Next(20) == 0 => Scalar.FromDouble(type, double.NaN),
            10 when type.IsFloating() => Scalar.FromDouble(type, -0.0),
            var n => Scalar.FromNumber(type, type.IsUnsignedInteger() ? n : n - 3),
        });
    }
}
