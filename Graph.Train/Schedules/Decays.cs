namespace Graphene.Train;

/// <summary><c>initial * rate^(step / decaySteps)</c>.</summary>
/// <param name="initial">The first number.</param>
/// <param name="decaySteps">The steps in which it falls by the rate.</param>
/// <param name="rate">What remains then.</param>
/// <param name="staircase">True to fall at once at the end of each period.</param>
public sealed class ExponentialDecay(double initial, long decaySteps, double rate, bool staircase = false) : Schedule
{
    /// <inheritdoc/>
    public override Tensor At(Tensor step)
    {
        Tensor periods = step / decaySteps;
        return ((staircase ? periods.Floor() : periods) * Math.Log(rate)).Exp() * initial;
    }
}

/// <summary><c>initial / (1 + rate * step / decaySteps)</c>.</summary>
/// <param name="initial">The first number.</param>
/// <param name="decaySteps">The steps of a period.</param>
/// <param name="rate">What each period adds to the divisor.</param>
/// <param name="staircase">True to fall at once at the end of each period.</param>
public sealed class InverseTimeDecay(double initial, long decaySteps, double rate, bool staircase = false) : Schedule
{
    /// <inheritdoc/>
    public override Tensor At(Tensor step)
    {
        Tensor periods = step / decaySteps;
        return initial / (((staircase ? periods.Floor() : periods) * rate) + 1);
    }
}

/// <summary>From an initial to a final number along a power of the remaining share of steps; the final one afterwards.</summary>
/// <param name="initial">The first number.</param>
/// <param name="decaySteps">The steps on the way.</param>
/// <param name="end">The last number.</param>
/// <param name="power">1 for a line.</param>
public sealed class PolynomialDecay(double initial, long decaySteps, double end = 0.0001, double power = 1) : Schedule
{
    /// <inheritdoc/>
    public override Tensor At(Tensor step)
    {
        Tensor left = 1 - (step / decaySteps).Minimum(step.Graph.Constant(1f));
        return ((power == 1 ? left : left.Pow(step.Graph.Constant((float)power))) * (initial - end)) + end;
    }
}

/// <summary>Half a cosine from an initial number down to a share of it (Loshchilov and Hutter, 2017), with an optional warmup.</summary>
/// <param name="initial">The number at the top.</param>
/// <param name="decaySteps">The steps of the way down.</param>
/// <param name="alpha">The share of the initial number that remains.</param>
/// <param name="warmupSteps">Steps of rising in a line from 0 before.</param>
public sealed class CosineDecay(double initial, long decaySteps, double alpha = 0, long warmupSteps = 0) : Schedule
{
    /// <inheritdoc/>
    public override Tensor At(Tensor step)
    {
        Tensor one = step.Graph.Constant(1f);
        Tensor done = ((step - warmupSteps).Relu() / decaySteps).Minimum(one);
        Tensor falling = (((done * Math.PI).Cos() + 1) * (0.5 * (1 - alpha) * initial)) + (alpha * initial);
        return warmupSteps == 0 ? falling : step.Less(warmupSteps).Where((step + 1) * (initial / warmupSteps), falling);
    }
}

/// <summary>One number up to and with each boundary, another after it.</summary>
/// <param name="boundaries">The last step of each number but the last, ascending.</param>
/// <param name="values">One number more than boundaries.</param>
public sealed class PiecewiseConstantDecay(long[] boundaries, double[] values) : Schedule
{
    private readonly double[] _values = values.Length == boundaries.Length + 1
        ? values
        : throw new ArgumentException("there is one value more than boundaries", nameof(values));

    /// <inheritdoc/>
    public override Tensor At(Tensor step)
    {
        Tensor value = step.Graph.Constant((float)_values[^1]);
        for (int i = boundaries.Length - 1; i >= 0; i--)
        {
            value = step.LessEqual(boundaries[i]).Where(step.Graph.Constant((float)_values[i]), value);
        }
        return value;
    }
}
