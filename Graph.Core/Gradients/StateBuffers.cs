namespace Graphene;

/// <summary>Tensors with a first dimension of slots, each of which keeps a value.</summary>
internal static class StateBuffers
{
    /// <summary>Empty slots for values of the types of some others; at least one, so that code which writes one has a place.</summary>
    public static Node[] Make(GraphBuilder b, IEnumerable<Node> like, Dim slots) =>
        [.. like.Select(x => b.Splat(x.DType, [Dim.Max(slots, 1), .. x.Shape], 0))];

    /// <summary>The buffers with values put into a slot.</summary>
    public static Node[] Write(GraphBuilder b, IReadOnlyList<Node> buffers, Node slot, IReadOnlyList<Node> values) =>
        [.. buffers.Select((buffer, i) => b.DynamicUpdateSlice(
            buffer, b.Reshape(values[i], [1, .. values[i].Shape]), Starts(b, slot, buffer.Rank)))];

    /// <summary>The values in a slot.</summary>
    public static Node[] Read(GraphBuilder b, IReadOnlyList<Node> buffers, Node slot) =>
        [.. buffers.Select(buffer =>
        {
            Shape shape = buffer.Shape.Without([0]);
            return b.Reshape(b.DynamicSlice(buffer, Starts(b, slot, buffer.Rank), [1, .. shape]), shape);
        })];

    private static Node[] Starts(GraphBuilder b, Node slot, int rank)
    {
        var starts = new Node[rank];
        Array.Fill(starts, b.Constant(slot.DType, 0));
        starts[0] = slot;
        return starts;
    }
}
