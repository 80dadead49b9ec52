namespace Graphene.Runtime;

/// <summary>Everything that follows from the shapes of what is fed; made once per combination of shapes.</summary>
internal class ShapeBinding
{
    /// <summary>The extents of all inputs in one row.</summary>
    public required long[] InputExtents { get; init; }

    /// <summary>The values of the symbols.</summary>
    public required long[] Symbols { get; init; }

    /// <summary>The shape of each output.</summary>
    public required long[][] OutputShapes { get; init; }

    /// <summary>The bytes of each input.</summary>
    public required long[] InputBytes { get; init; }

    /// <summary>The bytes of each output.</summary>
    public required long[] OutputBytes { get; init; }
}
