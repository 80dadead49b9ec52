using System.Runtime.Intrinsics.X86;

namespace Graphene.Runtime;

/// <summary>Which registers the operating system saves when it changes threads, on x86-64: XCR0.</summary>
/// <remarks>Only the instruction XGETBV tells, and .NET has no name for it; a few bytes of machine code do.</remarks>
internal static unsafe class SavedRegisters
{
    private const int HasXgetbv = 1 << 27; // CPUID 1, ecx: OSXSAVE
    private const int PageSize = 4096;

    private static readonly Lazy<uint> Bits = new(Read);

    // xor ecx, ecx; xgetbv; ret. The result is in eax, whatever the convention.
    private static ReadOnlySpan<byte> Code => [0x31, 0xC9, 0x0F, 0x01, 0xD0, 0xC3];

    /// <summary>Whether all registers of a set are saved.</summary>
    /// <param name="set">Bits of XCR0.</param>
    public static bool Include(uint set) => (Bits.Value & set) == set;

    private static uint Read()
    {
        if ((X86Base.CpuId(1, 0).Ecx & HasXgetbv) == 0)
        {
            return 0;
        }
        nint page = MemoryPages.Allocate(PageSize);
        try
        {
            Code.CopyTo(new Span<byte>((void*)page, Code.Length));
            MemoryPages.MakeExecutable(page, PageSize);
            return ((delegate* unmanaged<uint>)page)();
        }
        finally
        {
            MemoryPages.Free(page, PageSize);
        }
    }
}
