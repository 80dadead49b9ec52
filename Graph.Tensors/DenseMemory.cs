using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Graphene.Tensors;

/// <summary>The elements of .NET's tensors as spans, where they lie one behind the other.</summary>
internal static class DenseMemory
{
    /// <summary>
    /// The elements, if they are row-major without gaps. Strides of dimensions of size 1 mean nothing,
    /// whatever they are.
    /// </summary>
    public static bool TryGetSpan<T>(in ReadOnlyTensorSpan<T> tensor, out ReadOnlySpan<T> elements)
    {
        if (!IsDense(tensor.Lengths, tensor.Strides) || tensor.FlattenedLength > int.MaxValue)
        {
            elements = default;
            return false;
        }
        elements = tensor.FlattenedLength == 0
            ? []
            : MemoryMarshal.CreateReadOnlySpan(in tensor.GetPinnableReference(), (int)tensor.FlattenedLength);
        return true;
    }

    /// <summary>The elements, to be written.</summary>
    public static bool TryGetSpan<T>(in TensorSpan<T> tensor, out Span<T> elements)
    {
        if (!IsDense(tensor.Lengths, tensor.Strides) || tensor.FlattenedLength > int.MaxValue)
        {
            elements = default;
            return false;
        }
        elements = tensor.FlattenedLength == 0
            ? []
            : MemoryMarshal.CreateSpan(ref tensor.GetPinnableReference(), (int)tensor.FlattenedLength);
        return true;
    }

    private static bool IsDense(ReadOnlySpan<nint> lengths, ReadOnlySpan<nint> strides)
    {
        nint expected = 1;
        for (int i = lengths.Length - 1; i >= 0; i--)
        {
            if (lengths[i] == 0)
            {
                return true;
            }
            if (lengths[i] != 1 && strides[i] != expected)
            {
                return false;
            }
            expected *= lengths[i];
        }
        return true;
    }
}
