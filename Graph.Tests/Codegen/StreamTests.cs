using System.Runtime.InteropServices;
using Graphene.Codegen;
using Graphene.Codegen.Llvm;
using Graphene.Tests.Codegen.KernelIr;
using Graphene.Tests.Support;
using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Codegen;

/// <summary>Schedules of memory-bound work give what the plain loops give: every size, every place in memory, every divisor.</summary>
internal sealed class StreamTests
{
    private static IEnumerable<TestCaseData> Transposes()
    {
        foreach (DType type in (DType[])[DType.F32, DType.F64, DType.BF16, DType.I8, DType.Bool])
        {
            yield return new TestCaseData(type, new long[] { 64, 64 }, new[] { 1, 0 });
            yield return new TestCaseData(type, new long[] { 300, 283 }, new[] { 1, 0 });
            yield return new TestCaseData(type, new long[] { 3, 37, 70 }, new[] { 0, 2, 1 });
            yield return new TestCaseData(type, new long[] { 18, 5, 33 }, new[] { 2, 1, 0 });
            yield return new TestCaseData(type, new long[] { 2, 19, 7, 21 }, new[] { 0, 2, 3, 1 });
            yield return new TestCaseData(type, new long[] { 2, 3, 37, 70 }, new[] { 0, 2, 3, 1 });
            yield return new TestCaseData(type, new long[] { 4, 9000 }, new[] { 1, 0 });
        }
    }

    [TestCaseSource(nameof(Transposes))]
    public void TransposesMoveEveryElement(DType type, long[] shape, int[] order)
    {
        Axes permutation = [.. order];
        Literal x = Literal.Generate(
            new TensorType(type, Shape.Of(shape)), at => Element(type, at.Aggregate(0L, (n, i) => ((n * 31) + i) % 101)));
        Module module = CompiledModule.Build(b => [b.Transpose(b.Parameter(0, x.Type), permutation)]);

        Literal expected = Evaluator.Evaluate(module.Entry, [x])[0];

        LiteralAssert.AreEqual(CompiledModule.Run(module, [x])[0], expected);
        LiteralAssert.AreEqual(new InterpretedModule(module).Run([x])[0], expected, "interpreted");
    }

    [Test]
    public void ImagesGetTheirBorderWhileTheirColoursAreBroughtTogether(
        [Values(DType.F32, DType.F64, DType.F16, DType.U8)] DType type, [Values(2, 3, 4)] int colours)
    {
        Literal image = Literal.Generate(
            new TensorType(type, Shape.Of(2, colours, 21, 70)), at => Element(type, (at[0] * 31) + (at[1] * 7) + (at[2] * 70) + at[3]));
        Module Bordered(Shape shape) => CompiledModule.Build(b => [b.Add(
            new PadOp([0, 1, 3, 0], [0, 2, -1, 0], [0, 0, 0, 0]),
            b.Transpose(b.Parameter(0, new TensorType(type, shape)), [0, 2, 3, 1]), b.Constant(Element(type, 5)))]);
        Module known = Bordered(image.Shape);
        Module fed = Bordered([Dim.Symbol("images", 1, 64), colours, Dim.Symbol("height", 1, 4096), Dim.Symbol("width", 1, 4096)]);

        Literal expected = Evaluator.Evaluate(known.Entry, [image])[0];

        var interpreted = new InterpretedModule(known);
        LiteralAssert.AreEqual(interpreted.Run([image])[0], expected, "interpreted");
        LiteralAssert.AreEqual(CompiledModule.Run(known, [image], 2)[0], expected);
        LiteralAssert.AreEqual(CompiledModule.Run(fed, [image], 2)[0], expected, "fed");
        Assert.That(interpreted.Kernels.Count(), Is.EqualTo(1));
    }

    [Test]
    public void ConcatenationsCopyStrips(
        [Values(DType.F32, DType.BF16, DType.Bool)] DType type, [Values(1, 2)] int dimension, [Values(17, 64, 9000)] int width)
    {
        Literal[] parts = [.. ((int[])[width, 1, 2 * width, 70]).Select((w, part) => Literal.Generate(
            new TensorType(type, dimension == 1 ? Shape.Of(3, w, 2) : Shape.Of(2, 3, w)),
            at => Element(type, (at[0] * 31) + (at[1] * 7) + at[2] + part)))];
        Module known = CompiledModule.Build(b => [b.Concatenate([.. parts.Select((p, i) => b.Parameter(i, p.Type))], dimension)]);
        var rows = Dim.Symbol("rows", 1, 1 << 20);
        var wide = Dim.Symbol("width", 1, 1 << 20);
        Dim[] Fed(Shape shape, int part) =>
            [rows, .. shape.Skip(1).Select((d, axis) => part == 0 && axis == dimension - 1 ? wide : d)];
        Module fed = CompiledModule.Build(b =>
            [b.Concatenate([.. parts.Select((p, i) => b.Parameter(i, new TensorType(type, [.. Fed(p.Shape, i)])))], dimension)]);

        Literal expected = Evaluator.Evaluate(known.Entry, parts)[0];

        LiteralAssert.AreEqual(CompiledModule.Run(known, parts, 2)[0], expected);
        LiteralAssert.AreEqual(CompiledModule.Run(fed, parts, 2)[0], expected, "fed");
        LiteralAssert.AreEqual(new InterpretedModule(known).Run(parts)[0], expected, "interpreted");
    }

    [TestCase(1 << 16, 1)]
    [TestCase(1 << 16, 2)]
    [TestCase(3 << 20, 2)]
    public void ResultsWhoseSizeIsFedAreComplete(int rows, int threads)
    {
        Literal x = Noise([rows, 2], 31);
        Module module = CompiledModule.Build(b =>
        {
            Node p = b.Parameter(0, new TensorType(DType.F32, [Dim.Symbol("rows", 1, 1 << 24), 2]));
            return [b.Add(p, p), b.Negate(p)];
        });
        float[] values = x.As<float>().ToArray();

        Literal[] actual = CompiledModule.Run(module, [x], threads);

        Assert.That(actual[0].As<float>().SequenceEqual([.. values.Select(v => v + v)]));
        Assert.That(actual[1].As<float>().SequenceEqual([.. values.Select(v => -v)]));
    }

    [Test]
    public void ImagesGrowByRepeatingTheirColumns(
        [Values(DType.F32, DType.F64, DType.F16, DType.U8)] DType type, [Values(1, 3, 4, 7, 13, 28, 70)] int width, [Values(2, 3, 4)] int times)
    {
        Literal image = Literal.Generate(
            new TensorType(type, Shape.Of(2, 5, width)), at => Element(type, (at[0] * 31) + (at[1] * 70) + at[2]));
        Module Grown(Shape shape) => CompiledModule.Build(b => [b.Reshape(
            b.BroadcastInDim(b.Parameter(0, new TensorType(type, shape)), [shape[0], 5, times, shape[2], times], [0, 1, 3]),
            [shape[0], 5 * times, shape[2] * times])]);
        Module known = Grown(image.Shape);
        Module fed = Grown([Dim.Symbol("images", 1, 64), 5, Dim.Symbol("width", 1, 4096)]);

        Literal expected = Evaluator.Evaluate(known.Entry, [image])[0];

        LiteralAssert.AreEqual(CompiledModule.Run(known, [image], 2)[0], expected);
        LiteralAssert.AreEqual(CompiledModule.Run(fed, [image], 2)[0], expected, "fed");
        LiteralAssert.AreEqual(new InterpretedModule(known).Run([image])[0], expected, "interpreted");
    }

    [Test]
    public void GroupsOfChannelsAreReadAlongTheirRows()
    {
        Literal x = Noise([2, 4, 320], 31);
        Literal ofGroup = Noise([2, 4], 32);
        Literal ofChannel = Noise([8], 33);
        Module module = CompiledModule.Build(b =>
        {
            Node p = b.Parameter(0, x.Type);
            Node grouped = b.Multiply(p, b.BroadcastInDim(b.Parameter(1, ofGroup.Type), p.Shape, [0, 1]));
            Node channels = b.Reshape(grouped, [2, 8, 4, 40]);
            return [b.Multiply(channels, b.BroadcastInDim(b.Parameter(2, ofChannel.Type), channels.Shape, [1]))];
        });
        var interpreted = new InterpretedModule(module);

        Literal expected = Evaluator.Evaluate(module.Entry, [x, ofGroup, ofChannel])[0];

        LiteralAssert.AreEqual(CompiledModule.Run(module, [x, ofGroup, ofChannel])[0], expected);
        LiteralAssert.AreEqual(interpreted.Run([x, ofGroup, ofChannel])[0], expected, "interpreted");
        Assert.That(interpreted.Kernels.Select(KernelPrinter.Print), Has.One.Items.And.None.Contains("gather("));
    }

    // The sum's columns and the rows of what it adds up are equally many, but they are no loop that both share.
    [Test]
    public void ASumAcrossRowsOfASquareTakesLanesBesideItsElements()
    {
        Literal x = Noise([3, 40, 40], 31);
        Module module = CompiledModule.Build(b =>
        {
            Node e = b.Exponential(b.Parameter(0, x.Type));
            return [b.ReduceSum(e, [1]), e];
        });
        var interpreted = new InterpretedModule(module);
        float[] exponentials = CompiledModule.Run(module, [x])[1].As<float>().ToArray();

        float[] sums = CompiledModule.Run(module, [x], 2)[0].As<float>().ToArray();

        Assert.That(sums, Is.EqualTo(Enumerable.Range(0, 120).Select(i => (float)Enumerable.Range(0, 40).Sum(
            row => (double)exponentials[(i / 40 * 1600) + (row * 40) + (i % 40)]))).AsCollection.Within(1e-4));
        Assert.That(interpreted.Kernels.Select(KernelPrinter.Print), Has.None.Contains(": f32 = exponential("));
        LiteralAssert.AreEqual(interpreted.Run([x])[0], Literal.From<float>(sums, 3, 40));
    }

    private static Scalar Element(DType type, long number) =>
        type == DType.Bool ? Scalar.FromBool(number % 2 == 1) : Scalar.FromNumber(type, number % 101);

    [Test]
    public void AChainAroundATransposeIsComputedInTheTile()
    {
        Literal x = Noise([45, 67], 31);
        Module module = CompiledModule.Build(b =>
        {
            Node p = b.Parameter(0, x.Type);
            Node t = b.Transpose(b.Multiply(p, p), [1, 0]);
            Node row = b.BroadcastInDim(b.Slice(p, [0, 0], [1, 45]), t.Shape, [0, 1]);
            return [b.Add(t, row), b.Negate(t)];
        });
        float[] values = x.As<float>().ToArray();

        Literal[] actual = CompiledModule.Run(module, [x]);

        for (int i = 0; i < 67; i++)
        {
            for (int j = 0; j < 45; j++)
            {
                float square = values[(j * 67) + i] * values[(j * 67) + i];
                Assert.That(actual[0].As<float>()[(i * 45) + j], Is.EqualTo(square + values[j]));
                Assert.That(actual[1].As<float>()[(i * 45) + j], Is.EqualTo(-square));
            }
        }
    }

    [TestCase(1)]
    [TestCase(2)]
    public void ResultsAroundTheCachesAreComplete(int threads)
    {
        const int rows = 2048;
        const int columns = 2064;
        Literal x = Noise([rows, columns], 31);
        Module module = CompiledModule.Build(b =>
        {
            Node p = b.Parameter(0, x.Type);
            return [b.Transpose(p, [1, 0]), b.Add(p, p), b.HyperbolicTangent(p)];
        });
        float[] values = x.As<float>().ToArray();

        Literal[] actual = CompiledModule.Run(module, [x], threads);

        Assert.That(actual[0].As<float>().ToArray(), Is.EqualTo(Enumerable.Range(0, rows * columns).Select(
            i => values[(i % rows * columns) + (i / rows)])).AsCollection);
        Assert.That(actual[1].As<float>().ToArray(), Is.EqualTo(values.Select(v => v + v)).AsCollection);
        Assert.That(actual[2].As<float>().ToArray(), Is.EqualTo(values.Select(MathF.Tanh)).AsCollection.Within(1e-6));
    }

    [Test]
    public unsafe void StreamingStoresWorkAtAnyPlace([Values(0, 4, 16, 32, 60)] int offset)
    {
        const int count = 96;
        KBuffer x = KBuffer.ForArgument("x", DType.F32, 0, isReadOnly: true);
        KBuffer y = KBuffer.ForArgument("y", DType.F32, 1, isReadOnly: false);
        var b = new KBuilder();
        b.Add(new KPrefetch(x, 1 << 20));
        b.For("i", 0, count, 16, i => b.Stream(y, i, new KLoad(x, i, 16)));
        var kernel = new Kernel("stream", [x, y], new KVariable("t", KType.Index), 1, b.ToBlock(), default);
        KernelVerifier.Verify(kernel);
        using var compiled = new CompiledKernel(kernel);
        byte* memory = (byte*)NativeMemory.AlignedAlloc(4096, 64);
        try
        {
            var from = new Span<float>(memory, count);
            var to = new Span<float>(memory + 2048 + offset, count + 1);
            for (int i = 0; i < count; i++)
            {
                from[i] = i + 1;
            }
            to[count] = -1;

            compiled.RunInPlace(0, 1, [(nint)memory, (nint)(memory + 2048 + offset)]);

            Assert.That(to[..count].ToArray(), Is.EqualTo(from.ToArray()).AsCollection);
            Assert.That(to[count], Is.EqualTo(-1), "behind the end");
        }
        finally
        {
            NativeMemory.AlignedFree(memory);
        }
        Assert.That(compiled.Text, Does.Contain("!nontemporal"));
    }

    [Test]
    public void AFenceEndsAKernelThatStreams()
    {
        KBuffer y = KBuffer.ForArgument("y", DType.F32, 0, isReadOnly: false);
        string Print(bool streams) => new LlvmKernelPrinter(LlvmTarget.X64V3, _ => 0).Print(new Kernel(
            "k", [y], new KVariable("t", KType.Index), 1,
            new KBlock([new KStore(y, 0, new KConstant(Scalar.One(DType.F32), 8), IsStreaming: streams)]), default));

        Assert.That(Print(true), Does.Match(@"sfence\(\)\s+ret void"));
        Assert.That(Print(false), Does.Not.Contain("sfence").And.Not.Contain("nontemporal !5"));
    }

    [Test]
    public void ManyNumbersByOneAreDividedExactly()
    {
        float[] some =
        [
            .. SampleBits.Edges(DType.F32).Select(b => BitConverter.UInt32BitsToSingle((uint)b)),
            3, 1.9999999f, 7e-19f, -5e18f,
        ];
        var random = new Random(3);
        float[] many =
        [
            .. some, .. some.Select(s => -s),
            .. Enumerable.Range(0, 3000).Select(_ => BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue))),
            .. Enumerable.Range(0, 3000).Select(_ => random.NextSingle() + 0.5f),
        ];
        var dividends = Literal.From<float>(some.SelectMany(_ => many).ToArray(), some.Length, many.Length);
        var divisors = Literal.From<float>(some, some.Length);
        Module module = CompiledModule.Build(b =>
        {
            Node x = b.Parameter(0, dividends.Type);
            return [b.Divide(x, b.BroadcastInDim(b.Parameter(1, divisors.Type), x.Shape, [0]))];
        });
        Literal expected = Literal.From<float>(some.SelectMany(d => many.Select(a => a / d)).ToArray(), some.Length, many.Length);

        LiteralAssert.AreEqual(CompiledModule.Run(module, [dividends, divisors])[0], expected);
    }

    [Test]
    public void SoftmaxDividesTheExponentialsThatItAddsUp([Values(5, 77, 1024, 20_001, 40_001)] int length, [Values] bool isFed)
    {
        Literal x = Noise([3, length], 31);
        Shape shape = isFed ? [Dim.Symbol("rows", 1, 64), Dim.Symbol("length", 1, 1 << 20)] : x.Shape;
        Literal softmax = CompiledModule.Run(
            CompiledModule.Build(b => [b.Softmax(b.Parameter(0, new TensorType(DType.F32, shape)), 1)]), [x], 2)[0];
        Literal[] parts = CompiledModule.Run(
            CompiledModule.Build(b =>
            {
                Node p = b.Parameter(0, x.Type);
                Node e = b.Exponential(b.Subtract(p, b.BroadcastInDim(b.ReduceMax(p, [1]), p.Shape, [0])));
                return [e, b.ReduceSum(e, [1])];
            }),
            [x]);

        for (int i = 0; i < 3 * length; i++)
        {
            Assert.That(softmax.As<float>()[i], Is.EqualTo(parts[0].As<float>()[i] / parts[1].As<float>()[i / length]));
        }
    }

    // The maximum of a softmax takes elements as they come: what is not a number has to reach the results by the sum.
    [Test]
    public void SoftmaxOfRowsThatAreNotAllNumbersIsThatOfTheReference([Values(5, 77, 300, 1024, 17_001)] int length)
    {
        float[] special = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, -0f, 0, float.MinValue, 1e-40f];
        float[] values = Noise([(2 * special.Length) + 2, length], 31).As<float>().ToArray();
        for (int row = 0; row < special.Length; row++)
        {
            values[(row * length) + (row * 13 % length)] = special[row];
            values.AsSpan((special.Length + row) * length, length).Fill(special[row]);
        }
        values.AsSpan(2 * special.Length * length, length).Fill(float.NegativeInfinity);
        values[(2 * special.Length * length) + length - 1] = float.NaN;
        Literal x = Literal.From<float>(values, (2 * special.Length) + 2, length);
        Module module = CompiledModule.Build(b => [b.Softmax(b.Parameter(0, x.Type), 1)]);

        Literal actual = CompiledModule.Run(module, [x])[0];

        Literal expected = Evaluator.Evaluate(module.Entry, [x])[0];
        Assert.That(
            actual.As<float>().ToArray().Select(v => float.IsNaN(v)), Is.EqualTo(expected.As<float>().ToArray().Select(v => float.IsNaN(v))));
        Assert.That(actual.As<float>().ToArray().Where(v => !float.IsNaN(v)), Is.EqualTo(
            expected.As<float>().ToArray().Where(v => !float.IsNaN(v))).AsCollection.Within(1e-6));
    }

    // One row longer than a task, written over its operand: no task may see what another one wrote.
    [Test]
    public void ALongRowIsReducedBeforeItIsOverwritten()
    {
        const int count = 40_000;
        Literal x = Noise([1, 2], 31);
        Literal weights = Noise([2, count], 31);
        Module module = CompiledModule.Build(b => [b.Softmax(b.Dot(b.Parameter(0, x.Type), b.Constant(weights)), 1)]);
        (float[] v, float[] w) = (x.As<float>().ToArray(), weights.As<float>().ToArray());
        double[] e = [.. Enumerable.Range(0, count).Select(i => Math.Exp((v[0] * w[i]) + (v[1] * w[count + i])))];

        double sum = e.Sum();

        Literal actual = CompiledModule.Run(module, [x], 2)[0];

        Assert.That(actual.As<float>().ToArray(), Is.EqualTo(e.Select(n => (float)(n / sum))).AsCollection.Within(4e-9));
    }
}
