using Graphene.Runtime.Interop;

namespace Graphene.Runtime;

/// <summary>Features of x86-64 processors as CPUID reports them, under LLVM's names.</summary>
/// <remarks>Bits: Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E.</remarks>
internal static class X64Features
{
    // Which registers the operating system must save for a feature to be usable, in bits of XCR0.
    private const uint Any = 0;
    private const uint Ymm = 0x06;
    private const uint Zmm = 0xE6;
    private const uint Tile = 0x60000;

    // The registers that CPUID fills. No enumerations, here and above: a start would load the type of each.
    private const int Eax = 0;
    private const int Ebx = 1;
    private const int Ecx = 2;
    private const int Edx = 3;

    // The features of a register as one text, names and bits: a start looks up twenty of them, and objects for all would have to be made
    // and their names loaded one by one.
    private sealed class Row(uint leaf, uint subleaf, int register, uint saved, string features)
    {
        public uint Leaf => leaf;

        public uint Subleaf => subleaf;

        public int Register => register;

        public uint Saved => saved;

        public string Features => features;
    }

    private static readonly Row[] Table =
    [
        new(1, 0, Edx, Any, " cx8:8 cmov:15 mmx:23 fxsr:24 sse:25 sse2:26 "),
        new(1, 0, Ecx, Any, " sse3:0 pclmul:1 ssse3:9 cx16:13 sse4.1:19 sse4.2:20 crc32:20 movbe:22 popcnt:23 aes:25 rdrnd:30 "),
        new(1, 0, Ecx, Ymm, " fma:12 xsave:26 avx:28 f16c:29 "),
        new(7, 0, Ebx, Any, " fsgsbase:0 sgx:2 bmi:3 bmi2:8 invpcid:10 rtm:11 rdseed:18 adx:19 clflushopt:23 clwb:24 sha:29 "),
        new(7, 0, Ebx, Ymm, " avx2:5 "),
        new(7, 0, Ebx, Zmm, " avx512f:16 avx512dq:17 avx512ifma:21 avx512cd:28 avx512bw:30 avx512vl:31 "),
        new(7, 0, Ecx, Any, " pku:4 waitpkg:5 shstk:7 gfni:8 rdpid:22 kl:23 cldemote:25 movdiri:27 movdir64b:28 enqcmd:29 "),
        new(7, 0, Ecx, Ymm, " vaes:9 vpclmulqdq:10 "),
        new(7, 0, Ecx, Zmm, " avx512vbmi:1 avx512vbmi2:6 avx512vnni:11 avx512bitalg:12 avx512vpopcntdq:14 "),
        new(7, 0, Edx, Any, " uintr:5 serialize:14 tsxldtrk:16 pconfig:18 "),
        new(7, 0, Edx, Tile, " amx-bf16:22 amx-tile:24 amx-int8:25 "),
        new(7, 0, Edx, Zmm, " avx512vp2intersect:8 avx512fp16:23 "),
        new(7, 1, Eax, Any, " raoint:3 cmpccxadd:7 hreset:22 "),
        new(7, 1, Eax, Ymm, " sha512:0 sm3:1 sm4:2 avxvnni:4 avxifma:23 "),
        new(7, 1, Eax, Zmm, " avx512bf16:5 "),
        new(7, 1, Edx, Any, " prefetchi:14 usermsr:15 "),
        new(7, 1, Edx, Ymm, " avxvnniint8:4 avxneconvert:5 avxvnniint16:10 "),
        new(0xD, 1, Eax, Ymm, " xsaveopt:0 xsavec:1 xsaves:3 "),
        new(0x14, 0, Ebx, Any, " ptwrite:4 "),
        new(0x19, 0, Ebx, Any, " widekl:2 "),
        new(0x80000001, 0, Ecx, Any, " sahf:0 lzcnt:5 sse4a:6 prfchw:8 lwp:15 tbm:21 mwaitx:29 "),
        new(0x80000001, 0, Ecx, Ymm, " xop:11 fma4:16 "),
        new(0x80000001, 0, Edx, Any, " 64bit:29 "),
        new(0x80000008, 0, Ebx, Any, " clzero:0 rdpru:4 wbnoinvd:9 "),
    ];

    /// <summary>All names in the table, whether they are there or not.</summary>
    public static IEnumerable<string> Known => Table
        .SelectMany(row => row.Features.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .Select(f => f[..f.IndexOf(':', StringComparison.Ordinal)]);

    /// <summary>Where the processor reports a feature; null for one that is not in the table.</summary>
    public static X64FeatureBit? Find(string name)
    {
        foreach (Row row in Table)
        {
            if (BitOf(row, name) is >= 0 and var bit)
            {
                return new X64FeatureBit(row.Leaf, row.Subleaf, row.Register, bit, row.Saved);
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
        for (int at = 1; at < text.Length; at++)
        {
            int length = 0;
            while (length < name.Length && at + length < text.Length && text[at + length] == name[length])
            {
                length++;
            }
            int end = at + length;
            if (length == name.Length && end < text.Length && text[end] == ':')
            {
                int bit = text[end + 1] - '0';
                return text[end + 2] == ' ' ? bit : (10 * bit) + text[end + 2] - '0';
            }
            while (end < text.Length && text[end] != ' ')
            {
                end++;
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
            Eax => answer.Eax,
            Ebx => answer.Ebx,
            Ecx => answer.Ecx,
            _ => answer.Edx,
        };
        return ((value >> bit) & 1) != 0 && AreSaved(processor, row.Saved);
    }

    private static bool AreSaved(X64Processor processor, uint registers) => registers switch
    {
        Any => true,
        Tile => OperatingSystem.IsLinux() && Libc.RequestTiles(),
        _ => SavedRegisters.Include(processor, registers),
    };
}

/// <summary>Where CPUID reports a feature.</summary>
/// <param name="Leaf">What is asked.</param>
/// <param name="Subleaf">What is asked further.</param>
/// <param name="Register">The register of the answer: 0 eax, 1 ebx, 2 ecx, 3 edx.</param>
/// <param name="Bit">The bit of it.</param>
/// <param name="SavedRegisters">Bits of XCR0 that the operating system must have set.</param>
internal sealed record X64FeatureBit(uint Leaf, uint Subleaf, int Register, int Bit, uint SavedRegisters);
