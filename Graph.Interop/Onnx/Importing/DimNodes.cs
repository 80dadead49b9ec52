namespace Graphene.Interop.Onnx.Importing;

/// <summary>Dimensions as data: for graphs that compute with sizes, not only shape tensors by them.</summary>
internal static class DimNodes
{
    /// <summary>The value of a dim in every element of a shape.</summary>
    public static Node Splat(GraphBuilder b, Dim dim, DType type, Shape shape) => dim.IsStatic
        ? b.BroadcastInDim(b.Constant(Number(type, dim.Value)), shape, [])
        : b.BroadcastInDim(b.Convert(b.DimValue(dim), type), shape, []);

    /// <summary>The elements of a tensor of dims: a constant when all are numbers.</summary>
    public static Node Make(GraphBuilder b, DimTensor dims)
    {
        DType type = OnnxTypes.Storage(dims.Type, "a shape computation");
        if (dims.IsStatic)
        {
            return b.Constant(dims.ToLiteral(type));
        }
        Shape shape = Shape.From(dims.Extents.Select(e => (Dim)e));
        Node[] elements = [.. dims.Elements.Select(e => Splat(b, e, type, [1]))];
        return b.Reshape(elements.Length == 1 ? elements[0] : b.Concatenate(elements, 0), shape);
    }

    private static Scalar Number(DType type, long value) =>
        type.IsFloating() ? Scalar.FromDouble(type, value) : Scalar.FromInteger(type, value);
}
