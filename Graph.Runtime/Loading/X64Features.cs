using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Graphene.Runtime.Interop;

namespace Graphene.Runtime;

/// <summary>Features of x86-64 processors as CPUID reports them, under LLVM's names.</summary>
/// <remarks>Bits: Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E.</remarks>
internal static class X64Features
{
    // Bits of XCR0.
    private const uint YmmState = 0x06;
    private const uint ZmmState = 0xE6;
    private const uint TileState = 0x60000;

    /// <summary>Which registers the operating system must save for a feature to be usable.</summary>
    private enum State
    {
        Any,
        Ymm,
        Zmm,
        Tile,
    }

    /// <summary>A register that CPUID fills.</summary>
    private enum Register
    {
        Eax,
        Ebx,
        Ecx,
        Edx,
    }

    // Objects, because generic code over tuples is compiled in every process anew, and every start comes through here.
    private sealed record Row(uint Leaf, uint Subleaf, Register Register, State State, Feature[] Features);

    private sealed record Feature(int Bit, string Name);

    private static readonly Row[] Table =
    [
        new(1, 0, Register.Edx, State.Any,
            [new(8, "cx8"), new(15, "cmov"), new(23, "mmx"), new(24, "fxsr"), new(25, "sse"), new(26, "sse2")]),
        new(1, 0, Register.Ecx, State.Any,
            [new(0, "sse3"), new(1, "pclmul"), new(9, "ssse3"), new(13, "cx16"), new(19, "sse4.1"), new(20, "sse4.2"), new(20, "crc32"),
             new(22, "movbe"), new(23, "popcnt"), new(25, "aes"), new(30, "rdrnd")]),
        new(1, 0, Register.Ecx, State.Ymm, [new(12, "fma"), new(26, "xsave"), new(28, "avx"), new(29, "f16c")]),
        new(7, 0, Register.Ebx, State.Any,
            [new(0, "fsgsbase"), new(2, "sgx"), new(3, "bmi"), new(8, "bmi2"), new(10, "invpcid"), new(11, "rtm"), new(18, "rdseed"),
             new(19, "adx"), new(23, "clflushopt"), new(24, "clwb"), new(29, "sha")]),
        new(7, 0, Register.Ebx, State.Ymm, [new(5, "avx2")]),
        new(7, 0, Register.Ebx, State.Zmm,
            [new(16, "avx512f"), new(17, "avx512dq"), new(21, "avx512ifma"), new(28, "avx512cd"), new(30, "avx512bw"),
             new(31, "avx512vl")]),
        new(7, 0, Register.Ecx, State.Any,
            [new(4, "pku"), new(5, "waitpkg"), new(7, "shstk"), new(8, "gfni"), new(22, "rdpid"), new(23, "kl"), new(25, "cldemote"),
             new(27, "movdiri"), new(28, "movdir64b"), new(29, "enqcmd")]),
        new(7, 0, Register.Ecx, State.Ymm, [new(9, "vaes"), new(10, "vpclmulqdq")]),
        new(7, 0, Register.Ecx, State.Zmm,
            [new(1, "avx512vbmi"), new(6, "avx512vbmi2"), new(11, "avx512vnni"), new(12, "avx512bitalg"),
             new(14, "avx512vpopcntdq")]),
        new(7, 0, Register.Edx, State.Any,
            [new(5, "uintr"), new(14, "serialize"), new(16, "tsxldtrk"), new(18, "pconfig")]),
        new(7, 0, Register.Edx, State.Tile, [new(22, "amx-bf16"), new(24, "amx-tile"), new(25, "amx-int8")]),
        new(7, 0, Register.Edx, State.Zmm, [new(8, "avx512vp2intersect"), new(23, "avx512fp16")]),
        new(7, 1, Register.Eax, State.Any, [new(3, "raoint"), new(7, "cmpccxadd"), new(22, "hreset")]),
        new(7, 1, Register.Eax, State.Ymm,
            [new(0, "sha512"), new(1, "sm3"), new(2, "sm4"), new(4, "avxvnni"), new(23, "avxifma")]),
        new(7, 1, Register.Eax, State.Zmm, [new(5, "avx512bf16")]),
        new(7, 1, Register.Edx, State.Any, [new(14, "prefetchi"), new(15, "usermsr")]),
        new(7, 1, Register.Edx, State.Ymm, [new(4, "avxvnniint8"), new(5, "avxneconvert"), new(10, "avxvnniint16")]),
        new(0xD, 1, Register.Eax, State.Ymm, [new(0, "xsaveopt"), new(1, "xsavec"), new(3, "xsaves")]),
        new(0x14, 0, Register.Ebx, State.Any, [new(4, "ptwrite")]),
        new(0x19, 0, Register.Ebx, State.Any, [new(2, "widekl")]),
        new(0x80000001, 0, Register.Ecx, State.Any,
            [new(0, "sahf"), new(5, "lzcnt"), new(6, "sse4a"), new(8, "prfchw"), new(15, "lwp"), new(21, "tbm"), new(29, "mwaitx")]),
        new(0x80000001, 0, Register.Ecx, State.Ymm, [new(11, "xop"), new(16, "fma4")]),
        new(0x80000001, 0, Register.Edx, State.Any, [new(29, "64bit")]),
        new(0x80000008, 0, Register.Ebx, State.Any, [new(0, "clzero"), new(4, "rdpru"), new(9, "wbnoinvd")]),
    ];

    /// <summary>All names in the table, whether they are there or not.</summary>
    public static IEnumerable<string> Known => Table.SelectMany(row => row.Features).Select(feature => feature.Name);

    /// <summary>Where the processor reports a feature; null for one that is not in the table.</summary>
    public static X64FeatureBit? Find(string name)
    {
        foreach (Row row in Table)
        {
            foreach (Feature feature in row.Features)
            {
                if (feature.Name == name)
                {
                    uint saved = row.State switch { State.Ymm => YmmState, State.Zmm => ZmmState, State.Tile => TileState, _ => 0u };
                    return new X64FeatureBit(row.Leaf, row.Subleaf, (int)row.Register, feature.Bit, saved);
                }
            }
        }
        return null;
    }

    /// <summary>Vendor, family, model and stepping.</summary>
    public static string Model()
    {
        (_, int b, int c, int d) = X86Base.CpuId(0, 0);
        (int signature, _, _, _) = X86Base.CpuId(1, 0);
        return $"x64 {b:x8}{d:x8}{c:x8} {signature:x8}";
    }

    public static HashSet<string> Detect()
    {
        var features = new HashSet<string>(StringComparer.Ordinal);
        uint lastBasic = (uint)X86Base.CpuId(0, 0).Eax;
        uint lastExtended = (uint)X86Base.CpuId(unchecked((int)0x80000000), 0).Eax;
        uint lastSubleafOf7 = (uint)X86Base.CpuId(7, 0).Eax;
        // Rows of one leaf stand together: on a virtual machine each question takes tens of microseconds.
        Row? asked = null;
        int eax = 0, ebx = 0, ecx = 0, edx = 0;
        foreach (Row row in Table)
        {
            uint last = row.Leaf < 0x80000000 ? lastBasic : lastExtended;
            if (row.Leaf > last || !Saved(row.State) || (row.Leaf == 7 && row.Subleaf > lastSubleafOf7))
            {
                continue;
            }

            if (asked is null || asked.Leaf != row.Leaf || asked.Subleaf != row.Subleaf)
            {
                (eax, ebx, ecx, edx) = X86Base.CpuId(unchecked((int)row.Leaf), (int)row.Subleaf);
                asked = row;
            }

            int value = row.Register switch
            {
                Register.Eax => eax,
                Register.Ebx => ebx,
                Register.Ecx => ecx,
                _ => edx,
            };
            foreach (Feature feature in row.Features)
            {
                if (((value >> feature.Bit) & 1) != 0)
                {
                    features.Add(feature.Name);
                }
            }
        }

        return features;
    }

    // The runtime has asked the operating system (XGETBV) before it says that these are supported. A native image was compiled for
    // the plainest processor and never asks, so there the instruction is ours.
    private static bool Saved(State state) => state switch
    {
        State.Ymm => RuntimeFeature.IsDynamicCodeSupported ? Avx.IsSupported : SavedRegisters.Include(YmmState),
        State.Zmm => RuntimeFeature.IsDynamicCodeSupported ? Avx512F.IsSupported : SavedRegisters.Include(ZmmState),
        State.Tile => OperatingSystem.IsLinux() && Libc.RequestTiles(),
        _ => true,
    };
}

/// <summary>Where CPUID reports a feature.</summary>
/// <param name="Leaf">What is asked.</param>
/// <param name="Subleaf">What is asked further.</param>
/// <param name="Register">The register of the answer: 0 eax, 1 ebx, 2 ecx, 3 edx.</param>
/// <param name="Bit">The bit of it.</param>
/// <param name="SavedRegisters">Bits of XCR0 that the operating system must have set.</param>
internal sealed record X64FeatureBit(uint Leaf, uint Subleaf, int Register, int Bit, uint SavedRegisters);
