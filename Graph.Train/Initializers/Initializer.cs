namespace Graphene.Train;

/// <summary>Makes the first value of a weight.</summary>
/// <remarks>
/// Values are computed in f64 in row-major order from one stream of random numbers, then rounded to the element type: the key and
/// the shape decide every bit.
/// </remarks>
public abstract class Initializer
{
    /// <summary>The value of a weight.</summary>
    /// <param name="type">The floating element type and the static shape.</param>
    /// <param name="key">Decides the random numbers; see <see cref="RandomNumbers.KeyOf"/>.</param>
    public Literal Create(TensorType type, ulong key)
    {
        double[] values = Values(type.Shape.ToStatic(), new RandomNumbers(key));
        int next = 0;
        return Literal.Generate(type, _ => Scalar.FromDouble(type.DType, values[next++]));
    }

    /// <summary>The elements in row-major order.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="random">The random numbers to take.</param>
    protected abstract double[] Values(long[] shape, RandomNumbers random);

    /// <summary>How many inputs each output of a weight sums, and how many outputs each input feeds.</summary>
    /// <remarks>As in Keras: a kernel is [spatial.., inputs, outputs], a matrix [inputs, outputs], a vector counts for both.</remarks>
    protected static (double In, double Out) Fans(ReadOnlySpan<long> shape)
    {
        if (shape.Length < 2)
        {
            double single = shape.Length == 0 ? 1 : shape[0];
            return (single, single);
        }
        double receptive = Count(shape[..^2]);
        return (receptive * shape[^2], receptive * shape[^1]);
    }

    /// <summary>The number of elements of a shape.</summary>
    protected static long Count(ReadOnlySpan<long> shape)
    {
        long count = 1;
        foreach (long extent in shape)
        {
            count *= extent;
        }
        return count;
    }
}
