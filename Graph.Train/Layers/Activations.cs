namespace Graphene.Train;

/// <summary>Activations to pass to layers: <c>new Dense(64, Activations.Relu)</c>.</summary>
public static class Activations
{
    /// <summary>x itself.</summary>
    public static Tensor Linear(Tensor x) => x;

    /// <summary>max(x, 0).</summary>
    public static Tensor Relu(Tensor x) => x.Relu();

    /// <summary>min(max(x, 0), 6).</summary>
    public static Tensor Relu6(Tensor x) => x.Relu6();

    /// <summary>x where positive, 0.2 x elsewhere.</summary>
    public static Tensor LeakyRelu(Tensor x) => x.LeakyRelu();

    /// <summary>x where positive, e^x - 1 elsewhere.</summary>
    public static Tensor Elu(Tensor x) => x.Elu();

    /// <summary>Scaled exponential linear unit.</summary>
    public static Tensor Selu(Tensor x) => x.Selu();

    /// <summary>x * Phi(x).</summary>
    public static Tensor Gelu(Tensor x) => x.Gelu();

    /// <summary>x * sigmoid(x).</summary>
    public static Tensor Silu(Tensor x) => x.Silu();

    /// <summary>1 / (1 + e^-x).</summary>
    public static Tensor Sigmoid(Tensor x) => x.Sigmoid();

    /// <summary>Hyperbolic tangent.</summary>
    public static Tensor Tanh(Tensor x) => x.Tanh();

    /// <summary>log(1 + e^x).</summary>
    public static Tensor Softplus(Tensor x) => x.Softplus();

    /// <summary>x / (1 + |x|).</summary>
    public static Tensor Softsign(Tensor x) => x.Softsign();

    /// <summary>Exponentials along the last axis that sum to 1.</summary>
    public static Tensor Softmax(Tensor x) => x.Softmax();
}
