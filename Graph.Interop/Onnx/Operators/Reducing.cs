namespace Graphene.Interop.Onnx.Operators;

/// <summary>Reductions of several tensors together.</summary>
internal static class Reducing
{
    /// <summary>Reduces tensors of one shape together by a body over scalars.</summary>
    public static Node[] Reduce(
        this GraphBuilder b, Node[] inputs, Node[] initial, Axes dimensions, Computation body) =>
        b.Results(b.Add(new ReduceOp(dimensions, body), [.. inputs, .. initial]));

    /// <summary>Reduces windows of tensors of one shape together by a body over scalars.</summary>
    public static Node[] ReduceWindow(
        this GraphBuilder b, Node[] inputs, Node[] initial, WindowDim[] window, Computation body) =>
        b.Results(b.Add(new ReduceWindowOp([.. window], body), [.. inputs, .. initial]));
}
