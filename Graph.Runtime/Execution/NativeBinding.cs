namespace Graphene.Runtime;

/// <summary>A binding of compiled code: the sizes and places of all buffers.</summary>
internal sealed class NativeBinding : ShapeBinding
{
    /// <summary>Bytes of each buffer.</summary>
    public required long[] BufferBytes { get; init; }

    /// <summary>
    /// Where each buffer starts: in the constants, in the arena, or in the buffer that an alias is part of; unused for
    /// the
    /// caller's memory.
    /// </summary>
    public required long[] BufferOffsets { get; init; }

    /// <summary>Bytes of the arena.</summary>
    public required long ArenaBytes { get; init; }
}
