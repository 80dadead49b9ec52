using System.Runtime.Intrinsics.X86;

namespace Graphene.Runtime;

/// <summary>Two instructions of x86-64 that tell what there is: CPUID, and XGETBV, for which .NET has no name.</summary>
/// <remarks>
/// A few bytes of machine code do. What .NET has for the first is compiled in every process anew, and a start waits for it; it serves where
/// memory cannot become executable.
/// </remarks>
internal static unsafe class X64Instructions
{
    private const int PageSize = 4096;
    private const int SavedAt = 64; // of the second function
    private const int MovesArgumentAt = 3;
    private const byte MovesRcx = 0xC8; // where Windows passes the first argument

    private static readonly nint Page = Write();

    // push rbx; mov r8, rdi; mov eax, [r8]; mov ecx, [r8+8]; cpuid; mov [r8], eax; mov [r8+4], ebx; mov [r8+8], ecx; mov [r8+12], edx;
    // pop rbx; ret
    private static ReadOnlySpan<byte> CpuIdCode =>
    [
        0x53,
        0x49, 0x89, 0xF8,
        0x41, 0x8B, 0x00,
        0x41, 0x8B, 0x48, 0x08,
        0x0F, 0xA2,
        0x41, 0x89, 0x00,
        0x41, 0x89, 0x58, 0x04,
        0x41, 0x89, 0x48, 0x08,
        0x41, 0x89, 0x50, 0x0C,
        0x5B,
        0xC3,
    ];

    // xor ecx, ecx; xgetbv; ret
    private static ReadOnlySpan<byte> SavedCode => [0x31, 0xC9, 0x0F, 0x01, 0xD0, 0xC3];

    /// <summary>CPUID.</summary>
    /// <param name="registers">In: the leaf, anything, the subleaf, anything. Out: eax, ebx, ecx, edx.</param>
    public static void CpuId(uint* registers)
    {
        if (Page != 0)
        {
            ((delegate* unmanaged<uint*, void>)Page)(registers);
        }
        else
        {
            AskRuntime(registers);
        }
    }

    /// <summary>XCR0: which registers the operating system saves when it changes threads. Only where CPUID says OSXSAVE.</summary>
    public static uint SavedRegisters() => Page != 0 ? ((delegate* unmanaged<uint>)(Page + SavedAt))() : SavedByRuntime();

    // Apart, because what names these instructions is not compiled ahead of time.
    private static void AskRuntime(uint* registers)
    {
        (int a, int b, int c, int d) = X86Base.CpuId(unchecked((int)registers[0]), unchecked((int)registers[2]));
        (registers[0], registers[1], registers[2], registers[3]) = ((uint)a, (uint)b, (uint)c, (uint)d);
    }

    private static uint SavedByRuntime() => (Avx.IsSupported ? 0x06u : 0) | (Avx512F.IsSupported ? 0xE6u : 0);

    // The page stays: a process asks a few times, at any time.
    private static nint Write()
    {
        nint page = MemoryPages.TryAllocate(PageSize);
        if (page != 0)
        {
            CpuIdCode.CopyTo(new Span<byte>((void*)page, CpuIdCode.Length));
            SavedCode.CopyTo(new Span<byte>((void*)(page + SavedAt), SavedCode.Length));
            if (OperatingSystem.IsWindows())
            {
                *(byte*)(page + MovesArgumentAt) = MovesRcx;
            }
            if (!MemoryPages.TryMakeExecutable(page, PageSize))
            {
                MemoryPages.Free(page, PageSize);
                page = 0;
            }
        }
        return page;
    }
}
