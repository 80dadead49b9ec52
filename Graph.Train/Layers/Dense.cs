namespace Graphene.Train;

/// <summary>A fully connected layer: <c>activation(x kernel + bias)</c> along the last dimension.</summary>
/// <param name="units">The size of the last dimension of the result.</param>
/// <param name="activation">Applied to the result; none when null.</param>
/// <param name="useBias">Whether there is a bias.</param>
/// <param name="kernelInitializer">Makes the kernel [inputs, units]; Glorot's uniform when null.</param>
/// <param name="biasInitializer">Makes the bias [units]; zeros when null.</param>
/// <param name="name">The layer's name.</param>
public sealed class Dense(
    long units,
    Func<Tensor, Tensor>? activation = null,
    bool useBias = true,
    Initializer? kernelInitializer = null,
    Initializer? biasInitializer = null,
    string? name = null) : UnaryLayer(name)
{
    /// <summary>The kernel, [inputs, units]; null before the first call.</summary>
    public Variable? Kernel { get; private set; }

    /// <summary>The bias, [units]; null before the first call and when there is none.</summary>
    public Variable? Bias { get; private set; }

    /// <inheritdoc/>
    protected override void Build(LayerContext context, Tensor input)
    {
        Require(input.Rank >= 2, input, "a tensor [batch.., inputs]");
        var type = new TensorType(input.DType, [StaticSize(input, -1), units]);
        Kernel = AddWeight(context, "kernel", type, kernelInitializer ?? Initializers.GlorotUniform);
        if (useBias)
        {
            Bias = AddWeight(context, "bias", new TensorType(input.DType, [units]), biasInitializer ?? Initializers.Zeros);
        }
    }

    /// <inheritdoc/>
    protected override Tensor Apply(LayerContext context, Tensor input)
    {
        Tensor product = input.MatMul(Kernel!.Read());
        Tensor sum = Bias is null ? product : product + Bias.Read();
        return activation is null ? sum : activation(sum);
    }
}
