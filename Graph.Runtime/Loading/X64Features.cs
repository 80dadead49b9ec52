using System.Runtime.Intrinsics.X86;
using Graphene.Runtime.Interop;

namespace Graphene.Runtime;

/// <summary>Features of x86-64 processors as CPUID reports them, under LLVM's names.</summary>
/// <remarks>Bits: Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E.</remarks>
internal static class X64Features
{
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

    private static readonly (uint Leaf, uint Subleaf, Register Register, State State, (int Bit, string Name)[] Bits)[]
        Table =
    [
        (1, 0, Register.Edx, State.Any,
            [(8, "cx8"), (15, "cmov"), (23, "mmx"), (24, "fxsr"), (25, "sse"), (26, "sse2")]),
        (1, 0, Register.Ecx, State.Any,
            [(0, "sse3"), (1, "pclmul"), (9, "ssse3"), (13, "cx16"), (19, "sse4.1"), (20, "sse4.2"), (20, "crc32"),
             (22, "movbe"), (23, "popcnt"), (25, "aes"), (30, "rdrnd")]),
        (1, 0, Register.Ecx, State.Ymm, [(12, "fma"), (26, "xsave"), (28, "avx"), (29, "f16c")]),
        (7, 0, Register.Ebx, State.Any,
            [(0, "fsgsbase"), (2, "sgx"), (3, "bmi"), (8, "bmi2"), (10, "invpcid"), (11, "rtm"), (18, "rdseed"),
             (19, "adx"), (23, "clflushopt"), (24, "clwb"), (29, "sha")]),
        (7, 0, Register.Ebx, State.Ymm, [(5, "avx2")]),
        (7, 0, Register.Ebx, State.Zmm,
            [(16, "avx512f"), (17, "avx512dq"), (21, "avx512ifma"), (28, "avx512cd"), (30, "avx512bw"),
             (31, "avx512vl")]),
        (7, 0, Register.Ecx, State.Any,
            [(4, "pku"), (5, "waitpkg"), (7, "shstk"), (8, "gfni"), (22, "rdpid"), (23, "kl"), (25, "cldemote"),
             (27, "movdiri"), (28, "movdir64b"), (29, "enqcmd")]),
        (7, 0, Register.Ecx, State.Ymm, [(9, "vaes"), (10, "vpclmulqdq")]),
        (7, 0, Register.Ecx, State.Zmm,
            [(1, "avx512vbmi"), (6, "avx512vbmi2"), (11, "avx512vnni"), (12, "avx512bitalg"),
             (14, "avx512vpopcntdq")]),
        (7, 0, Register.Edx, State.Any,
            [(5, "uintr"), (14, "serialize"), (16, "tsxldtrk"), (18, "pconfig")]),
        (7, 0, Register.Edx, State.Tile, [(22, "amx-bf16"), (24, "amx-tile"), (25, "amx-int8")]),
        (7, 0, Register.Edx, State.Zmm, [(8, "avx512vp2intersect"), (23, "avx512fp16")]),
        (7, 1, Register.Eax, State.Any, [(3, "raoint"), (7, "cmpccxadd"), (22, "hreset")]),
        (7, 1, Register.Eax, State.Ymm,
            [(0, "sha512"), (1, "sm3"), (2, "sm4"), (4, "avxvnni"), (23, "avxifma")]),
        (7, 1, Register.Eax, State.Zmm, [(5, "avx512bf16")]),
        (7, 1, Register.Edx, State.Any, [(14, "prefetchi"), (15, "usermsr")]),
        (7, 1, Register.Edx, State.Ymm, [(4, "avxvnniint8"), (5, "avxneconvert"), (10, "avxvnniint16")]),
        (0xD, 1, Register.Eax, State.Ymm, [(0, "xsaveopt"), (1, "xsavec"), (3, "xsaves")]),
        (0x14, 0, Register.Ebx, State.Any, [(4, "ptwrite")]),
        (0x19, 0, Register.Ebx, State.Any, [(2, "widekl")]),
        (0x80000001, 0, Register.Ecx, State.Any,
            [(0, "sahf"), (5, "lzcnt"), (6, "sse4a"), (8, "prfchw"), (15, "lwp"), (21, "tbm"), (29, "mwaitx")]),
        (0x80000001, 0, Register.Ecx, State.Ymm, [(11, "xop"), (16, "fma4")]),
        (0x80000001, 0, Register.Edx, State.Any, [(29, "64bit")]),
        (0x80000008, 0, Register.Ebx, State.Any, [(0, "clzero"), (4, "rdpru"), (9, "wbnoinvd")]),
    ];

    /// <summary>All names in the table, whether they are there or not.</summary>
    public static IEnumerable<string> Known => Table.SelectMany(row => row.Bits).Select(bit => bit.Name);

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
        foreach (var row in Table)
        {
            uint last = row.Leaf < 0x80000000 ? lastBasic : lastExtended;
            if (row.Leaf > last || !Saved(row.State) || (row.Leaf == 7 && row.Subleaf > LastSubleafOf7()))
            {
                continue;
            }

            (int eax, int ebx, int ecx, int edx) = X86Base.CpuId(unchecked((int)row.Leaf), (int)row.Subleaf);
            int value = row.Register switch
            {
                Register.Eax => eax,
                Register.Ebx => ebx,
                Register.Ecx => ecx,
                _ => edx,
            };
            features.UnionWith(row.Bits.Where(bit => ((value >> bit.Bit) & 1) != 0).Select(bit => bit.Name));
        }

        return features;
    }

    private static uint LastSubleafOf7() => (uint)X86Base.CpuId(7, 0).Eax;

    // The runtime has asked the operating system (XGETBV) before it says that these are supported.
    private static bool Saved(State state) => state switch
    {
        State.Ymm => Avx.IsSupported,
        State.Zmm => Avx512F.IsSupported,
        State.Tile => OperatingSystem.IsLinux() && Libc.RequestTiles(),
        _ => true,
    };
}
