namespace Graphene.Runtime;

/// <summary>What a kind of relocation refers to.</summary>
internal enum RelocationTarget
{
    /// <summary>This processor has no such relocation, or nothing that we load uses it.</summary>
    Unsupported,

    /// <summary>The symbol itself.</summary>
    Symbol,

    /// <summary>An entry of the address table that holds the symbol's address.</summary>
    AddressTableEntry,
}

/// <summary>Patches instructions and data of one processor.</summary>
internal interface IRelocator
{
    /// <summary>What the relocation type refers to.</summary>
    RelocationTarget TargetOf(uint type);

    /// <summary>How many bytes a supported relocation type patches.</summary>
    int WidthOf(uint type);

    /// <summary>Patches the bytes at the relocated place.</summary>
    /// <param name="type">A supported relocation type.</param>
    /// <param name="place">The bytes to be patched; exactly as many as <see cref="WidthOf"/> says.</param>
    /// <param name="placeAddress">The address at which they will be.</param>
    /// <param name="target">Address of the target, with the addend added.</param>
    /// <returns>Whether the target is within reach and suitably aligned.</returns>
    bool TryApply(uint type, Span<byte> place, ulong placeAddress, ulong target);

    /// <summary>Writes code that jumps to an address anywhere in memory.</summary>
    /// <param name="stub"><see cref="LinkageTables.StubSize"/> bytes.</param>
    /// <param name="target">A function with the C library's calling convention.</param>
    void WriteStub(Span<byte> stub, ulong target);
}
