using static Graphene.Bench.OpCase;

namespace Graphene.Bench;

/// <summary>A memory-bound or attention workload that Graphene and PyTorch both run.</summary>
/// <param name="Case">The graph.</param>
/// <param name="Peer">What torch_bench.py calls it; where PyTorch can write it in several ways, the fastest counts.</param>
/// <param name="Goal">The share of PyTorch's time that the project wants to stay below.</param>
internal sealed record TorchWorkload(OpCase Case, string[] Peer, double? Goal)
{
    private const double MiB = 1 << 20;

    /// <summary>All workloads, in the order of the table; the shapes are those of torch_bench.py.</summary>
    public static IReadOnlyList<TorchWorkload> All() =>
    [
        Stream("chain_16M", 0.5, (b, x) => b.Add(b.Multiply(
            b.HyperbolicTangent(b.Add(b.Multiply(x, b.Splat(x.DType, x.Shape, 1.5)), b.Splat(x.DType, x.Shape, 0.25))), b.Logistic(x)), x)),
        Stream("tanh_16M", null, (b, x) => b.HyperbolicTangent(x)),
        Stream("exp_16M", null, (b, x) => b.Exponential(x)),
        Stream("add_16M", null, (b, x) => b.Add(x, x)),
        Rows("softmax_4096x1024", ["softmax_4096x1024"], 0, (b, p) => b.Softmax(p[0])),
        Rows("layernorm_4096x1024", ["layernorm_4096x1024", "layernorm_decomposed_4096x1024"], 2, (b, p) => b.LayerNorm(p[0], p[1], p[2])),
        Square("sum_rows_4096x4096", null, 64 * MiB, (b, x) => b.ReduceSum(x, [1])),
        Square("sum_cols_4096x4096", 0.4, 64 * MiB, (b, x) => b.ReduceSum(x, [0])),
        Square("sum_all_4096x4096", null, 64 * MiB, (b, x) => b.ReduceSum(x, [0, 1])),
        Square("transpose_4096x4096", 0.8, 128 * MiB, (b, x) => b.Transpose(x, [1, 0])),
        Attention(),
    ];

    private static TorchWorkload Stream(string name, double? goal, Func<GraphBuilder, Node, Node> build) => new(
        new OpCase(name, 0, 128 * MiB, () => [Normal(16 << 20)], (b, p) => build(b, p[0])), [name], goal);

    private static TorchWorkload Square(string name, double? goal, double bytes, Func<GraphBuilder, Node, Node> build) => new(
        new OpCase(name, 0, bytes, () => [Normal(4096, 4096)], (b, p) => build(b, p[0])), [name], goal);

    private static TorchWorkload Rows(string name, string[] peer, int vectors, Func<GraphBuilder, Node[], Node> build) => new(
        new OpCase(
            name, 0, 32 * MiB, () => [Normal(4096, 1024), .. Enumerable.Range(0, vectors).Select(_ => Normal(1024))], build),
        peer, 0.8);

    private static TorchWorkload Attention() => new(
        new OpCase(
            "attention_1x12x512x64", 4.0 * 12 * 512 * 512 * 64, 4.0 * 4 * 12 * 512 * 64,
            () => [Normal(1, 12, 512, 64), Normal(1, 12, 512, 64), Normal(1, 12, 512, 64)],
            (b, p) => b.Attention(p[0], p[1], p[2])),
        ["attention_1x12x512x64_matmuls", "attention_1x12x512x64_sdpa"], 0.9);
}
