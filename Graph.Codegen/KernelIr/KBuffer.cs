namespace Graphene.Codegen;

/// <summary>Whose memory a buffer is.</summary>
public enum KBufferSpace
{
    /// <summary>An argument of the kernel.</summary>
    Argument,

    /// <summary>Scratch of one thread, which lives during one task.</summary>
    Scratch,

    /// <summary>Scratch that the threads of a task share; see <see cref="KThreads"/>.</summary>
    Shared,
}

/// <summary>Memory that a kernel reads or writes: one of its arguments, or scratch that lives during one task.</summary>
public sealed class KBuffer
{
    private KBuffer(string name, DType element, KBufferSpace space)
    {
        Name = name;
        Element = element;
        Space = space;
    }

    /// <summary>The name in Kernel IR text.</summary>
    public string Name { get; }

    /// <summary>The element type; indices count elements.</summary>
    public DType Element { get; }

    /// <summary>Whose memory it is.</summary>
    public KBufferSpace Space { get; }

    /// <summary>The place in the kernel's argument list; -1 for scratch.</summary>
    public int Argument { get; private init; } = -1;

    /// <summary>The number of elements of scratch; 0 for arguments, whose sizes may be symbolic.</summary>
    public long Length { get; private init; }

    /// <summary>True when the kernel never writes it and nothing else does while the kernel runs.</summary>
    public bool IsReadOnly { get; private init; }

    /// <summary>Shared scratch in whose place this lies: what is written to one destroys the other. Null for a place of its own.</summary>
    public KBuffer? Over { get; private init; }

    /// <summary>What the place of shared scratch is a multiple of, in bytes.</summary>
    public int Alignment { get; private init; } = SharedMemoryLayout.Alignment;

    /// <summary>True for scratch of a thread, and for what the threads of a task share.</summary>
    public bool IsScratch => Space != KBufferSpace.Argument;

    /// <summary>
    /// Argument number <paramref name="argument"/> of the kernel. Where tasks have one thread it is aligned to one element, not more: it
    /// may be a caller's memory. Where they have more it begins at a multiple of 64 bytes.
    /// </summary>
    public static KBuffer ForArgument(string name, DType element, int argument, bool isReadOnly) =>
        new(name, element, KBufferSpace.Argument) { Argument = argument, IsReadOnly = isReadOnly };

    /// <summary>Scratch of a fixed length on the stack, 64-byte aligned, undefined at the start of each task.</summary>
    public static KBuffer Scratch(string name, DType element, long length) =>
        new(name, element, KBufferSpace.Scratch) { Length = length };

    /// <summary>
    /// Scratch of a fixed length that the threads of a task share, 128-byte aligned, undefined at the
    /// start of each task.
    /// </summary>
    /// <param name="name">The name in Kernel IR text.</param>
    /// <param name="element">The element type.</param>
    /// <param name="length">The number of elements.</param>
    /// <param name="over">
    /// Shared scratch in whose place it lies, for what is needed later than the other; null for a place of its own.
    /// </param>
    /// <param name="alignment">What its place is a multiple of, in bytes: a power of two, 128 to 1024.</param>
    public static KBuffer Shared(
        string name, DType element, long length, KBuffer? over = null, int alignment = SharedMemoryLayout.Alignment) =>
        new(name, element, KBufferSpace.Shared) { Length = length, Over = over, Alignment = alignment };

    /// <inheritdoc/>
    public override string ToString() => Name;
}
