using System.Collections;
using System.Runtime.CompilerServices;

namespace Graphene;

/// <summary>The logical extents of a tensor, outermost first; each a number or a symbolic expression.</summary>
[CollectionBuilder(typeof(Shape), nameof(Create))]
public sealed class Shape : IReadOnlyList<Dim>, IEquatable<Shape>
{
    private readonly Dim[] _dims;

    private Shape(Dim[] dims) => _dims = dims;

    /// <summary>The shape of a scalar.</summary>
    public static Shape Scalar { get; } = new([]);

    /// <summary>The number of dimensions.</summary>
    public int Rank => _dims.Length;

    int IReadOnlyCollection<Dim>.Count => _dims.Length;

    /// <summary>True when every dimension is a number.</summary>
    public bool IsStatic
    {
        get
        {
            foreach (Dim dim in _dims)
            {
                if (!dim.IsStatic)
                {
                    return false;
                }
            }
            return true;
        }
    }

    /// <summary>The product of all dimensions; 1 for a scalar.</summary>
    public Dim ElementCount
    {
        get
        {
            Dim count = 1;
            foreach (Dim dim in _dims)
            {
                count *= dim;
            }
            return count;
        }
    }

    /// <inheritdoc/>
    public Dim this[int axis] => _dims[axis];

    /// <summary>A dimension, counted from the end with <c>^</c>.</summary>
    public Dim this[Index axis] => _dims[axis];

    /// <summary>Copies the dimensions into a shape.</summary>
    public static Shape Create(ReadOnlySpan<Dim> dims) => dims.IsEmpty ? Scalar : new(dims.ToArray());

    /// <summary>Copies the dimensions into a shape; what others do by generic code, without it.</summary>
    public static Shape Copy(Dim[] dims) => dims.Length == 0 ? Scalar : new((Dim[])dims.Clone());

    /// <summary>Copies the dimensions into a shape.</summary>
    public static Shape From(IEnumerable<Dim> dims) => new([.. dims]);

    /// <summary>A shape of numbers.</summary>
    public static Shape Of(params ReadOnlySpan<long> dims)
    {
        var result = new Dim[dims.Length];
        for (int i = 0; i < result.Length; i++)
        {
            result[i] = dims[i];
        }
        return new(result);
    }

    /// <summary>The shape whose dimension i is this one's dimension <c>order[i]</c>.</summary>
    public Shape Permute(Axes order) => From(order.Select(axis => _dims[axis]));

    /// <summary>The shape with dimension <paramref name="axis"/> replaced.</summary>
    public Shape With(int axis, Dim dim)
    {
        Dim[] dims = [.. _dims];
        dims[axis] = dim;
        return new(dims);
    }

    /// <summary>The shape without the given axes.</summary>
    public Shape Without(Axes axes) => From(_dims.Where((_, axis) => !axes.Contains(axis)));

    /// <summary>The extents as numbers.</summary>
    /// <exception cref="InvalidOperationException">A dimension is symbolic.</exception>
    public long[] ToStatic()
    {
        long[] values = new long[_dims.Length];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = _dims[i].Value;
        }
        return values;
    }

    /// <summary>Replaces symbols by their values.</summary>
    public Shape Substitute(IReadOnlyDictionary<DimSymbol, Dim> values) => From(_dims.Select(d => d.Substitute(values)));

    /// <summary>The dimensions as a span.</summary>
    public ReadOnlySpan<Dim> AsSpan() => _dims;

    /// <inheritdoc/>
    public bool Equals(Shape? other) => other is not null && _dims.AsSpan().SequenceEqual(other._dims);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Shape);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (Dim dim in _dims)
        {
            hash.Add(dim);
        }
        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public IEnumerator<Dim> GetEnumerator() => ((IEnumerable<Dim>)_dims).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => _dims.GetEnumerator();

    /// <summary>The dimensions in brackets, as in IR text: <c>[batch,8,2*seq+1]</c>.</summary>
    public override string ToString() => $"[{string.Join(",", _dims)}]";
}
