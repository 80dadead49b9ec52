using static Graphene.Tests.Support.Evaluation;

namespace Graphene.GpuCheck;

/// <summary>Graphs that are more than one op: products with epilogues, a block of attention, a training step, loops.</summary>
internal static class ModelCases
{
    /// <summary>What makes each case, by its name.</summary>
    public static IEnumerable<(string Name, Func<string, NumericCase> Make)> All =>
    [
        .. Products(), ("attention", Attention), ("perceptron", Perceptron), ("training", Training), ("loop", Loop),
        ("convolution", Convolution), ("random", Random),
    ];

    private static IEnumerable<(string Name, Func<string, NumericCase> Make)> Products()
    {
        foreach (DType type in (DType[])[DType.F32, DType.F16, DType.BF16, DType.F64])
        {
            foreach ((int m, int n, int k) in ((int, int, int)[])[(128, 128, 64), (65, 33, 127), (1, 256, 300)])
            {
                yield return ($"product-{type.Name()}-{m}x{n}x{k}", name => Product(name, type, m, n, k));
            }
        }
    }

    private static NumericCase Product(string name, DType type, int m, int n, int k)
    {
        var g = new Graph();
        Tensor x = g.Placeholder(type, Shape.Of(m, k), "x0"), w = g.Placeholder(type, Shape.Of(k, n), "x1");
        Tensor bias = g.Placeholder(type, Shape.Of(n), "x2");
        Tensor y = (x.MatMul(w) + bias).Relu();
        double bound = type switch { DType.F64 => 1e-12, DType.F32 => 1e-4, _ => 2e-2 };
        return NumericCase.Of(
            name, g.ToModule([y]), [Noise([m, k], 1, type), Noise([k, n], 2, type), Noise([n], 3, type)], bound, bound * Math.Sqrt(k));
    }

    private static NumericCase Attention(string name)
    {
        var g = new Graph();
        Tensor[] qkv = [.. Enumerable.Range(0, 3).Select(i => g.Placeholder(DType.F32, Shape.Of(2, 3, 70, 32), $"x{i}"))];
        Tensor y = (qkv[0].MatMul(qkv[1].Transpose([0, 1, 3, 2])) * 0.17677669f).Softmax().MatMul(qkv[2]);
        return NumericCase.Of(name, g.ToModule([y]), [.. Enumerable.Range(0, 3).Select(i => Noise([2, 3, 70, 32], i))], 1e-4, 1e-5);
    }

    private static NumericCase Perceptron(string name)
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F32, Shape.Of(9, 64), "x0");
        Tensor hidden = (x.MatMul(g.Constant(Noise([64, 50], 1))) + g.Constant(Noise([50], 2))).Gelu().LayerNorm();
        Tensor y = hidden.MatMul(g.Constant(Noise([50, 10], 3))).Softmax();
        return NumericCase.Of(name, g.ToModule([y]), [Noise([9, 64], 4)], 1e-4, 1e-6);
    }

    private static NumericCase Training(string name)
    {
        var g = new Graph();
        Tensor w = g.Placeholder(DType.F32, Shape.Of(20, 7), "x0"), x = g.Placeholder(DType.F32, Shape.Of(33, 20), "x1");
        Tensor loss = x.MatMul(w).Tanh().Square().ReduceMean();
        Tensor next = w - (g.Gradients([loss], [w])[0] * 0.5f);
        return NumericCase.Of(name, g.ToModule([loss, next]), [Noise([20, 7], 1), Noise([33, 20], 2)], 1e-4, 1e-6);
    }

    private static NumericCase Loop(string name)
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F32, Shape.Of(100), "x0"), n = g.Placeholder(DType.I32, [], "x1");
        Tensor[] y = g.While(
            [g.Constant(0), x], p => p[0].Less(n),
            p => [p[0] + 1, g.Cond(p[1].ReduceSum().Greater(0), () => p[1] * 0.5f - 1, () => p[1] * 2 + 1)]);
        return NumericCase.Of(name, g.ToModule([y[1]]), [Noise([100], 5), I32([], 6)], 1e-5, 1e-5);
    }

    private static NumericCase Convolution(string name)
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F32, Shape.Of(2, 17, 15, 3), "x0"), w = g.Placeholder(DType.F32, Shape.Of(3, 3, 3, 8), "x1");
        Tensor y = x.Conv2D(w).Relu();
        return NumericCase.Of(name, g.ToModule([y]), [Noise([2, 17, 15, 3], 1), Noise([3, 3, 3, 8], 2)], 1e-4, 1e-5);
    }

    // The same bits everywhere.
    private static NumericCase Random(string name)
    {
        var g = new Graph();
        Tensor state = g.Placeholder(DType.U64, Shape.Of(2), "x0");
        (Tensor next, Tensor values) = g.RandomUniform(state, Shape.Of(5, 41));
        return NumericCase.Of(name, g.ToModule([next, values]), [Literal.From<ulong>([7, 9], 2)], 0, 0);
    }
}
