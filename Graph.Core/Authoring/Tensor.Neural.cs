using System.Runtime.CompilerServices;

namespace Graphene;

/// <content>Activations, normalizations, attention.</content>
public sealed partial class Tensor
{
    /// <summary>max(x, 0).</summary>
    public Tensor Relu([CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.Relu(x), file, line);

    /// <summary>min(max(x, 0), 6).</summary>
    public Tensor Relu6([CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.Relu6(x), file, line);

    /// <summary>x where positive, alpha * x elsewhere.</summary>
    public Tensor LeakyRelu(double alpha = 0.2, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.LeakyRelu(x, alpha), file, line);

    /// <summary>x where positive, alpha * (e^x - 1) elsewhere.</summary>
    public Tensor Elu(double alpha = 1, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.Elu(x, alpha), file, line);

    /// <summary>Scaled exponential linear unit.</summary>
    public Tensor Selu([CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.Selu(x), file, line);

    /// <summary>x * Phi(x); approximate takes the tanh form.</summary>
    public Tensor Gelu(bool approximate = false, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => approximate ? b.GeluTanh(x) : b.Gelu(x), file, line);

    /// <summary>x * sigmoid(x), also called Swish.</summary>
    public Tensor Silu([CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.Silu(x), file, line);

    /// <summary>x * tanh(softplus(x)).</summary>
    public Tensor Mish([CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.Mish(x), file, line);

    /// <summary>log(1 + e^x).</summary>
    public Tensor Softplus([CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.Softplus(x), file, line);

    /// <summary>x / (1 + |x|).</summary>
    public Tensor Softsign([CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.Softsign(x), file, line);

    /// <summary>A line bounded to 0..1.</summary>
    public Tensor HardSigmoid([CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.HardSigmoid(x, 1.0 / 6, 0.5), file, line);

    /// <summary>x * hard_sigmoid(x).</summary>
    public Tensor HardSwish([CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.HardSwish(x), file, line);

    /// <summary>Exponentials that sum to 1 along an axis.</summary>
    public Tensor Softmax(int axis = -1, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.Softmax(x, axis), file, line);

    /// <summary>The logarithm of softmax, without loss of digits.</summary>
    public Tensor LogSoftmax(int axis = -1, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.LogSoftmax(x, axis), file, line);

    /// <summary>Standardized over the axes from axis on, then scaled and shifted.</summary>
    public Tensor LayerNorm(
        Tensor? scale = null, Tensor? bias = null, int axis = -1, double epsilon = 1e-5,
        [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        ApplyOptional([scale, bias], (b, x, p) => b.LayerNorm(x, p[0], p[1], axis, epsilon), file, line);

    /// <summary>Divided by the root mean square over the axes from axis on, then scaled.</summary>
    public Tensor RmsNorm(
        Tensor? scale = null, int axis = -1, double epsilon = 1e-5, [CallerFilePath] string file = "",
        [CallerLineNumber] int line = 0) =>
        ApplyOptional([scale], (b, x, p) => b.RmsNorm(x, p[0], axis, epsilon), file, line);

    /// <summary>Standardized by given statistics, one number per feature each.</summary>
    public Tensor BatchNorm(
        Tensor scale, Tensor bias, Tensor mean, Tensor variance, double epsilon = 1e-5, int featureAxis = 1,
        [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        ApplyOptional(
            [scale, bias, mean, variance],
            (b, x, p) => b.BatchNormInference(x, p[0]!, p[1]!, p[2]!, p[3]!, epsilon, featureAxis), file, line);

    /// <summary>Standardized by groups of features of [batch, features, ...].</summary>
    public Tensor GroupNorm(
        long groups, Tensor? scale = null, Tensor? bias = null, double epsilon = 1e-5,
        [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        ApplyOptional([scale, bias], (b, x, p) => b.GroupNorm(x, groups, p[0], p[1], epsilon), file, line);

    /// <summary>Standardized feature by feature and example by example.</summary>
    public Tensor InstanceNorm(
        Tensor? scale = null, Tensor? bias = null, double epsilon = 1e-5, [CallerFilePath] string file = "",
        [CallerLineNumber] int line = 0) =>
        ApplyOptional([scale, bias], (b, x, p) => b.InstanceNorm(x, p[0], p[1], epsilon), file, line);

    /// <summary>Divided by its Euclidean norm along an axis.</summary>
    public Tensor L2Normalize(
        int axis = -1, double epsilon = 1e-12, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.LpNormalize(x, axis, 2, epsilon), file, line);

    /// <summary>
    /// Attention of this query, [batch, heads, positions, size], to keys and values; see AttentionComposite.
    /// </summary>
    public Tensor Attention(
        Tensor key, Tensor value, Tensor? mask = null, AttentionOptions? options = null,
        [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        ApplyOptional([key, value, mask], (b, q, p) => b.Attention(q, p[0]!, p[1]!, p[2], options), file, line);
}
