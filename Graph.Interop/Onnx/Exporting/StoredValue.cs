namespace Graphene.Interop.Onnx.Exporting;

/// <summary>A value of the graph, and how it lies in the file: repeated and transposed only when somebody needs it so.</summary>
/// <remarks>
/// <code>
///   value      f32[batch,26,26,16]                    what the graph means: features last
///   extents    [1,1,1,16]                             1 where elements only repeat: ONNX's operators repeat them by themselves
///   order      [0,3,1,2]                              dimension 1 of the tensor in the file is dimension 3 of the value
///   tensor     [16,1,1]                               extents in that order, without the ones in front
/// </code>
/// So a bias is added as the vector that it is, and a chain of convolutions, activations and poolings with features last
/// becomes a chain with features first, which is how ONNX convolves, with a transpose at its ends alone.
/// </remarks>
/// <param name="Type">The value's type.</param>
/// <param name="Extents">The sizes before repetition: those of the type, or 1.</param>
/// <param name="Order">For each dimension of the tensor in the file, the value's dimension.</param>
internal sealed record StoredValue(TensorType Type, Shape Extents, Axes Order)
{
    /// <summary>The tensor in the file; null for a constant, which is stored when it is used.</summary>
    public string? Name { get; private init; }

    /// <summary>The number of dimensions of the tensor in the file; the others are of size 1 and would stand in front.</summary>
    public int TensorRank { get; private init; }

    /// <summary>The elements of a constant, of the shape of the extents; null for what is computed.</summary>
    public Literal? Constant { get; private init; }

    /// <summary>What to call a constant.</summary>
    public string? Hint { get; private init; }

    /// <summary>True when there is one element, which is everywhere.</summary>
    public bool IsSingle => Constant is { ElementCount: 1 } || (Constant is null && TensorRank == 0);

    /// <summary>A tensor as the graph means it.</summary>
    public static StoredValue Plain(string name, TensorType type) => InOrder(name, type, Axes.Range(type.Rank));

    /// <summary>A tensor whose dimensions stand in another order.</summary>
    public static StoredValue InOrder(string name, TensorType type, Axes order) =>
        Named(name, type, type.Shape, order, type.Rank);

    /// <summary>A tensor that is repeated.</summary>
    public static StoredValue Named(string name, TensorType type, Shape extents, Axes order, int tensorRank) =>
        new(type with { Layout = null }, extents, order) { Name = name, TensorRank = tensorRank };

    /// <summary>A constant.</summary>
    public static StoredValue Of(Literal constant, string? hint = null) => Repeated(constant, constant.Type, hint);

    /// <summary>A constant that is repeated.</summary>
    /// <param name="constant">Of the rank of <paramref name="type"/>.</param>
    /// <param name="type">What it is repeated to.</param>
    /// <param name="hint">What to call it.</param>
    public static StoredValue Repeated(Literal constant, TensorType type, string? hint) =>
        new(type with { Layout = null }, constant.Shape, Axes.Range(type.Rank)) { Constant = constant, Hint = hint };

    /// <summary>True when elements repeat along a dimension.</summary>
    public bool Repeats(int axis) => Extents[axis] == 1 && Type.Shape[axis] != 1;

    /// <summary>The only element of a constant that has one; null otherwise.</summary>
    public Scalar? SingleElement => Constant is { ElementCount: > 0 } && Constant.IsSplat() ? Constant[0] : null;

    /// <summary>The same tensor, seen as a value whose dimension i is dimension <c>permutation[i]</c> of this one.</summary>
    public StoredValue Transposed(Axes permutation)
    {
        TensorType type = Type with { Shape = Type.Shape.Permute(permutation) };
        return Constant is not null
            ? Repeated(LiteralOrder.Permute(Constant, permutation), type, Hint)
            : this with
            {
                Type = type,
                Extents = Extents.Permute(permutation),
                Order = Axes.From(Order.Select(permutation.IndexOf)),
            };
    }

    /// <summary>The one element of <see cref="IsSingle"/> repeated to another shape.</summary>
    public StoredValue SingleTo(Shape shape)
    {
        TensorType type = Type with { Shape = shape };
        Shape ones = Shape.From(shape.Select(_ => (Dim)1));
        return Constant is not null
            ? Repeated(Constant.Reshape(ones), type, Hint)
            : new StoredValue(type, ones, Axes.Range(shape.Rank)) { Name = Name };
    }
}
