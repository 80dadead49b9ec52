namespace Graphene.Train;

/// <summary>A matrix with orthonormal rows or columns, whichever are fewer; leading dimensions count as rows.</summary>
/// <remarks>
/// The Q of a QR decomposition of normal numbers, with the signs of R's diagonal, is uniformly distributed (Mezzadri, "How to
/// generate random matrices from the classical compact groups", 2007). Q comes from Gram and Schmidt's process, done twice for each
/// vector, which keeps it orthogonal to the last bits (Giraud et al., 2005) and gives R a positive diagonal by itself.
/// </remarks>
internal sealed class OrthogonalInitializer(double gain) : Initializer
{
    protected override double[] Values(long[] shape, RandomNumbers random)
    {
        int columns = shape.Length == 0 ? 1 : (int)shape[^1];
        int rows = (int)(Count(shape) / Math.Max(1, columns));
        int length = Math.Max(rows, columns);
        var vectors = new double[Math.Min(rows, columns)][];
        for (int i = 0; i < vectors.Length; i++)
        {
            vectors[i] = Next(vectors.AsSpan(0, i), length, random);
        }
        var values = new double[Count(shape)];
        for (int at = 0; at < values.Length; at++)
        {
            (int row, int column) = Math.DivRem(at, columns);
            values[at] = gain * (rows <= columns ? vectors[row][column] : vectors[column][row]);
        }
        return values;
    }

    private static double[] Next(ReadOnlySpan<double[]> before, int length, RandomNumbers random)
    {
        var vector = new double[length];
        double norm = 0;
        while (norm < 1e-6) // never in practice: the random vector would lie in the span of those before
        {
            foreach (ref double element in vector.AsSpan())
            {
                element = random.NextNormal();
            }
            RemoveParts(before, vector);
            RemoveParts(before, vector);
            norm = Math.Sqrt(Dot(vector, vector));
        }
        foreach (ref double element in vector.AsSpan())
        {
            element /= norm;
        }
        return vector;
    }

    private static void RemoveParts(ReadOnlySpan<double[]> before, double[] vector)
    {
        foreach (double[] other in before)
        {
            double part = Dot(other, vector);
            for (int i = 0; i < vector.Length; i++)
            {
                vector[i] -= part * other[i];
            }
        }
    }

    private static double Dot(double[] x, double[] y)
    {
        double sum = 0;
        for (int i = 0; i < x.Length; i++)
        {
            sum += x[i] * y[i];
        }
        return sum;
    }
}
