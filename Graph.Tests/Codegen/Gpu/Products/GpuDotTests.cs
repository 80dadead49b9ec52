using Graphene.Codegen;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>Dots by the GPU's schedule, run by the interpreter, against the reference: types, orders, tails, batches, epilogues.</summary>
internal sealed class GpuDotTests
{
    private static readonly GpuTarget Gpu = new(90, true);

    private static readonly DType[] Types =
        [DType.F32, DType.F64, DType.F16, DType.BF16, DType.I8, DType.U8, DType.I16, DType.I32, DType.I64, DType.U32];

    // Tails in every dimension, pitches that are aligned to 16, 8, 4 and 2 bytes, and empty sums.
    private static readonly (int Rows, int Depth, int Columns)[] Shapes =
        [(1, 1, 1), (5, 64, 48), (33, 40, 72), (70, 100, 36), (19, 33, 21), (64, 128, 64), (17, 70, 50), (3, 0, 5)];

    private static IEnumerable<TestCaseData> Cases =>
        from type in Types
        from order in new[] { "nn", "nt", "tn", "tt" }
        select new TestCaseData(type, order).SetArgDisplayNames(type.Name(), order);

    [TestCaseSource(nameof(Cases))]
    public void EqualsTheReference(DType type, string order)
    {
        foreach ((int rows, int depth, int columns) in Shapes)
        {
            DType result = type is DType.I8 or DType.U8 ? DType.I32 : type;
            Module module = Dot(type, result, order, rows, depth, columns);
            Literal[] arguments = Arguments(module, 1);
            Literal actual = new PlannedProduct(module).Run(arguments)[0];
            LiteralAssert.AreClose(
                actual, Evaluator.Evaluate(module.Entry, arguments)[0], 0,
                ProductNoise.Bound(type == DType.F64 ? DType.F64 : DType.F32, result, depth), $"{rows}x{depth}x{columns}");
        }
    }

    [TestCase("nn")]
    [TestCase("nt")]
    [TestCase("tn")]
    public void SumsOfF32HaveTheBitsOfTheProcessor(string order)
    {
        foreach ((int rows, int depth, int columns) in Shapes.Where(s => s.Depth > 0))
        {
            Module module = Dot(DType.F32, DType.F32, order, rows, depth, columns);
            Literal[] arguments = Arguments(module, 2);
            LiteralAssert.AreEqual(
                new PlannedProduct(module).Run(arguments)[0], CompiledModule.Run(module, arguments)[0], $"{rows}x{depth}x{columns}");
        }
    }

    [Test]
    public void TensorFloat32IsUsedOnlyWhenAsked()
    {
        foreach (string order in new[] { "nn", "nt", "tn", "tt" })
        {
            foreach ((int rows, int depth, int columns) in Shapes)
            {
                Module module = Dot(DType.F32, DType.F32, order, rows, depth, columns);
                Literal[] arguments = Arguments(module, 3);
                var product = new PlannedProduct(module, target: Gpu with { AllowsTensorFloat32 = true });
                Assert.That(product.Plan.Unit, Is.Not.EqualTo(ProductUnit.Lanes));
                Assert.That(new PlannedProduct(module).Plan.Unit, Is.EqualTo(ProductUnit.Lanes));
                // Operands err by 2^-11 each.
                LiteralAssert.AreClose(
                    product.Run(arguments)[0], Evaluator.Evaluate(module.Entry, arguments)[0], 0,
                    4 * Math.Sqrt(depth) * Math.ScaleB(1, -10), $"{order} {rows}x{depth}x{columns}");
            }
        }
    }

    [TestCase(DType.F16, DType.F32)]
    [TestCase(DType.BF16, DType.F32)]
    [TestCase(DType.I8, DType.I32)]
    [TestCase(DType.I8, DType.I8)]
    public void ResultsMayBeWider(DType type, DType result)
    {
        Module module = Dot(type, result, "nn", 37, 75, 41);
        Literal[] arguments = Arguments(module, 4);
        LiteralAssert.AreClose(
            new PlannedProduct(module).Run(arguments)[0], Evaluator.Evaluate(module.Entry, arguments)[0], 0,
            ProductNoise.Bound(DType.F32, result, 75));
    }

    [Test]
    public void BytesOfDifferentSignsGoTogether()
    {
        Module module = CompiledModule.Build(b =>
        [
            b.DotGeneral(
                b.Parameter(0, new TensorType(DType.U8, Shape.Of(40, 72))), b.Parameter(1, new TensorType(DType.I8, Shape.Of(72, 24))),
                [], [], [1], [0], DType.I32),
        ]);
        Literal[] arguments = Arguments(module, 5);
        LiteralAssert.AreEqual(new PlannedProduct(module).Run(arguments)[0], Evaluator.Evaluate(module.Entry, arguments)[0]);
    }

    [TestCase(DType.BF16)]
    [TestCase(DType.F32)]
    public void BatchesAndSeveralFreeDimensionsAreCounted(DType type)
    {
        // "bqhd,bkhd->bhqk", and two contracted dimensions in an order of their own.
        Module scores = CompiledModule.Build(b =>
        [
            b.DotGeneral(
                b.Parameter(0, new TensorType(type, Shape.Of(2, 19, 3, 24))), b.Parameter(1, new TensorType(type, Shape.Of(2, 21, 3, 24))),
                [0, 2], [0, 2], [3], [3], DType.F32),
        ]);
        Module twice = CompiledModule.Build(b =>
        [
            b.DotGeneral(
                b.Parameter(0, new TensorType(type, Shape.Of(5, 8, 7, 16))), b.Parameter(1, new TensorType(type, Shape.Of(16, 9, 8, 10))),
                [], [], [3, 1], [0, 2], DType.F32),
        ]);
        foreach (Module module in new[] { scores, twice })
        {
            Literal[] arguments = Arguments(module, 6);
            LiteralAssert.AreClose(
                new PlannedProduct(module).Run(arguments)[0], Evaluator.Evaluate(module.Entry, arguments)[0], 0,
                ProductNoise.Bound(DType.F32, DType.F32, 128));
        }
    }

    [TestCase(DType.F16)]
    [TestCase(DType.F32)]
    public void EpiloguesStayInTheKernel(DType type)
    {
        foreach ((int rows, int columns) in new[] { (37, 40), (21, 33) })
        {
            Module module = CompiledModule.Build(b =>
            {
                Node x = b.Parameter(0, new TensorType(type, Shape.Of(rows, 48)));
                Node w = b.Parameter(1, new TensorType(type, Shape.Of(48, columns)));
                Node bias = b.Parameter(2, new TensorType(DType.F32, Shape.Of(columns)));
                Node residual = b.Parameter(3, new TensorType(type, Shape.Of(rows, columns)));
                Node sum = b.DotGeneral(x, w, [], [], [1], [0], DType.F32);
                Node biased = b.Add(sum, b.BroadcastInDim(bias, sum.Shape, [1]));
                Node active = b.Maximum(biased, b.Splat(DType.F32, sum.Shape, 0));
                return [b.Add(b.Convert(active, type), residual)];
            });
            Literal[] arguments = Arguments(module, 7);
            var product = new PlannedProduct(module);
            Assert.That(product.Kernels, Has.Count.EqualTo(1));
            LiteralAssert.AreClose(
                product.Run(arguments)[0], Evaluator.Evaluate(module.Entry, arguments)[0], 0, ProductNoise.Bound(DType.F32, type, 48),
                $"{rows}x{columns}");
        }
    }

    [TestCase(DType.BF16)]
    [TestCase(DType.F32)]
    public void SymbolicSizesAreServedByOneKernel(DType type)
    {
        Dim m = Dim.Symbol("m", 1, 512);
        Dim k = Dim.Symbol("k", 1, 512);
        Dim n = Dim.Symbol("n", 1, 512);
        Module module = CompiledModule.Build(b =>
        [
            b.DotGeneral(
                b.Parameter(0, new TensorType(type, Shape.From([m, k]))), b.Parameter(1, new TensorType(type, Shape.From([k, n]))),
                [], [], [1], [0], DType.F32),
        ]);
        var product = new PlannedProduct(module);
        foreach ((int rows, int depth, int columns) in new[] { (1, 7, 130), (65, 40, 33), (3, 1, 1), (16, 64, 64) })
        {
            Literal[] arguments = [ProductNoise.Of(type, 8, rows, depth), ProductNoise.Of(type, 9, depth, columns)];
            Module whole = Dot(type, DType.F32, "nn", rows, depth, columns);
            Literal actual = product.Run(arguments, s => s.Name switch { "m" => rows, "k" => depth, _ => columns })[0];
            LiteralAssert.AreClose(
                actual, Evaluator.Evaluate(whole.Entry, arguments)[0],
                0, ProductNoise.Bound(DType.F32, DType.F32, depth),
                $"{rows} {depth} {columns}");
        }
    }

    /// <summary>x[rows, depth] * y[depth, columns], either of them transposed in memory.</summary>
    internal static Module Dot(DType type, DType result, string order, Dim rows, Dim depth, Dim columns) => CompiledModule.Build(b =>
    {
        bool isLeftTurned = order[0] == 't';
        bool isRightTurned = order[1] == 't';
        Node x = b.Parameter(0, new TensorType(type, isLeftTurned ? [depth, rows] : [rows, depth]));
        Node y = b.Parameter(1, new TensorType(type, isRightTurned ? [columns, depth] : [depth, columns]));
        return [b.DotGeneral(x, y, [], [], [isLeftTurned ? 0 : 1], [isRightTurned ? 1 : 0], result)];
    });

    internal static Literal[] Arguments(Module module, int seed) => [.. module.Entry.Parameters.Select((p, i) => ProductNoise.Of(
        p.DType, seed + (10 * i), [.. p.Shape.Select(d => d.Value)]))];
}
