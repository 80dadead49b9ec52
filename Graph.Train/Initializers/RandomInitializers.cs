namespace Graphene.Train;

/// <summary>The same number everywhere.</summary>
internal sealed class ConstantInitializer(double value) : Initializer
{
    protected override double[] Values(long[] shape, RandomNumbers random)
    {
        var values = new double[Count(shape)];
        Array.Fill(values, value);
        return values;
    }
}

/// <summary>Numbers between two bounds, all equally likely.</summary>
internal sealed class UniformInitializer(Func<long[], (double Low, double High)> bounds) : Initializer
{
    protected override double[] Values(long[] shape, RandomNumbers random)
    {
        (double low, double high) = bounds(shape);
        var values = new double[Count(shape)];
        foreach (ref double value in values.AsSpan())
        {
            value = low + ((high - low) * random.NextUniform());
        }
        return values;
    }

    /// <summary>Between -limit and limit, the variance being <c>scale / fan</c>.</summary>
    public static UniformInitializer Scaled(double scale, FanMode mode) => new(shape =>
    {
        double limit = Math.Sqrt(3 * scale / FanOf(shape, mode));
        return (-limit, limit);
    });

    /// <summary>The fan that a variance is divided by.</summary>
    public static double FanOf(long[] shape, FanMode mode)
    {
        (double inputs, double outputs) = Fans(shape);
        return Math.Max(1, mode == FanMode.Inputs ? inputs : (inputs + outputs) / 2);
    }
}

/// <summary>What a variance is divided by.</summary>
internal enum FanMode
{
    /// <summary>The number of inputs.</summary>
    Inputs,

    /// <summary>The mean of the numbers of inputs and outputs.</summary>
    Average,
}

/// <summary>Numbers of a normal distribution, or of its part within two deviations of the mean.</summary>
internal sealed class NormalInitializer(Func<long[], (double Mean, double Deviation)> parameters, bool truncated) : Initializer
{
    // The deviation of a normal distribution that is cut off at two deviations.
    private const double TruncatedDeviation = 0.87962566103423978;

    protected override double[] Values(long[] shape, RandomNumbers random)
    {
        (double mean, double deviation) = parameters(shape);
        var values = new double[Count(shape)];
        foreach (ref double value in values.AsSpan())
        {
            double normal = random.NextNormal();
            while (truncated && Math.Abs(normal) > 2)
            {
                normal = random.NextNormal();
            }
            value = mean + (deviation * normal);
        }
        return values;
    }

    /// <summary>Truncated, with mean 0 and the variance <c>scale / fan</c> after the cut.</summary>
    public static NormalInitializer Scaled(double scale, FanMode mode) => new(
        shape => (0, Math.Sqrt(scale / UniformInitializer.FanOf(shape, mode)) / TruncatedDeviation), truncated: true);
}
