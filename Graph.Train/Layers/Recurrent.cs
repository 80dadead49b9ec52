namespace Graphene.Train;

/// <summary>What recurrent layers have in common: sequences [batch, steps, features] go in.</summary>
public abstract class Recurrent : UnaryLayer
{
    private readonly long _units;
    private readonly int _gates;
    private readonly bool _returnSequences;

    private protected Recurrent(long units, int gates, bool returnSequences, string? name)
        : base(name)
    {
        _units = units;
        _gates = gates;
        _returnSequences = returnSequences;
    }

    /// <summary>The weights of the input, [features, gates * units]; null before the first call.</summary>
    public Variable? Kernel { get; private set; }

    /// <summary>The weights of the state, [units, gates * units]; null before the first call.</summary>
    public Variable? RecurrentKernel { get; private set; }

    private protected long Units => _units;

    private protected abstract RecurrentOptions Options { get; }

    /// <inheritdoc/>
    protected override void Build(LayerContext context, Tensor input)
    {
        Require(input.Rank == 3, input, "sequences [batch, steps, features]");
        var kernel = new TensorType(input.DType, [StaticSize(input, 2), _gates * _units]);
        Kernel = AddWeight(context, "kernel", kernel, Initializers.GlorotUniform);
        RecurrentKernel = AddWeight(
            context, "recurrent_kernel", new TensorType(input.DType, [_units, _gates * _units]), Initializers.Orthogonal());
    }

    /// <inheritdoc/>
    protected override Tensor Apply(LayerContext context, Tensor input)
    {
        (Tensor? bias, Tensor? recurrentBias) = Biases();
        (Tensor sequence, Tensor last) = input.Transpose([1, 0, 2]).Recurrent(
            Kernel!.Read(), RecurrentKernel!.Read(), bias, Options, recurrentBias: recurrentBias);
        return _returnSequences ? sequence.Transpose([1, 0, 2]) : last;
    }

    /// <summary>The biases of the input's and of the state's part.</summary>
    private protected abstract (Tensor? Input, Tensor? Recurrent) Biases();
}

/// <summary>Long short-term memory (Hochreiter and Schmidhuber, 1997), with the gates in Keras's order: i, f, c, o.</summary>
/// <param name="units">The size of the state.</param>
/// <param name="returnSequences">True for the state after each step, [batch, steps, units]; false for the last, [batch, units].</param>
/// <param name="unitForgetBias">True to begin with 1 in the forget gate's bias.</param>
/// <param name="goBackwards">True to read sequences back to front.</param>
/// <param name="name">The layer's name.</param>
public sealed class LSTM(
    long units, bool returnSequences = false, bool unitForgetBias = true, bool goBackwards = false, string? name = null)
    : Recurrent(units, 4, returnSequences, name)
{
    /// <summary>The bias, [4 * units]; null before the first call.</summary>
    public Variable? Bias { get; private set; }

    private protected override RecurrentOptions Options =>
        new(RecurrentCell.Lstm) { GateOrder = "ifco", InputMajor = true, Reverse = goBackwards };

    /// <inheritdoc/>
    protected override void Build(LayerContext context, Tensor input)
    {
        base.Build(context, input);
        Initializer initializer = unitForgetBias ? new ForgetBias(Units) : Initializers.Zeros;
        Bias = AddWeight(context, "bias", new TensorType(input.DType, [4 * Units]), initializer);
    }

    private protected override (Tensor? Input, Tensor? Recurrent) Biases() => (Bias!.Read(), null);

    // Ones for the forget gate, which is the second (Jozefowicz et al., 2015).
    private sealed class ForgetBias(long units) : Initializer
    {
        protected override double[] Values(long[] shape, RandomNumbers random)
        {
            var values = new double[shape[0]];
            values.AsSpan((int)units, (int)units).Fill(1);
            return values;
        }
    }
}

/// <summary>Gated recurrent unit (Cho et al., 2014), with the gates in Keras's order: z, r, h.</summary>
/// <param name="units">The size of the state.</param>
/// <param name="returnSequences">True for the state after each step, [batch, steps, units]; false for the last, [batch, units].</param>
/// <param name="resetAfter">
/// True to apply the reset gate after the product with the recurrent kernel, which has a bias of its own then.
/// </param>
/// <param name="goBackwards">True to read sequences back to front.</param>
/// <param name="name">The layer's name.</param>
public sealed class GRU(
    long units, bool returnSequences = false, bool resetAfter = true, bool goBackwards = false, string? name = null)
    : Recurrent(units, 3, returnSequences, name)
{
    private readonly bool _resetAfter = resetAfter;

    /// <summary>
    /// The bias: [2, 3 * units], the input's and the state's, when the reset gate comes after; [3 * units] otherwise. Null before
    /// the first call.
    /// </summary>
    public Variable? Bias { get; private set; }

    private protected override RecurrentOptions Options => new(RecurrentCell.Gru)
    {
        GateOrder = "zrh",
        InputMajor = true,
        LinearBeforeReset = _resetAfter,
        Reverse = goBackwards,
    };

    /// <inheritdoc/>
    protected override void Build(LayerContext context, Tensor input)
    {
        base.Build(context, input);
        Shape shape = _resetAfter ? [2, 3 * Units] : [3 * Units];
        Bias = AddWeight(context, "bias", new TensorType(input.DType, shape), Initializers.Zeros);
    }

    private protected override (Tensor? Input, Tensor? Recurrent) Biases()
    {
        Tensor bias = Bias!.Read();
        if (!_resetAfter)
        {
            return (bias, null);
        }
        Shape half = [3 * Units];
        return (bias.SliceAxis(0, 0, 1).Reshape(half), bias.SliceAxis(0, 1, 2).Reshape(half));
    }
}
