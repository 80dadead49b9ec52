namespace Graphene.Train;

/// <summary>The initializers, under Keras's names.</summary>
public static class Initializers
{
    /// <summary>Zeros.</summary>
    public static Initializer Zeros { get; } = new ConstantInitializer(0);

    /// <summary>Ones.</summary>
    public static Initializer Ones { get; } = new ConstantInitializer(1);

    /// <summary>Between -limit and limit with <c>limit = sqrt(6 / (inputs + outputs))</c> (Glorot and Bengio, 2010).</summary>
    public static Initializer GlorotUniform { get; } = UniformInitializer.Scaled(1, FanMode.Average);

    /// <summary>Truncated normal with variance <c>2 / (inputs + outputs)</c>.</summary>
    public static Initializer GlorotNormal { get; } = NormalInitializer.Scaled(1, FanMode.Average);

    /// <summary>Between -limit and limit with <c>limit = sqrt(6 / inputs)</c> (He et al., 2015), for rectifiers.</summary>
    public static Initializer HeUniform { get; } = UniformInitializer.Scaled(2, FanMode.Inputs);

    /// <summary>Truncated normal with variance <c>2 / inputs</c>.</summary>
    public static Initializer HeNormal { get; } = NormalInitializer.Scaled(2, FanMode.Inputs);

    /// <summary>A number everywhere.</summary>
    public static Initializer Constant(double value) => new ConstantInitializer(value);

    /// <summary>Numbers from low to high, all equally likely.</summary>
    public static Initializer RandomUniform(double low = -0.05, double high = 0.05) => new UniformInitializer(_ => (low, high));

    /// <summary>Numbers of a normal distribution.</summary>
    public static Initializer RandomNormal(double mean = 0, double deviation = 0.05) =>
        new NormalInitializer(_ => (mean, deviation), truncated: false);

    /// <summary>Numbers of a normal distribution; those further than two deviations from the mean are drawn again.</summary>
    public static Initializer TruncatedNormal(double mean = 0, double deviation = 0.05) =>
        new NormalInitializer(_ => (mean, deviation), truncated: true);

    /// <summary>An orthogonal matrix times a factor; leading dimensions count as rows (Saxe et al., 2014).</summary>
    public static Initializer Orthogonal(double gain = 1) => new OrthogonalInitializer(gain);
}
