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

    // The features of a register as one text, names and bits: a start looks up twenty of them, and objects for all would have to be made
    // and their names loaded one by one.
    private sealed class Row(uint leaf, uint subleaf, Register register, State state, string features)
    {
        public uint Leaf => leaf;

        public uint Subleaf => subleaf;

        public Register Register => register;

        public State State => state;

        public string Features => features;
    }

    private static readonly Row[] Table =
    [
        new(1, 0, Register.Edx, State.Any, " cx8:8 cmov:15 mmx:23 fxsr:24 sse:25 sse2:26 "),
        new(1, 0, Register.Ecx, State.Any, " sse3:0 pclmul:1 ssse3:9 cx16:13 sse4.1:19 sse4.2:20 crc32:20 movbe:22 popcnt:23 aes:25 rdrnd:30 "),
        new(1, 0, Register.Ecx, State.Ymm, " fma:12 xsave:26 avx:28 f16c:29 "),
        new(7, 0, Register.Ebx, State.Any, " fsgsbase:0 sgx:2 bmi:3 bmi2:8 invpcid:10 rtm:11 rdseed:18 adx:19 clflushopt:23 clwb:24 sha:29 "),
        new(7, 0, Register.Ebx, State.Ymm, " avx2:5 "),
        new(7, 0, Register.Ebx, State.Zmm, " avx512f:16 avx512dq:17 avx512ifma:21 avx512cd:28 avx512bw:30 avx512vl:31 "),
        new(7, 0, Register.Ecx, State.Any, " pku:4 waitpkg:5 shstk:7 gfni:8 rdpid:22 kl:23 cldemote:25 movdiri:27 movdir64b:28 enqcmd:29 "),
        new(7, 0, Register.Ecx, State.Ymm, " vaes:9 vpclmulqdq:10 "),
        new(7, 0, Register.Ecx, State.Zmm, " avx512vbmi:1 avx512vbmi2:6 avx512vnni:11 avx512bitalg:12 avx512vpopcntdq:14 "),
        new(7, 0, Register.Edx, State.Any, " uintr:5 serialize:14 tsxldtrk:16 pconfig:18 "),
        new(7, 0, Register.Edx, State.Tile, " amx-bf16:22 amx-tile:24 amx-int8:25 "),
        new(7, 0, Register.Edx, State.Zmm, " avx512vp2intersect:8 avx512fp16:23 "),
        new(7, 1, Register.Eax, State.Any, " raoint:3 cmpccxadd:7 hreset:22 "),
        new(7, 1, Register.Eax, State.Ymm, " sha512:0 sm3:1 sm4:2 avxvnni:4 avxifma:23 "),
        new(7, 1, Register.Eax, State.Zmm, " avx512bf16:5 "),
        new(7, 1, Register.Edx, State.Any, " prefetchi:14 usermsr:15 "),
        new(7, 1, Register.Edx, State.Ymm, " avxvnniint8:4 avxneconvert:5 avxvnniint16:10 "),
        new(0xD, 1, Register.Eax, State.Ymm, " xsaveopt:0 xsavec:1 xsaves:3 "),
        new(0x14, 0, Register.Ebx, State.Any, " ptwrite:4 "),
        new(0x19, 0, Register.Ebx, State.Any, " widekl:2 "),
        new(0x80000001, 0, Register.Ecx, State.Any, " sahf:0 lzcnt:5 sse4a:6 prfchw:8 lwp:15 tbm:21 mwaitx:29 "),
        new(0x80000001, 0, Register.Ecx, State.Ymm, " xop:11 fma4:16 "),
        new(0x80000001, 0, Register.Edx, State.Any, " 64bit:29 "),
        new(0x80000008, 0, Register.Ebx, State.Any, " clzero:0 rdpru:4 wbnoinvd:9 "),
    ];

    /// <summary>All names in the table, whether they are there or not.</summary>
    public static IEnumerable<string> Known => Table
        .SelectMany(row => row.Features.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Select(f => f[..f.IndexOf(':', StringComparison.Ordinal)]);

    /// <summary>Where the processor reports a feature; null for one that is not in the table.</summary>
    public static X64FeatureBit? Find(string name)
    {
        foreach (Row row in Table)
        {
            if (BitOf(row, name) is >= 0 and var bit)
            {
                uint saved = row.State switch { State.Ymm => YmmState, State.Zmm => ZmmState, State.Tile => TileState, _ => 0u };
                return new X64FeatureBit(row.Leaf, row.Subleaf, (int)row.Register, bit, saved);
            }
        }
        return null;
    }

    /// <summary>Whether the processor reports a feature, and the operating system saves its registers.</summary>
    /// <param name="processor">Is asked no more than it takes.</param>
    /// <param name="name">LLVM's name.</param>
    public static bool Has(X64Processor processor, string name)
    {
        foreach (Row row in Table)
        {
            if (BitOf(row, name) is >= 0 and var bit)
            {
                return Has(processor, row, bit);
            }
        }
        return false;
    }

    /// <summary>All features that there are.</summary>
    public static List<string> Detect(X64Processor processor) => [.. Known.Where(name => Has(processor, name))];

    // The bit of a feature in its register; -1 when it is not in this one.
    private static int BitOf(Row row, string name)
    {
        string text = row.Features;
        int at = 0;
        while ((at = text.IndexOf(name, at, StringComparison.Ordinal)) >= 0)
        {
            int end = at + name.Length;
            if (text[at - 1] == ' ' && text[end] == ':')
            {
                int bit = text[end + 1] - '0';
                return text[end + 2] == ' ' ? bit : (10 * bit) + text[end + 2] - '0';
            }
            at = end;
        }
        return -1;
    }

    private static bool Has(X64Processor processor, Row row, int bit)
    {
        X64Processor.Answer answer = processor.Ask(row.Leaf, row.Subleaf);
        uint value = row.Register switch
        {
            Register.Eax => answer.Eax,
            Register.Ebx => answer.Ebx,
            Register.Ecx => answer.Ecx,
            _ => answer.Edx,
        };
        return ((value >> bit) & 1) != 0 && Saved(processor, row.State);
    }

    private static bool Saved(X64Processor processor, State state) => state switch
    {
        State.Ymm => SavedRegisters.Include(processor, YmmState),
        State.Zmm => SavedRegisters.Include(processor, ZmmState),
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
