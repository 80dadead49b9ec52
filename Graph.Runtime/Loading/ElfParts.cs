namespace Graphene.Runtime;

/// <summary>How the memory of a section may be used once it is loaded. The order is the order in memory.</summary>
internal enum SectionKind
{
    /// <summary>Takes no part in loading: debug information, notes, unwind tables.</summary>
    Ignored,
    Code,
    ReadOnly,
    Data,
    ZeroData,
}

/// <summary>A section of an object file, checked to lie within the file.</summary>
internal sealed record ElfSection(
    string Name, SectionKind Kind, ReadOnlyMemory<byte> Contents, long Size, int Alignment);

/// <summary>A symbol of an object file.</summary>
/// <param name="Name">Empty for sections and other local symbols, whose names nobody needs.</param>
/// <param name="Section">Index of the section it is in; <see cref="Undefined"/> or <see cref="Absolute"/>.</param>
/// <param name="Value">Offset in the section, at most its size; the address of an absolute symbol.</param>
/// <param name="IsGlobal">Whether other objects see it.</param>
/// <param name="IsWeak">Whether another definition of the name takes precedence.</param>
/// <param name="IsFunction">Whether it is code to be called.</param>
internal readonly record struct ElfSymbol(
    string Name, int Section, ulong Value, bool IsGlobal, bool IsWeak, bool IsFunction)
{
    public const int Undefined = 0;
    public const int Absolute = -1;

    /// <summary>Something that the loader does not support; an error if code refers to it.</summary>
    public const int Unsupported = -2;
}

/// <summary>A place that needs an address. Offset and symbol index are checked.</summary>
internal readonly record struct ElfRelocation(int Section, long Offset, uint Type, int Symbol, long Addend);
