namespace Graphene.Interop.Onnx.Exporting;

/// <summary>Reorders the dimensions of constants.</summary>
internal static class LiteralOrder
{
    /// <summary>Result dimension i is dimension <c>permutation[i]</c> of the constant.</summary>
    public static Literal Permute(Literal value, Axes permutation)
    {
        Shape shape = value.Shape.Permute(permutation);
        int[] moving = [.. permutation.Where(axis => value.Shape[axis] != 1)];
        if (moving.SequenceEqual(moving.Order()))
        {
            return value.Reshape(shape); // only dimensions of size 1 change their places
        }
        long[] strides = [.. value.Type.Strides().Select(s => s.Value)];
        int size = value.DType.SizeInBytes();
        byte[] bytes = new byte[value.SizeInBytes];
        ReadOnlySpan<byte> source = value.Bytes.Span;
        int next = 0;
        foreach (long[] at in IndexSpace.Of(shape.ToStatic()))
        {
            long element = 0;
            for (int i = 0; i < at.Length; i++)
            {
                element += at[i] * strides[permutation[i]];
            }
            source.Slice((int)(element * size), size).CopyTo(bytes.AsSpan(next));
            next += size;
        }
        return new Literal(value.Type with { Shape = shape }, bytes);
    }

    /// <summary>The constant without dimensions of size 1 in front.</summary>
    public static Literal WithoutLeadingOnes(Literal value) =>
        value.Reshape(Shape.From(value.Shape.SkipWhile(dim => dim == 1)));
}
