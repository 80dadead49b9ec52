namespace Graphene.GpuCheck;

/// <summary>A graph that is measured, under the name that the peers' script has for the same work.</summary>
internal sealed record BenchmarkCase(string Name, Module Module, long Flops, long Bytes)
{
    public static IEnumerable<BenchmarkCase> All =>
    [
        .. from type in (DType[])[DType.BF16, DType.F16, DType.F32]
           from size in (int[])[1024, 4096, 8192]
           select Product(type, size),
        Rows("softmax-f32-8192x4096", 8192, 4096, x => x.Softmax()),
        Rows("layernorm-f32-8192x4096", 8192, 4096, x => x.LayerNorm()),
        Rows("gelu-f32-8192x8192", 8192, 8192, x => x.Gelu()),
        Rows("rowsum-f32-8192x8192", 8192, 8192, x => x.ReduceSum(1), resultIsRow: true),
        Rows("columnsum-f32-8192x8192", 8192, 8192, x => x.ReduceSum(0), resultIsRow: true),
        Rows("transpose-f32-8192x8192", 8192, 8192, x => x.Transpose([1, 0])),
        Attention(8, 16, 2048, 64),
    ];

    private static BenchmarkCase Product(DType type, int size)
    {
        var g = new Graph();
        Tensor x = g.Placeholder(type, Shape.Of(size, size), "x"), y = g.Placeholder(type, Shape.Of(size, size), "y");
        long count = (long)size * size;
        return new BenchmarkCase(
            $"product-{type.Name()}-{size}", g.ToModule([x.MatMul(y)]), 2 * count * size, 3 * count * type.SizeInBytes());
    }

    private static BenchmarkCase Rows(string name, int rows, int columns, Func<Tensor, Tensor> f, bool resultIsRow = false)
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F32, Shape.Of(rows, columns), "x");
        long bytes = (long)rows * columns * sizeof(float);
        return new BenchmarkCase(name, g.ToModule([f(x)]), 0, resultIsRow ? bytes : 2 * bytes);
    }

    private static BenchmarkCase Attention(int batch, int heads, int length, int depth)
    {
        var g = new Graph();
        Tensor[] qkv = [.. "qkv".Select(name => g.Placeholder(DType.BF16, Shape.Of(batch, heads, length, depth), $"{name}"))];
        Tensor y = (qkv[0].MatMul(qkv[1].Transpose([0, 1, 3, 2])) * 0.125f).Softmax().MatMul(qkv[2]);
        long count = (long)batch * heads * length * depth;
        return new BenchmarkCase($"attention-bf16-{batch}x{heads}x{length}x{depth}", g.ToModule([y]), 4 * count * length, 8 * count);
    }
}
