using Graphene.Tests.Codegen.KernelIr;
using Graphene.Tests.Support;
using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Codegen;

/// <summary>
/// The schedules of gradients give the bits of plain loops, on one thread and on two, compiled and interpreted: products of operands
/// that are packed, long sums in blocks, sums of columns, and poolings whose windows do not overlap.
/// </summary>
internal sealed class GradientKernelTests
{
    private static readonly int[] ThreadCounts = [1, 2];

    [TestCase(61, 37, 277, 1, 0, TestName = "right operand copied")]
    [TestCase(30, 53, 91, 1, 1, TestName = "right operand transposed")]
    [TestCase(75, 33, 70, 0, 0, TestName = "left operand packed")]
    [TestCase(75, 33, 70, 0, 1, TestName = "both operands packed")]
    [TestCase(60, 2117, 70, 1, 0, TestName = "long sums")]
    [TestCase(29, 2117, 70, 1, 1, TestName = "long sums, right operand transposed")]
    [TestCase(60, 2117, 70, 0, 0, TestName = "long sums, left operand packed")]
    [TestCase(3, 2117, 37, 1, 1, TestName = "long sums of few rows")]
    public void ProductsGiveTheBitsOfPlainLoops(int m, int k, int n, int left, int right)
    {
        Literal x = left == 1 ? Noise([m, k], 1) : Noise([k, m], 1);
        Literal y = right == 0 ? Noise([k, n], 2) : Noise([n, k], 2);
        Module module = CompiledModule.Build(b => [b.DotGeneral(b.Parameter(0, x.Type), b.Parameter(1, y.Type), [], [], [left], [right])]);
        float[] expected = new float[m * n];
        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j < n; j++)
            {
                for (int l = 0; l < k; l++)
                {
                    float a = x.As<float>()[left == 1 ? (i * k) + l : (l * m) + i];
                    float c = y.As<float>()[right == 0 ? (l * n) + j : (j * k) + l];
                    expected[(i * n) + j] = MathF.FusedMultiplyAdd(a, c, expected[(i * n) + j]);
                }
            }
        }

        AssertBits(module, [x, y], expected);
    }

    [Test]
    public void BatchesOfPackedOperandsAreKeptApart()
    {
        Literal x = Noise([3, 2, 17, 40], 1);
        Literal y = Noise([2, 3, 17, 67], 2);
        Module module = CompiledModule.Build(
            b => [b.DotGeneral(b.Parameter(0, x.Type), b.Parameter(1, y.Type), [0, 1], [1, 0], [2], [2])]);
        float[] expected = new float[3 * 2 * 40 * 67];
        for (int at = 0; at < expected.Length; at++)
        {
            (int batch, int row, int column) = (at / (40 * 67), at / 67 % 40, at % 67);
            int other = (batch % 2 * 3) + (batch / 2);
            for (int k = 0; k < 17; k++)
            {
                expected[at] = MathF.FusedMultiplyAdd(
                    x.As<float>()[(((batch * 17) + k) * 40) + row], y.As<float>()[(((other * 17) + k) * 67) + column], expected[at]);
            }
        }

        AssertBits(module, [x, y], expected);
    }

    [TestCase(5, 15, 7, 20, 3)]
    [TestCase(3, 9, 1, 33, 3)]
    [TestCase(70, 5, 6, 40, 1)]
    public void GradientsByKernelsAreProductsWhereTheImagesLie(int batch, int size, int inputs, int outputs, int kernel)
    {
        Literal x = Noise([batch, size, size, inputs], 1);
        Literal d = Noise([batch, size, size, outputs], 2);
        var window = new WindowDim(size, Low: kernel / 2, High: kernel / 2);
        var dimensions = new ConvolutionDimensions(3, 0, [1, 2], 0, 3, [1, 2], 2, 3, [0, 1]);
        Module module = CompiledModule.Build(
            b => [b.Convolution(b.Parameter(0, x.Type), b.Parameter(1, d.Type), dimensions, [window, window])]);
        float[] expected = new float[kernel * kernel * inputs * outputs];
        for (int at = 0; at < expected.Length; at++)
        {
            int output = at % outputs;
            int input = at / outputs % inputs;
            int row = (at / (outputs * inputs) / kernel) - (kernel / 2);
            int column = (at / (outputs * inputs) % kernel) - (kernel / 2);
            for (int i = 0; i < size; i++)
            {
                for (int j = 0; j < size; j++)
                {
                    bool isInside = i + row >= 0 && i + row < size && j + column >= 0 && j + column < size;
                    for (int image = 0; image < batch && isInside; image++)
                    {
                        expected[at] = MathF.FusedMultiplyAdd(
                            x.As<float>()[(((((image * size) + i + row) * size) + j + column) * inputs) + input],
                            d.As<float>()[(((((image * size) + i) * size) + j) * outputs) + output], expected[at]);
                    }
                }
            }
        }

        AssertBits(module, [x, d], expected);
    }

    [TestCase(300, 37)]
    [TestCase(2000, 64)]
    [TestCase(1111, 200)]
    public void SumsOfColumnsAndTheirElementsRunInBlocks(int rows, int columns)
    {
        Literal x = Noise([rows, columns], 1);
        Literal d = Noise([rows, columns], 2);
        Literal p = Noise([columns], 3);
        Module module = CompiledModule.Build(b =>
        {
            Node a = b.Parameter(0, x.Type);
            Node zero = b.Splat(DType.F32, a.Shape, 0);
            Node passed = b.Select(b.Greater(a, zero), b.Parameter(1, d.Type), zero);
            Node step = b.Multiply(b.ReduceSum(passed, [0]), b.Splat(DType.F32, p.Shape, 0.25));
            return [passed, b.Subtract(b.Parameter(2, p.Type), step), b.ReduceSum(b.Multiply(passed, a), [0])];
        });
        float[] passed = [.. x.As<float>().ToArray().Zip(d.As<float>().ToArray(), (a, g) => a > 0 ? g : 0)];
        float[] products = [.. passed.Zip(x.As<float>().ToArray(), (g, a) => g * a)];
        float[] sums = InBlocks(passed, rows, columns);
        float[] next = [.. sums.Zip(p.As<float>().ToArray(), (s, v) => v - (s * 0.25f))];

        AssertBits(module, [x, d, p], passed, next, InBlocks(products, rows, columns));
    }

    [Test]
    public void SumsOverASymbolicNumberOfRowsHaveTheBitsOfAFixedOne()
    {
        Literal x = Noise([1111, 64], 1);
        Module Sums(Dim rows) => CompiledModule.Build(
            b => [b.ReduceSum(b.Parameter(0, new TensorType(DType.F32, [rows, 64])), [0])]);

        Literal expected = CompiledModule.Run(Sums(1111), [x])[0];

        LiteralAssert.AreEqual(CompiledModule.Run(Sums(Dim.Symbol("rows", 1, 10_000)), [x])[0], expected);
    }

    // Larger than the caches: rows of less than two kilobytes are read one after another, others side by side, and what
    // comes is asked for.
    [TestCase(16_403, 260)]
    [TestCase(4101, 1030)]
    [TestCase(1029, 4200)]
    public void SumsOfLargeMatricesHaveTheBitsOfSymbolicOnes(int rows, int columns)
    {
        Literal x = Noise([rows, columns], 1);
        Module Sum(Dim size, Axes axes) => CompiledModule.Build(
            b => [b.ReduceSum(b.Parameter(0, new TensorType(DType.F32, [size, columns])), axes)]);
        Literal ofRows = CompiledModule.Run(Sum(rows, [0]), [x])[0];

        Assert.That(ofRows.As<float>().ToArray(), Is.EqualTo(InBlocks(x.As<float>().ToArray(), rows, columns)).AsCollection);
        foreach (Axes axes in new Axes[] { [0], [1], [0, 1] })
        {
            Literal expected = CompiledModule.Run(Sum(Dim.Symbol("rows", 1, 20_000), axes), [x])[0];
            foreach (int threads in ThreadCounts)
            {
                LiteralAssert.AreEqual(CompiledModule.Run(Sum(rows, axes), [x], threads)[0], expected);
            }
        }
    }

    // Windows of 2 by 3, with ties, NaN and infinities; behind the last whole window nothing is picked.
    [TestCase(0, 0)]
    [TestCase(1, 0)]
    [TestCase(1, 2)]
    public void WindowsThatDoNotOverlapPickWhatTheDefinitionPicks(int low, int high)
    {
        var random = new Random(7);
        float[] values = [.. Enumerable.Range(0, 2 * 9 * 11 * 19).Select(_ => random.Next(8) switch
        {
            0 => float.NaN,
            1 => float.NegativeInfinity,
            2 => -0f,
            var n => n - 4f,
        })];
        Literal x = Literal.From<float>(values, 2, 9, 11, 19);
        WindowDim[] window =
            [WindowDim.Identity, new(2, Stride: 2, Low: low, High: high), new(3, Stride: 4, Low: low, High: high), WindowDim.Identity];
        long[] places = [2, ((9 + low + high - 2) / 2) + 1, ((11 + low + high - 3) / 4) + 1, 19];
        Literal source = Noise(places, 4);
        Module module = CompiledModule.Build(b => [b.SelectAndScatter(
            b.Parameter(0, x.Type), b.Parameter(1, source.Type), b.Constant(DType.F32, 0), window,
            b.Nested("keep", [b.Constant(DType.F32, 0), b.Constant(DType.F32, 0)], (c, q) => [c.GreaterOrEqual(q[0], q[1])]),
            ReductionBody.Of(ElementwiseTable.Add, DType.F32))]);

        Literal expected = Evaluator.Evaluate(module.Entry, [x, source])[0];

        Assert.That(module.Entry.Results[0].Op.HasElementForm, Is.True);
        AssertBits(module, [x, source], expected.As<float>().ToArray());
    }

    private static float[] InBlocks(float[] values, int rows, int columns)
    {
        float[] sums = new float[columns];
        for (int column = 0; column < columns; column++)
        {
            float total = -0f;
            for (int block = 0; block < rows; block += 128)
            {
                float sum = -0f;
                for (int i = block; i < Math.Min(block + 128, rows); i++)
                {
                    sum += values[(i * columns) + column];
                }
                total += sum;
            }
            sums[column] = 0 + total;
        }
        return sums;
    }

    private static void AssertBits(Module module, Literal[] inputs, params float[][] expected)
    {
        foreach (int threads in ThreadCounts)
        {
            Literal[] actual = CompiledModule.Run(module, inputs, threads);
            for (int i = 0; i < expected.Length; i++)
            {
                Assert.That(actual[i].As<float>().ToArray(), Is.EqualTo(expected[i]).AsCollection, $"result {i} on {threads} threads");
            }
        }
        Literal[] interpreted = new InterpretedModule(module).Run(inputs);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.That(interpreted[i].As<float>().ToArray(), Is.EqualTo(expected[i]).AsCollection, $"result {i} interpreted");
        }
    }
}
