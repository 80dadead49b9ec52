namespace Graphene.Optimizer;

/// <summary>A value that lies in another one's memory as a box of it: its rows are as far apart as the other's.</summary>
/// <param name="Whole">The type of the value whose memory it is, row-major.</param>
/// <param name="Part">The type of the value inside, row-major and of the same rank.</param>
/// <param name="Starts">The index of its first element in the whole.</param>
public sealed record PartBox(TensorType Whole, TensorType Part, ValueList<long> Starts)
{
    /// <summary>The bytes that lie together, at least.</summary>
    public long BytesTogether
    {
        get
        {
            long bytes = Part.DType.SizeInBytes();
            for (int axis = Part.Rank - 1; axis >= 0; axis--)
            {
                bytes *= Part.Shape[axis].Range.Min;
                if (Part.Shape[axis] != Whole.Shape[axis])
                {
                    break;
                }
            }
            return bytes;
        }
    }

    /// <summary>Whether no element belongs to both of two boxes of one whole.</summary>
    /// <param name="other">The other box.</param>
    /// <param name="valueOf">Gives each symbol's value.</param>
    public bool IsApartFrom(PartBox other, Func<DimSymbol, long> valueOf) =>
        Whole.Equals(other.Whole) && Enumerable.Range(0, Part.Rank).Any(axis =>
            Starts[axis] + Part.Shape[axis].Evaluate(valueOf) <= other.Starts[axis] ||
            other.Starts[axis] + other.Part.Shape[axis].Evaluate(valueOf) <= Starts[axis]);
}
