namespace Graphene;

/// <summary>The kind of a recurrent layer.</summary>
public enum RecurrentCell
{
    /// <summary><c>h' = f(x W + h R + b)</c>.</summary>
    Simple,

    /// <summary>Gated recurrent unit: update, reset and new gates.</summary>
    Gru,

    /// <summary>Long short-term memory: input, forget, cell and output gates.</summary>
    Lstm,
}

/// <summary>The order in which a recurrent layer reads its sequence.</summary>
public enum RecurrentDirection
{
    /// <summary>From the first step to the last.</summary>
    Forward,

    /// <summary>From each sequence's last step to the first.</summary>
    Reverse,

    /// <summary>Both, with weights of their own.</summary>
    Bidirectional,
}

/// <summary>The weights of one direction of a recurrent layer; G is 1, 3 or 4 gates, H the hidden size.</summary>
/// <param name="Input">[G*H, input], or [input, G*H] when <see cref="RecurrentOptions.InputMajor"/>.</param>
/// <param name="Recurrent">[G*H, H], or [H, G*H] when <see cref="RecurrentOptions.InputMajor"/>.</param>
/// <param name="InputBias">[G*H] added to the input's part; null for none.</param>
/// <param name="RecurrentBias">[G*H] added to the hidden state's part; null for none.</param>
/// <param name="Peepholes">[3*H] for the input, output and forget gates of an LSTM; null for none.</param>
public sealed record RecurrentWeights(
    Node Input, Node Recurrent, Node? InputBias = null, Node? RecurrentBias = null, Node? Peepholes = null);

/// <summary>A function of one tensor, for gates.</summary>
/// <param name="b">The builder to use; loops have their own.</param>
/// <param name="x">The argument.</param>
public delegate Node GateFunction(GraphBuilder b, Node x);

/// <summary>What differs between front ends' recurrent layers.</summary>
/// <param name="Cell">The kind of layer.</param>
public sealed record RecurrentOptions(RecurrentCell Cell)
{
    /// <summary>
    /// The gates in the order of the weights, one letter each: i, o, f, c for an LSTM; z, r, h for a GRU. Null for ONNX's order
    /// (<c>iofc</c>, <c>zrh</c>); Keras writes <c>ifco</c> and <c>zrh</c>, PyTorch <c>ifco</c> and <c>rzh</c>.
    /// </summary>
    public string? GateOrder { get; init; }

    /// <summary>True when weights are [input, G*H] and [H, G*H], as in Keras.</summary>
    public bool InputMajor { get; init; }

    /// <summary>The gates' function; logistic by default (tanh for the simple cell).</summary>
    public GateFunction? GateActivation { get; init; }

    /// <summary>The cell's or candidate's function; tanh by default.</summary>
    public GateFunction? CellActivation { get; init; }

    /// <summary>The function of an LSTM's cell on its way out; tanh by default.</summary>
    public GateFunction? OutputActivation { get; init; }

    /// <summary>Bounds what goes into the activations to [-Clip, Clip]; null for no bound.</summary>
    public double? Clip { get; init; }

    /// <summary>For a GRU: true to apply the reset gate after the recurrent product (Keras's reset_after).</summary>
    public bool LinearBeforeReset { get; init; }

    /// <summary>For an LSTM: true to couple the forget gate to the input gate (f = 1 - i).</summary>
    public bool InputForget { get; init; }

    /// <summary>True to read the sequence back to front, each by its own length.</summary>
    public bool Reverse { get; init; }
}

/// <summary>The activations that front ends name.</summary>
public static class RecurrentActivations
{
    /// <summary>The activation with an ONNX name (in any case); null when there is none.</summary>
    /// <param name="name">For example <c>Tanh</c>.</param>
    /// <param name="alpha">Its first parameter; ONNX's default when null.</param>
    /// <param name="beta">Its second parameter; ONNX's default when null.</param>
    public static GateFunction? ByName(string name, double? alpha = null, double? beta = null) => name.ToUpperInvariant() switch
    {
        "SIGMOID" => (b, x) => b.Logistic(x),
        "TANH" => (b, x) => b.HyperbolicTangent(x),
        "RELU" => (b, x) => b.Relu(x),
        "SOFTSIGN" => (b, x) => b.Softsign(x),
        "SOFTPLUS" => (b, x) => b.Softplus(x),
        "ELU" => (b, x) => b.Elu(x, alpha ?? 1),
        "LEAKYRELU" => (b, x) => b.LeakyRelu(x, alpha ?? 0.01),
        "THRESHOLDEDRELU" => (b, x) => b.ThresholdedRelu(x, alpha ?? 1),
        "HARDSIGMOID" => (b, x) => b.HardSigmoid(x, alpha ?? 0.2, beta ?? 0.5),
        "AFFINE" => (b, x) => b.Add(b.Multiply(x, b.Like(x, alpha ?? 1)), b.Like(x, beta ?? 0)),
        "SCALEDTANH" => (b, x) =>
            b.Multiply(b.HyperbolicTangent(b.Multiply(x, b.Like(x, beta ?? 1))), b.Like(x, alpha ?? 1)),
        _ => null,
    };
}
