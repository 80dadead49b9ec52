using Graphene.Codegen;
using NUnit.Framework;

namespace Graphene.Tests.Codegen;

/// <summary>The transforms of 3x3 convolutions in tiles.</summary>
internal sealed class WinogradTransformTests
{
    // In f64 nothing but the algebra is left of the error.
    [TestCase(2)]
    [TestCase(4)]
    public void TheTransformsAreExactInRealArithmetic(int tile)
    {
        var transform = WinogradTransform.Of(tile);
        int patch = transform.Patch;
        var random = new Random(5);
        double[] d = Random(patch * patch);
        double[] kernel = Random(9);
        double[,] g = transform.Weights();
        var weights = new double[patch * patch];
        for (int i = 0; i < weights.Length; i++)
        {
            weights[i] = Enumerable.Range(0, 9).Sum(k => g[i / patch, k / 3] * g[i % patch, k % 3] * kernel[k]);
        }

        var b = new KBuilder();
        KBuffer input = KBuffer.ForArgument("d", DType.F64, 0, isReadOnly: true);
        KBuffer factors = KBuffer.ForArgument("u", DType.F64, 1, isReadOnly: true);
        KBuffer output = KBuffer.ForArgument("y", DType.F64, 2, isReadOnly: false);
        KBuffer products = b.Scratch("products", DType.F64, patch * patch);
        transform.EmitInput(b, (y, x) => new KLoad(input, (y * patch) + x), (y, x, v) => b.Store(
            products, (y * patch) + x, KBuilder.Multiply(v, new KLoad(factors, (y * patch) + x))));
        transform.EmitOutput(b, (y, x) => new KLoad(products, (y * patch) + x), (y, x, v) => b.Store(output, (y * tile) + x, v));
        var results = new double[tile * tile];
        byte[] bytes = new byte[results.Length * sizeof(double)];
        new KernelInterpreter(
            new Kernel("transform", [input, factors, output], new KVariable("task", KType.Index), 1, b.ToBlock(), default),
            [Bytes(d), Bytes(weights), bytes]).Run();
        Buffer.BlockCopy(bytes, 0, results, 0, bytes.Length);
        for (int i = 0; i < results.Length; i++)
        {
            double expected = Enumerable.Range(0, 9).Sum(k => kernel[k] * d[(((i / tile) + (k / 3)) * patch) + (i % tile) + (k % 3)]);
            Assert.That(results[i], Is.EqualTo(expected).Within(1e-14), $"result {i}");
        }

        double[] Random(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextDouble() - 0.5)];

        static byte[] Bytes(double[] values)
        {
            byte[] bytes = new byte[values.Length * sizeof(double)];
            Buffer.BlockCopy(values, 0, bytes, 0, bytes.Length);
            return bytes;
        }
    }
}
