namespace Graphene.Codegen;

/// <summary>Memory that a kernel reads or writes: one of its arguments, or scratch that lives during one task.</summary>
public sealed class KBuffer
{
    private KBuffer(string name, DType element, int argument, long length, bool isReadOnly)
    {
        Name = name;
        Element = element;
        Argument = argument;
        Length = length;
        IsReadOnly = isReadOnly;
    }

    /// <summary>The name in Kernel IR text.</summary>
    public string Name { get; }

    /// <summary>The element type; indices count elements.</summary>
    public DType Element { get; }

    /// <summary>The place in the kernel's argument list; -1 for scratch.</summary>
    public int Argument { get; }

    /// <summary>The number of elements of scratch; 0 for arguments, whose sizes may be symbolic.</summary>
    public long Length { get; }

    /// <summary>True when the kernel never writes it and nothing else does while the kernel runs.</summary>
    public bool IsReadOnly { get; }

    /// <summary>True for scratch.</summary>
    public bool IsScratch => Argument < 0;

    /// <summary>Argument number <paramref name="argument"/> of the kernel; aligned to one element, not more: it may be a caller's memory.</summary>
    public static KBuffer ForArgument(string name, DType element, int argument, bool isReadOnly) =>
        new(name, element, argument, 0, isReadOnly);

    /// <summary>Scratch of a fixed length on the stack, 64-byte aligned, undefined at the start of each task.</summary>
    public static KBuffer Scratch(string name, DType element, long length) => new(name, element, -1, length, false);

    /// <inheritdoc/>
    public override string ToString() => Name;
}
