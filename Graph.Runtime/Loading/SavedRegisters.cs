namespace Graphene.Runtime;

/// <summary>Which registers the operating system saves when it changes threads, on x86-64: XCR0.</summary>
internal static class SavedRegisters
{
    /// <summary>Whether all registers of a set are saved.</summary>
    /// <param name="processor">Says whether that can be asked.</param>
    /// <param name="set">Bits of XCR0.</param>
    public static bool Include(X64Processor processor, uint set)
    {
        const uint CanBeAsked = 1u << 27; // OSXSAVE
        return (processor.Ask(1, 0).Ecx & CanBeAsked) != 0 && (X64Instructions.SavedRegisters() & set) == set;
    }
}
