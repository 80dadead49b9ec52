namespace Graphene.Codegen;

/// <summary>
/// Which element of a matrix, counted row by row, is which lane of which thread's piece; see
/// <see cref="KFragmentShape"/>.
/// </summary>
internal readonly struct FragmentPlaces(KFragmentShape shape)
{
    // How many consecutive elements of k a thread holds: 32 bits of them, and one f64.
    private readonly int _group = shape.Left.SizeInBits() >= 32 ? 1 : 32 / shape.Left.SizeInBits();

    /// <summary>The place of a lane of the sum.</summary>
    public int Sum(int thread, int lane)
    {
        int row = (thread / 4) + (8 * (lane / 2));
        return (row * shape.Columns) + (2 * (thread % 4)) + (lane % 2);
    }

    /// <summary>The place of a lane of the left operand.</summary>
    public int Left(int thread, int lane)
    {
        (int part, int within) = Math.DivRem(lane, _group);
        int row = (thread / 4) + (8 * (part % 2));
        int k = (_group * (thread % 4)) + within + (part / 2 * (shape.Depth / 2));
        return (row * shape.Depth) + k;
    }

    /// <summary>The place of a lane of the right operand.</summary>
    public int Right(int thread, int lane)
    {
        (int part, int within) = Math.DivRem(lane, _group);
        int k = (_group * (thread % 4)) + within + (part * (shape.Depth / 2));
        return (k * shape.Columns) + (thread / 4);
    }
}
