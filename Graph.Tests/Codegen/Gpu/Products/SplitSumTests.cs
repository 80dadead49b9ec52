using Graphene.Codegen;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>Products whose k is shared out among tasks: the parts are added in order, and the fusion ends in the second kernel.</summary>
internal sealed class SplitSumTests
{
    [TestCase(DType.BF16, 2)]
    [TestCase(DType.F16, 3)]
    [TestCase(DType.I8, 4)]
    public void PartsAreAddedUp(DType type, int parts)
    {
        foreach ((int rows, int depth, int columns) in new[] { (5, 300, 40), (9, 70, 33), (16, 64, 16) })
        {
            DType result = type == DType.I8 ? DType.I32 : DType.F32;
            Module module = CompiledModule.Build(b =>
            {
                Node x = b.Parameter(0, new TensorType(type, Shape.Of(2, rows, depth)));
                Node y = b.Parameter(1, new TensorType(type, Shape.Of(2, depth, columns)));
                Node bias = b.Parameter(2, new TensorType(result, Shape.Of(columns)));
                Node sum = b.DotGeneral(x, y, [0], [0], [2], [1], result);
                return [b.Maximum(b.Add(sum, b.BroadcastInDim(bias, sum.Shape, [2])), b.Splat(result, sum.Shape, 0))];
            });
            Literal[] arguments = GpuDotTests.Arguments(module, 3);
            var plan = new ProductPlan(ProductUnit.Fragments, new ProductTile(16, 32, 128 / type.SizeInBytes(), 1, 2, 3), parts);
            var product = new PlannedProduct(module, plan);
            Assert.That(product.Kernels, Has.Count.EqualTo(2));
            LiteralAssert.AreClose(
                product.Run(arguments)[0], Evaluator.Evaluate(module.Entry, arguments)[0], 0,
                ProductNoise.Bound(DType.F32, DType.F32, depth), $"{rows}x{depth}x{columns}");
        }
    }

    [Test]
    public void SymbolicRowsAreServedByOneKernel()
    {
        Dim rows = Dim.Symbol("rows", 1, 16);
        Module module = GpuDotTests.Dot(DType.BF16, DType.BF16, "nn", rows, 2048, 256);
        var product = new PlannedProduct(module);
        Assert.That(product.Plan.Parts, Is.GreaterThan(1), product.Plan.ToString());
        Literal right = ProductNoise.Of(DType.BF16, 2, 2048, 256);
        Literal? last = null;
        foreach (int count in new[] { 16, 1, 7 })
        {
            Literal left = ProductNoise.Of(DType.BF16, 1, count, 2048);
            Literal actual = product.Run([left, right], _ => count)[0];
            Module whole = GpuDotTests.Dot(DType.BF16, DType.BF16, "nn", count, 2048, 256);
            LiteralAssert.AreClose(
                actual, CompiledModule.Run(whole, [left, right])[0], 0, ProductNoise.Bound(DType.F32, DType.BF16, 2048), $"{count} rows");
            if (last is not null)
            {
                Assert.That(Enumerable.Range(0, 256).All(i => actual[i] == last[i]), "bits depend on the number of rows");
            }
            last ??= actual;
        }
    }
}
