using Graphene.Runtime;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Codegen;

/// <summary>
/// The gradients of a small network over a symbolic batch of images: a convolution, a normalization, a pooling and a
/// product.
/// </summary>
internal sealed class ImageTrainingStep
{
    private readonly Graph _graph = new();
    private readonly Tensor _images;
    private readonly Tensor _labels;
    private readonly Tensor[] _gradients;

    public ImageTrainingStep()
    {
        _images = _graph.Placeholder(DType.F32, ["batch", 8, 8, 2], "images");
        _labels = _graph.Placeholder(DType.I32, ["batch"], "labels");
        Variable kernel = _graph.Variable(Noise([3, 3, 2, 4], 1), "kernel");
        Variable scale = _graph.Variable(Noise([4], 2), "scale");
        Variable weights = _graph.Variable(Noise([64, 5], 3), "weights");
        Variables = [kernel, scale, weights];
        Tensor x = _images.Conv2D(kernel.Read(), padding: PaddingMode.SameUpper);
        Tensor mean = x.ReduceMean([0, 1, 2], keepDims: true);
        Tensor variance = (x - mean).Square().ReduceMean([0, 1, 2], keepDims: true);
        x = ((x - mean) * (variance + 1e-3).Rsqrt() * scale.Read()).Relu();
        x = x.MaxPool2D(2, 2);
        Tensor logits = x.Reshape([-1, 64]).MatMul(weights.Read());
        Tensor loss = -(logits.LogSoftmax() * _labels.OneHot(5)).ReduceSum() / 6;
        _gradients = _graph.Gradients(loss, Variables);
    }

    /// <summary>What the gradients are of.</summary>
    public Variable[] Variables { get; }

    /// <summary>The gradient of each variable, for the same images and labels whoever computes them.</summary>
    public Literal[] Gradients(IGraphCompiler compiler, int batch)
    {
        (Tensor, Feed)[] feeds =
        [
            (_images, Noise([batch, 8, 8, 2], 4)),
            (_labels, I32([batch], [.. Enumerable.Range(0, batch).Select(i => i % 5)])),
        ];
        using var session = new Session(_graph, compiler);
        return session.Run(_gradients, feeds);
    }
}
