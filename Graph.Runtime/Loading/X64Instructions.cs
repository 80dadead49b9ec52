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

    //   53           push rbx
    //   49 89 F8     mov r8, rdi
    //   41 8B 00     mov eax, [r8]
    //   41 8B 48 08  mov ecx, [r8+8]
    //   0F A2        cpuid
    //   41 89 00     mov [r8], eax
    //   41 89 58 04  mov [r8+4], ebx
    //   41 89 48 08  mov [r8+8], ecx
    //   41 89 50 0C  mov [r8+12], edx
    //   5B C3        pop rbx; ret
    // As numbers, little-endian: an array of constants is a type that a start waits for.
    private const ulong CpuId0 = 0x41008B41F8894953;
    private const ulong CpuId1 = 0x008941A20F08488B;
    private const ulong CpuId2 = 0x0848894104588941;
    private const ulong CpuId3 = 0x0000C35B0C508941;

    //   31 C9        xor ecx, ecx
    //   0F 01 D0     xgetbv
    //   C3           ret
    private const ulong Saved = 0x0000C3D0010FC931;

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
            ulong* code = (ulong*)page;
            code[0] = CpuId0;
            code[1] = CpuId1;
            code[2] = CpuId2;
            code[3] = CpuId3;
            *(ulong*)(page + SavedAt) = Saved;
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
