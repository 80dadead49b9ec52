namespace Graphene.Interop.Onnx;

/// <summary>Bounds on what a model file may make the reader do, so that a hostile file costs little.</summary>
public sealed record OnnxLoadOptions
{
    /// <summary>Limits that every model we know of stays far below.</summary>
    public static OnnxLoadOptions Default { get; } = new();

    /// <summary>Largest model file in bytes, external data not counted. Protobuf itself ends at 2 GiB.</summary>
    public long MaxFileBytes { get; init; } = int.MaxValue;

    /// <summary>Most protobuf messages (nodes, attributes, tensors, types ...) in a file.</summary>
    public int MaxMessages { get; init; } = 4_000_000;

    /// <summary>How deep messages may nest, at most 90. A subgraph inside a node's attribute takes three levels.</summary>
    public int MaxNesting { get; init; } = 90;

    /// <summary>Largest dense form in bytes of a tensor that is stored sparsely.</summary>
    public long MaxDenseBytes { get; init; } = 1L << 30;

    /// <summary>
    /// True to leave large tensors where they are until somebody needs their elements, which saves the memory for all weights when
    /// the model is only compiled. The files then stay open, and must not change, for as long as the imported model is used.
    /// </summary>
    public bool LeavesTensorsInFile { get; init; }
}
