using System.Runtime.CompilerServices;

namespace Graphene;

/// <content>Matrix products, convolutions, poolings, resizing.</content>
public sealed partial class Tensor
{
    /// <summary>NumPy's matrix product: <c>C[b,m,n] = sum over k of A[b,m,k] * B[b,k,n]</c>; batches broadcast.</summary>
    /// <param name="y">Shape [batch.., k, n], or [k].</param>
    /// <param name="transposeX">True to take the last two dimensions of this tensor swapped.</param>
    /// <param name="transposeY">True to take the last two dimensions of <paramref name="y"/> swapped.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    public Tensor MatMul(
        Tensor y, bool transposeX = false, bool transposeY = false, [CallerFilePath] string file = "",
        [CallerLineNumber] int line = 0) =>
        Apply(y, (b, l, r) => b.MatMul(transposeX ? Swapped(b, l) : l, transposeY ? Swapped(b, r) : r), file, line);

    /// <summary>
    /// A 2-D convolution of images [batch, height, width, features] (or [batch, features, height, width]) with a kernel
    /// [height, width, input features / groups, output features].
    /// </summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="strides">The step, one number for both directions.</param>
    /// <param name="padding">Valid or same.</param>
    /// <param name="dilations">The distance of kernel elements.</param>
    /// <param name="groups">The number of feature groups.</param>
    /// <param name="channelsFirst">True for images [batch, features, height, width].</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    public Tensor Conv2D(
        Tensor kernel, long strides = 1, PaddingMode padding = PaddingMode.Valid, long dilations = 1, long groups = 1,
        bool channelsFirst = false, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) => Apply(
        kernel,
        (b, x, k) =>
        {
            ConvolutionDimensions d = ConvolutionDimensions.ChannelsLast(2);
            if (channelsFirst)
            {
                d = d with { LhsFeature = 1, LhsSpatial = [2, 3], ResultFeature = 1, ResultSpatial = [2, 3] };
            }
            b.Site("conv2d", x, k).Require(
                x.Rank == 4 && k.Rank == 4, DiagnosticId.RankMismatch, $"takes images and a kernel of rank 4, not {x.Type} and {k.Type}");
            WindowDim Along(int i) => PoolingComposites.Pad(
                x.Shape[d.LhsSpatial[i]], new WindowDim(k.Shape[i], strides, Dilation: dilations), padding);
            return b.Convolution(x, k, d, [Along(0), Along(1)], groups);
        },
        file, line);

    /// <summary>A convolution of any rank with everything spelled out; see <see cref="ConvolutionOp"/>.</summary>
    public Tensor Convolution(
        Tensor kernel, ConvolutionDimensions dimensions, WindowDim[] window, long featureGroups = 1, long batchGroups = 1,
        [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply(kernel, (b, x, k) => b.Convolution(x, k, dimensions, window, featureGroups, batchGroups), file, line);

    /// <summary>The largest element of each window of images [batch, height, width, features].</summary>
    /// <param name="size">The side of the window.</param>
    /// <param name="strides">The step.</param>
    /// <param name="padding">Valid or same.</param>
    /// <param name="channelsFirst">True for images [batch, features, height, width].</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    public Tensor MaxPool2D(
        long size, long strides, PaddingMode padding = PaddingMode.Valid, bool channelsFirst = false,
        [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.MaxPool(x, Square(size, strides, padding, channelsFirst)), file, line);

    /// <summary>The mean of each window; see <see cref="MaxPool2D"/>. Padding does not count.</summary>
    public Tensor AvgPool2D(
        long size, long strides, PaddingMode padding = PaddingMode.Valid, bool channelsFirst = false,
        [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.AveragePool(x, Square(size, strides, padding, channelsFirst)), file, line);

    /// <summary>A maximum pooling with everything spelled out.</summary>
    public Tensor MaxPool(PoolingOptions options, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.MaxPool(x, options), file, line);

    /// <summary>An average pooling with everything spelled out.</summary>
    public Tensor AvgPool(PoolingOptions options, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.AveragePool(x, options), file, line);

    /// <summary>Some axes resized; see <see cref="ResizeComposite"/>.</summary>
    public Tensor Resize(
        ResizeAxis[] axes, ResizeOptions options, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.Resize(x, axes, options), file, line);

    /// <summary>A recurrent layer over this sequence, [steps, batch, input]; see <see cref="RecurrentComposites"/>.</summary>
    /// <param name="inputWeights">[G*H, input], or [input, G*H] when the options say so.</param>
    /// <param name="recurrentWeights">[G*H, H], or [H, G*H] when the options say so.</param>
    /// <param name="bias">[G*H]; null for 0.</param>
    /// <param name="options">The kind of layer and its variants.</param>
    /// <param name="lengths">The steps of each sequence; null for all.</param>
    /// <param name="recurrentBias">[G*H] added to the hidden state's part; null for 0.</param>
    /// <param name="initialHidden">The hidden state to begin with, [batch, H]; null for 0.</param>
    /// <param name="initialCell">The cell state of an LSTM to begin with, [batch, H]; null for 0.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    /// <returns>The hidden state after each step, and the last one.</returns>
    public (Tensor Sequence, Tensor Last) Recurrent(
        Tensor inputWeights, Tensor recurrentWeights, Tensor? bias, RecurrentOptions options, Tensor? lengths = null,
        Tensor? recurrentBias = null, Tensor? initialHidden = null, Tensor? initialCell = null,
        [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        Tensor?[] optional = [bias, lengths, recurrentBias, initialHidden, initialCell];
        Tensor[] operands = [this, inputWeights, recurrentWeights, .. optional.OfType<Tensor>()];
        Node[] results = Graph.Build(new CallSite(file, line), operands, (b, x) =>
        {
            int next = 3;
            Node?[] given = Array.ConvertAll(optional, o => o is null ? null : x[next++]);
            RecurrentResult r = b.Recurrent(
                x[0], new RecurrentWeights(x[1], x[2], given[0], given[2]), options, given[1], given[3], given[4]);
            return [r.Sequence, r.Hidden];
        });
        return (Graph.Wrap(results[0]), Graph.Wrap(results[1]));
    }

    private static Node Swapped(GraphBuilder b, Node x)
    {
        b.Site("matmul", x).Require(x.Rank >= 2, DiagnosticId.RankMismatch, $"{x.Type} has no two dimensions to swap");
        return b.Transpose(x, [.. Enumerable.Range(0, x.Rank - 2), x.Rank - 1, x.Rank - 2]);
    }

    private static PoolingOptions Square(long size, long strides, PaddingMode padding, bool channelsFirst) =>
        new([size, size]) { Strides = [strides, strides], Padding = padding, ChannelsLast = !channelsFirst };
}
