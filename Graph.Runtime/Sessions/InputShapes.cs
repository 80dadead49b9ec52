namespace Graphene.Runtime;

/// <summary>Finds the shape of an input from what was fed, and checks the element type.</summary>
internal static class InputShapes
{
    /// <summary>Writes the extents of elements that were fed with a shape.</summary>
    /// <exception cref="GraphException">GR6201: the rank differs.</exception>
    public static void Copy(InputSpec input, ReadOnlySpan<long> shape, Span<long> extents)
    {
        if (shape.Length != input.Type.Rank)
        {
            throw new GraphException(
                RuntimeDiagnostics.ShapeMismatch,
                $"input '{input.Name}': shape [{string.Join(",", shape.ToArray())}] has {shape.Length} dimensions, "
                + $"{input.Type} has {input.Type.Rank}",
                fix: "feed a tensor of the right rank");
        }
        shape.CopyTo(extents);
    }

    /// <summary>Writes the extents that follow from a number of elements. Allocates nothing unless it fails.</summary>
    /// <exception cref="GraphException">GR6201: the number does not fit, or leaves more than one dimension
    /// open.</exception>
    public static void Infer(InputSpec input, long count, Span<long> extents)
    {
        Shape dims = input.Type.Shape;
        int open = -1;
        long known = 1;
        for (int axis = 0; axis < dims.Rank; axis++)
        {
            if (dims[axis].IsStatic)
            {
                extents[axis] = dims[axis].Value;
                known *= dims[axis].Value;
            }
            else if (open < 0)
            {
                open = axis;
            }
            else
            {
                throw Ambiguous(input);
            }
        }
        if (open >= 0 && known > 0 && count % known == 0)
        {
            extents[open] = count / known;
        }
        else if (open >= 0 || count != known)
        {
            throw new GraphException(
                RuntimeDiagnostics.ShapeMismatch,
                $"input '{input.Name}': {count} elements do not fit {input.Type}",
                why: open < 0 ? $"it has {known} elements" : $"its other dimensions have {known} elements",
                fix: "feed as many elements as the shape has, or give the shape");
        }
    }

    /// <summary>Checks the element type.</summary>
    /// <exception cref="GraphException">GR6205: it differs.</exception>
    public static void RequireType(string what, string name, TensorType type, DType given)
    {
        if (type.DType != given)
        {
            throw new GraphException(
                RuntimeDiagnostics.BadFeed, $"{what} '{name}': {given.Name()} elements were given, it is {type}",
                why: "values are never converted silently", fix: $"give {type.DType.Name()} elements");
        }
    }

    private static GraphException Ambiguous(InputSpec input) => new(
        RuntimeDiagnostics.ShapeMismatch, $"input '{input.Name}': elements without a shape do not fit {input.Type}",
        why: "more than one dimension is symbolic, so the number of elements does not tell them",
        fix: "give the shape, too");
}
