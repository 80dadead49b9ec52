using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Graphene.Runtime;

/// <summary>Elements by their indices: a row-major tensor of up to four dimensions over memory that is there, without copies.</summary>
/// <remarks>An access costs a comparison and a multiplication per dimension, so loops over a view run like loops over its span.</remarks>
/// <typeparam name="T">The elements' type.</typeparam>
public readonly ref struct ElementView<T>
    where T : unmanaged
{
    private readonly ref T _first;
    private readonly nint _planes;
    private readonly nint _slices;
    private readonly nint _rows;
    private readonly nint _columns;
    private readonly int _rank;

    /// <summary>Sees elements as a tensor.</summary>
    /// <param name="elements">Row-major.</param>
    /// <param name="shape">One to four extents whose product is the number of elements.</param>
    /// <exception cref="ArgumentException">The shape does not fit.</exception>
    // Inlined with all that it sets: a view whose address was passed to a call stays in memory, and its extents are read for each element.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ElementView(ReadOnlySpan<T> elements, params ReadOnlySpan<long> shape)
    {
        ElementViewShape.Check(elements.Length, shape);
        _first = ref MemoryMarshal.GetReference(elements);
        _rank = shape.Length;
        _columns = (nint)shape[^1];
        _rows = _rank > 1 ? (nint)shape[^2] : 1;
        _slices = _rank > 2 ? (nint)shape[^3] : 1;
        _planes = _rank > 3 ? (nint)shape[^4] : 1;
    }

    /// <summary>The number of dimensions.</summary>
    public int Rank => _rank;

    /// <summary>An element of a vector.</summary>
    /// <exception cref="IndexOutOfRangeException">There is no such element, or another number of dimensions.</exception>
    public ref readonly T this[nint column]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            if (_rank != 1 || (nuint)column >= (nuint)_columns)
            {
                ElementViewShape.Throw();
            }
            return ref Unsafe.Add(ref _first, column);
        }
    }

    /// <summary>An element of a matrix.</summary>
    /// <exception cref="IndexOutOfRangeException">There is no such element, or another number of dimensions.</exception>
    public ref readonly T this[nint row, nint column]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            if (_rank != 2 || (nuint)row >= (nuint)_rows || (nuint)column >= (nuint)_columns)
            {
                ElementViewShape.Throw();
            }
            return ref Unsafe.Add(ref _first, (row * _columns) + column);
        }
    }

    /// <summary>An element of a tensor of three dimensions.</summary>
    /// <exception cref="IndexOutOfRangeException">There is no such element, or another number of dimensions.</exception>
    public ref readonly T this[nint slice, nint row, nint column]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            if (_rank != 3 || (nuint)slice >= (nuint)_slices || (nuint)row >= (nuint)_rows || (nuint)column >= (nuint)_columns)
            {
                ElementViewShape.Throw();
            }
            return ref Unsafe.Add(ref _first, (((slice * _rows) + row) * _columns) + column);
        }
    }

    /// <summary>An element of a tensor of four dimensions.</summary>
    /// <exception cref="IndexOutOfRangeException">There is no such element, or another number of dimensions.</exception>
    public ref readonly T this[nint plane, nint slice, nint row, nint column]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            if (_rank != 4 || (nuint)plane >= (nuint)_planes || (nuint)slice >= (nuint)_slices || (nuint)row >= (nuint)_rows
                || (nuint)column >= (nuint)_columns)
            {
                ElementViewShape.Throw();
            }
            return ref Unsafe.Add(ref _first, (((((plane * _slices) + slice) * _rows) + row) * _columns) + column);
        }
    }
}

/// <summary>What views of all element types share.</summary>
internal static class ElementViewShape
{
    private const int MaxRank = 4;

    /// <summary>Objects to a shape that does not fit a number of elements.</summary>
    public static void Check(int elements, ReadOnlySpan<long> shape)
    {
        long count = 1;
        foreach (long extent in shape)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(extent, nameof(shape));
            count = checked(count * extent);
        }
        if (count != elements || shape.Length is 0 or > MaxRank)
        {
            throw new ArgumentException($"{elements} elements are no tensor of shape [{string.Join(",", shape.ToArray())}]", nameof(shape));
        }
    }

    /// <summary>Objects to indices.</summary>
    [DoesNotReturn]
    [SuppressMessage("Usage", "CA2201", Justification = "what arrays and spans throw")]
    public static void Throw() => throw new IndexOutOfRangeException("there is no element of these indices");
}
