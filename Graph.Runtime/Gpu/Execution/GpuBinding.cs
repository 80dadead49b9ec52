namespace Graphene.Runtime;

/// <summary>A binding of a plan for a GPU: the sizes and places of all buffers, and all numbers of its steps.</summary>
internal sealed class GpuBinding : ShapeBinding
{
    /// <summary>Bytes of each buffer.</summary>
    public required long[] BufferBytes { get; init; }

    /// <summary>Where each buffer starts: in the arena, or in the buffer that an alias is part of; unused for others.</summary>
    public required long[] BufferOffsets { get; init; }

    /// <summary>Bytes of the arena.</summary>
    public required long ArenaBytes { get; init; }

    /// <summary>The values of the <see cref="NumberTable"/>.</summary>
    public required long[] Numbers { get; init; }
}
