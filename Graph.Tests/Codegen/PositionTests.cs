using Graphene.Codegen;
using Graphene.Tests.Codegen.KernelIr;
using Graphene.Tests.Support;
using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Codegen;

/// <summary>Positions of the largest and smallest elements along memory run in lanes, with the one result that the reference has.</summary>
internal sealed class PositionTests
{
    private static readonly DType[] Types =
        [DType.F32, DType.F64, DType.F16, DType.BF16, DType.I8, DType.U8, DType.I32, DType.U32, DType.I64];

    private static readonly long[] Lengths = [1, 2, 7, 8, 15, 16, 17, 56, 63, 64, 65, 127, 129, 1000];

    private static readonly KernelTarget[] Machines =
    [
        new(128, 8, CacheSizes.Typical), new(256, 16, CacheSizes.Typical), new(512, 32, CacheSizes.Typical),
    ];

    [Test]
    public void LanesFindWhatTheReferenceFinds([ValueSource(nameof(Types))] DType type)
    {
        foreach (long length in Lengths)
        {
            Literal x = Ties(type, 5, length);
            Module module = AllFour(x.Type);
            Literal[] expected = Evaluator.Evaluate(module.Entry, [x]);
            Literal[] one = CompiledModule.Run(module, [x], threads: 1);
            for (int i = 0; i < expected.Length; i++)
            {
                LiteralAssert.AreEqual(one[i], expected[i], $"result {i} of {x.Type}");
            }
        }
    }

    [Test]
    public void EveryMachineFindsTheSame([ValueSource(nameof(Types))] DType type)
    {
        foreach (long length in (long[])[9, 33, 130, 300])
        {
            Literal x = Ties(type, 3, length);
            Module module = AllFour(x.Type);
            Literal[] expected = Evaluator.Evaluate(module.Entry, [x]);
            foreach (KernelTarget machine in Machines)
            {
                Literal[] actual = new InterpretedModule(module, machine).Run([x]);
                for (int i = 0; i < expected.Length; i++)
                {
                    LiteralAssert.AreEqual(actual[i], expected[i], $"result {i} of {x.Type} with {machine.VectorBits} bits");
                }
            }
        }
    }

    [TestCase(1)]
    [TestCase(5)]
    [TestCase(64)]
    [TestCase(201)]
    public void LengthsOfTheRunAreAsGoodAsKnownOnes(long length)
    {
        Literal x = Ties(DType.F32, 4, length);
        var symbol = Dim.Symbol("length", 0, 5000);
        Literal[] actual = CompiledModule.Run(AllFour(new TensorType(DType.F32, [4, symbol])), [x]);
        Literal[] expected = Evaluator.Evaluate(AllFour(x.Type).Entry, [x]);
        for (int i = 0; i < expected.Length; i++)
        {
            LiteralAssert.AreEqual(actual[i], expected[i], $"result {i}");
        }
    }

    // Rows of only NaN, of only what an empty row begins with, with the winner at either end, and of zeros of both signs.
    [TestCase(false)]
    [TestCase(true)]
    public void RowsAtTheEdgesOfTheOrder(bool last)
    {
        const int length = 77;
        float[][] rows =
        [
            Row(_ => float.NaN), Row(_ => float.NegativeInfinity), Row(_ => float.PositiveInfinity),
            Row(i => i), Row(i => -i), Row(i => i == 40 ? float.NaN : i), Row(i => i is 40 or 71 ? float.NaN : i),
            Row(i => i % 2 == 0 ? -0f : 0f), Row(i => i % 2 == 0 ? 0f : -0f),
        ];
        Literal x = Literal.From<float>(rows.SelectMany(r => r).ToArray(), rows.Length, length);
        Module module = CompiledModule.Build(b =>
        {
            Node p = b.Parameter(0, x.Type);
            Node max = b.ArgMax(p, 1, lastOfEqual: last).Operands[0];
            Node min = b.ArgMin(p, 1, lastOfEqual: last).Operands[0];
            return [.. b.Results(max), .. b.Results(min)];
        });
        Literal[] actual = CompiledModule.Run(module, [x]);
        Literal[] expected = Evaluator.Evaluate(module.Entry, [x]);
        for (int i = 0; i < expected.Length; i++)
        {
            LiteralAssert.AreEqual(actual[i], expected[i], $"result {i}");
        }

        static float[] Row(Func<int, float> element) => [.. Enumerable.Range(0, length).Select(element)];
    }

    [Test]
    public void ComputedElementsAreFoundForAnyNumberOfThreads()
    {
        Literal x = Noise([400, 130], 1);
        Module module = CompiledModule.Build(b =>
        {
            Node p = b.Parameter(0, x.Type);
            return [b.ArgMax(b.Multiply(b.Exponential(p), p), -1), b.ArgMin(b.Slice(p, [0, 3], [400, 130]), -1)];
        });
        Literal[] expected = Evaluator.Evaluate(module.Entry, [x]);
        foreach (int threads in (int[])[1, 2, 7])
        {
            Literal[] actual = CompiledModule.Run(module, [x], threads);
            LiteralAssert.AreEqual(actual[0], expected[0], $"{threads} threads");
            LiteralAssert.AreEqual(actual[1], expected[1], $"{threads} threads");
        }
    }

    [Test]
    public void LanesAreOnlyForWhatIsLongEnoughAndKnown()
    {
        Assert.Multiple(() =>
        {
            Assert.That(RunsInLanes(b => b.ArgMax(b.Parameter(0, F(4, 16)), 1)), Is.True);
            Assert.That(RunsInLanes(b => b.ArgMax(b.Parameter(0, F(4, 5)), 1)), Is.False, "few elements");
            Assert.That(RunsInLanes(b => b.ArgMax(b.Parameter(0, F(64, 16)), 0)), Is.False, "not along memory");
            Assert.That(RunsInLanes(WithOtherBody), Is.False, "another body");
        });

        static TensorType F(params long[] shape) => new(DType.F32, Shape.Of(shape));

        static bool RunsInLanes(Func<GraphBuilder, Node> write) =>
            new InterpretedModule(CompiledModule.Build(b => [write(b)]), Machines[1]).Kernels.Any(
                k => KernelPrinter.Print(k).Contains("places", StringComparison.Ordinal));

        // The position of the last element that is less than the best: no order of pairs.
        static Node WithOtherBody(GraphBuilder b)
        {
            Node x = b.Parameter(0, F(4, 64));
            var body = new GraphBuilder();
            Node[] p = [.. Enumerable.Range(0, 4).Select(i => body.Parameter(
                i, TensorType.Scalar(i % 2 == 0 ? DType.F32 : DType.I64)))];
            Node less = body.Less(p[2], p[0]);
            Computation computation = body.Build("other", [body.Select(less, p[0], p[2]), body.Select(less, p[3], p[1])]);
            return b.Results(b.Add(
                new ReduceOp([1], computation), x, b.Iota(new TensorType(DType.I64, x.Shape), 1),
                b.Constant(DType.F32, 0), b.Constant(DType.I64, -1)))[1];
        }
    }

    private static Module AllFour(TensorType type) => CompiledModule.Build(b =>
    {
        Node x = b.Parameter(0, type);
        Node[] reductions =
        [
            b.ArgMax(x, 1).Operands[0], b.ArgMax(x, 1, lastOfEqual: true).Operands[0],
            b.ArgMin(x, 1).Operands[0], b.ArgMin(x, 1, lastOfEqual: true).Operands[0],
        ];
        return [.. reductions.SelectMany(b.Results)];
    });

    // Few different values, so that most winners are equal to others; NaN and both zeros are among those of floating types.
    private static Literal Ties(DType type, long rows, long length)
    {
        var random = new Random((int)length);
        double[] values = type.IsFloating() ? [-2, -0.0, 0, 1, 2.5, double.NegativeInfinity, double.NaN] : [0, 1, 2, 100];
        return Literal.Generate(new TensorType(type, Shape.Of(rows, length)), at =>
        {
            int most = at[0] % 2 == 0 ? values.Length : values.Length - 2;
            return Scalar.FromNumber(type, values[random.Next(most)]);
        });
    }
}
