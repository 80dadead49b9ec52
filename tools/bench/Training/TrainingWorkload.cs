using Graphene.Train;
using static Graphene.Bench.OpCase;

namespace Graphene.Bench.Training;

/// <summary>A model and an optimizer that Graphene and PyTorch both train; the shapes are those of torch_bench.py.</summary>
/// <param name="Model">What torch_bench.py calls the model.</param>
/// <param name="Optimizer">What it calls the optimizer.</param>
/// <param name="Flops">Operations of the products of one step.</param>
/// <param name="CreateModel">Makes the model, which gives scores.</param>
/// <param name="CreateOptimizer">Makes the optimizer.</param>
/// <param name="Input">Makes the inputs, always the same.</param>
/// <param name="TargetShape">The shape of the classes.</param>
/// <param name="Classes">The number of classes.</param>
internal sealed record TrainingWorkload(
    string Model, string Optimizer, double Flops, Func<Layer> CreateModel, Func<Train.Optimizer> CreateOptimizer, Func<Literal> Input,
    long[] TargetShape, int Classes)
{
    /// <summary>What torch_bench.py calls it.</summary>
    public string Name => $"train/{Model}/{Optimizer}";

    /// <summary>All workloads, in the order of the table.</summary>
    public static IReadOnlyList<TrainingWorkload> All() =>
    [
        .. Both("mlp_784-512-512-10_b128", MlpFlops, Mlp, () => Normal(128, 784), [128], 10),
        .. Both("cnn_28x28_b64", CnnFlops, Cnn, () => Normal(64, 28, 28, 1), [64], 10),
        .. Both("encoder_2x256_seq128_b8", EncoderFlops, Encoder, () => Normal(8, 128, 256), [8, 128], 64),
    ];

    /// <summary>Classes by chance, always the same.</summary>
    public Literal Target()
    {
        var random = new Random(2);
        int count = (int)TargetShape.Aggregate(1L, (n, d) => n * d);
        return Literal.From<long>([.. Enumerable.Range(0, count).Select(_ => random.NextInt64(Classes))], TargetShape);
    }

    // A product forward is one by the weights and one by the inputs backward; the first layer's inputs need no gradient.
    private static double MlpFlops => 2.0 * 128 * ((2 * 784 * 512) + (3 * 512 * 512) + (3 * 512 * 10));

    private static double CnnFlops => 2.0 * 64 * ((2 * 784 * 9 * 32) + (3 * 196 * 9 * 32 * 64) + (3 * 3136 * 128) + (3 * 128 * 10));

    private static double EncoderFlops =>
        (2.0 * 1024 * 3 * ((2 * ((4 * 256 * 256) + (2 * 256 * 1024) + (2 * 128 * 256))) + (256 * 64))) - (2.0 * 1024 * 3 * 256 * 256);

    private static IEnumerable<TrainingWorkload> Both(
        string model, double flops, Func<Layer> create, Func<Literal> input, long[] target, int classes) =>
    [
        new(model, "sgd", flops, create, () => new SGD(0.01), input, target, classes),
        new(model, "adam", flops, create, () => new Adam(1e-3, epsilon: 1e-8), input, target, classes),
    ];

    private static Sequential Mlp() =>
        new(new Dense(512, Activations.Relu), new Dense(512, Activations.Relu), new Dense(10));

    // Features last, as layers here have them: an image of one feature is the same memory in either order.
    private static Sequential Cnn() => new(
        new Conv2D(32, 3, padding: PaddingMode.SameUpper, activation: Activations.Relu), new MaxPooling2D(),
        new Conv2D(64, 3, padding: PaddingMode.SameUpper, activation: Activations.Relu), new MaxPooling2D(),
        new Flatten(), new Dense(128, Activations.Relu), new Dense(10));

    private static Sequential Encoder() => new(new EncoderBlock(256, 8, 1024), new EncoderBlock(256, 8, 1024), new Dense(64));
}
