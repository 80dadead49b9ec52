using Graphene.Codegen;
using Graphene.Tests.Codegen.KernelIr;
using Graphene.Tests.Support;
using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Codegen;

/// <summary>The first few elements of sorted lines are found without sorting, and are those that the sort has.</summary>
internal sealed class SelectionTests
{
    private static readonly DType[] Types =
    [
        DType.F32, DType.F64, DType.F16, DType.BF16, DType.I8, DType.U8, DType.I16, DType.U16, DType.I32, DType.U32, DType.I64, DType.U64,
    ];

    private static readonly (long Length, int Count)[] Sizes =
        [(1, 1), (7, 7), (9, 3), (16, 1), (65, 5), (64, 16), (200, 17), (300, 40), (1000, 10), (1031, 300)];

    private static readonly KernelTarget[] Machines =
    [
        new(128, 8, CacheSizes.Typical), new(256, 16, CacheSizes.Typical), new(512, 32, CacheSizes.Typical),
    ];

    [Test]
    public void SelectedElementsAreThoseOfTheSort([ValueSource(nameof(Types))] DType type, [Values] bool largest)
    {
        foreach ((long length, int count) in Sizes)
        {
            foreach (bool hasTies in (bool[])[true, false])
            {
                Literal x = hasTies ? Ties(type, 3, length) : Different(type, 3, length);
                Module module = TopK(x.Type, count, 1, largest);
                Literal[] expected = Evaluator.Evaluate(module.Entry, [x]);
                AssertEqual(CompiledModule.Run(module, [x], threads: 1), expected, $"{count} of {x.Type}");
            }
        }
    }

    [Test]
    public void EveryMachineSelectsTheSame([ValueSource(nameof(Types))] DType type)
    {
        foreach ((long length, int count) in (IEnumerable<(long, int)>)[(9, 3), (70, 5), (300, 40)])
        {
            Literal x = Ties(type, 2, length);
            Module module = TopK(x.Type, count, 1, largest: true);
            Literal[] expected = Evaluator.Evaluate(module.Entry, [x]);
            foreach (KernelTarget machine in Machines)
            {
                var interpreted = new InterpretedModule(module, machine);
                Assert.That(Selects(interpreted), Is.True);
                AssertEqual(interpreted.Run([x]), expected, $"{count} of {x.Type} with {machine.VectorBits} bits");
            }
        }
    }

    [Test]
    public void WholeLinesAreSortedAsTheReferenceDoes([ValueSource(nameof(Types))] DType type, [Values] bool descending)
    {
        Literal x = Ties(type, 3, 77);
        Module module = CompiledModule.Build(b =>
        {
            (Node values, Node positions) = b.SortWithPositions(b.Parameter(0, x.Type), 1, descending);
            return [values, positions];
        });
        Literal[] expected = Evaluator.Evaluate(module.Entry, [x]);
        AssertEqual(CompiledModule.Run(module, [x]), expected, $"{x.Type}");
        AssertEqual(new InterpretedModule(module, Machines[1]).Run([x]), expected, $"{x.Type}, interpreted");
    }

    // Each element is the best so far, and none of them is.
    [TestCase(1)]
    [TestCase(-1)]
    public void LinesInOrder(float direction)
    {
        Literal x = Ramp([2, 999], direction);
        foreach (int count in (int[])[1, 8, 33])
        {
            Module module = TopK(x.Type, count, 1, largest: true);
            AssertEqual(CompiledModule.Run(module, [x]), Evaluator.Evaluate(module.Entry, [x]), $"{count}");
        }
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(2)]
    public void AnyAxisForAnyNumberOfThreads(int axis)
    {
        Literal x = Noise([37, 41, 50], 1);
        Module module = TopK(x.Type, 4, axis, largest: false);
        Literal[] expected = Evaluator.Evaluate(module.Entry, [x]);
        foreach (int threads in (int[])[1, 2, 5])
        {
            AssertEqual(CompiledModule.Run(module, [x], threads), expected, $"{threads} threads");
        }
    }

    [TestCase(6)]
    [TestCase(63)]
    [TestCase(500)]
    public void LengthsOfTheRunAreAsGoodAsKnownOnes(long length)
    {
        Literal x = Ties(DType.F32, 3, length);
        var symbol = Dim.Symbol("length", 6, 5000);
        Module module = TopK(new TensorType(DType.F32, [3, symbol]), 6, 1, largest: true);
        Assert.That(Selects(new InterpretedModule(module, Machines[2])), Is.True);
        AssertEqual(CompiledModule.Run(module, [x]), Evaluator.Evaluate(TopK(x.Type, 6, 1, largest: true).Entry, [x]), $"{length}");
    }

    [Test]
    public void OtherOperandsFollow()
    {
        Literal x = Ties(DType.F32, 4, 90);
        Literal y = Noise([4, 90], 2, DType.F64);
        Module module = CompiledModule.Build(b =>
        {
            Computation comparator = SortingComposites.Comparator([DType.F32, DType.F64], descending: true);
            Node[] sorted = b.Sort([b.Parameter(0, x.Type), b.Parameter(1, y.Type)], 1, comparator);
            return [b.SliceDimension(sorted[1], 1, 0, 5)];
        });
        Assert.That(Selects(new InterpretedModule(module, Machines[1])), Is.True);
        AssertEqual(CompiledModule.Run(module, [x, y]), Evaluator.Evaluate(module.Entry, [x, y]), "");
    }

    [Test]
    public void ASingleTensorIsSelectedFrom()
    {
        Literal x = Noise([4, 90], 1);
        Module module = CompiledModule.Build(b => [b.SliceDimension(b.SortValues(b.Parameter(0, x.Type)), 1, 0, 5)]);
        Assert.That(Selects(new InterpretedModule(module, Machines[1])), Is.True);
        AssertEqual(CompiledModule.Run(module, [x]), Evaluator.Evaluate(module.Entry, [x]), "");
    }

    // Unlike NaN, infinities have their places with such a comparator, too.
    [Test]
    public void ComparatorsThatOnlyAskForMoreAreKnown([Values] bool largest)
    {
        Literal x = Different(DType.F32, 4, 90);
        Module module = CompiledModule.Build(b =>
        {
            var c = new GraphBuilder();
            Node[] p = [.. Enumerable.Range(0, 2).Select(i => c.Parameter(i, TensorType.Scalar(DType.F32)))];
            Computation comparator = c.Build("order", [c.Compare(p[0], p[1], largest ? CompareDirection.GT : CompareDirection.LT)]);
            return [b.SliceDimension(b.Sort([b.Parameter(0, x.Type)], 1, comparator)[0], 1, 0, 7)];
        });
        Assert.That(Selects(new InterpretedModule(module, Machines[1])), Is.True);
        AssertEqual(CompiledModule.Run(module, [x]), Evaluator.Evaluate(module.Entry, [x]), "");
    }

    private static bool Selects(InterpretedModule module) =>
        module.Kernels.Any(k => KernelPrinter.Print(k).Contains("any(", StringComparison.Ordinal));

    private static void AssertEqual(Literal[] actual, Literal[] expected, string context)
    {
        for (int i = 0; i < expected.Length; i++)
        {
            LiteralAssert.AreEqual(actual[i], expected[i], $"result {i}, {context}");
        }
    }

    private static Module TopK(TensorType type, int count, int axis, bool largest) => CompiledModule.Build(b =>
    {
        (Node values, Node positions) = b.TopK(b.Parameter(0, type), count, axis, largest);
        return [values, positions];
    });

    // Few different values; NaN, infinities and both zeros are among those of floating types.
    private static Literal Ties(DType type, long rows, long length)
    {
        var random = new Random((int)length);
        double[] values = type.IsFloating() ? [-2, -0.0, 0, 1, double.NegativeInfinity, double.PositiveInfinity, double.NaN] : [0, 1, 2, 100];
        Scalar[] all = [.. values.Select(v => Scalar.FromNumber(type, v)), Scalar.Lowest(type), Scalar.Highest(type)];
        return Literal.Generate(new TensorType(type, Shape.Of(rows, length)), _ => all[random.Next(all.Length)]);
    }

    private static Literal Different(DType type, long rows, long length)
    {
        var random = new Random((int)length);
        return Literal.Generate(
            new TensorType(type, Shape.Of(rows, length)),
            _ => Scalar.FromNumber(type, type.IsUnsignedInteger() ? random.Next(250) : random.Next(-120, 120)));
    }
}
