namespace Graphene.Runtime;

/// <summary>What an x86-64 processor says about itself (CPUID). Each question is asked once.</summary>
/// <remarks>
/// On a virtual machine the host answers, which takes tens of microseconds: a process that loads code asks what the code needs, and no
/// more. Two threads that ask the same at once do no harm.
/// </remarks>
internal sealed unsafe class X64Processor
{
    /// <summary>The processor of this process.</summary>
    public static X64Processor Host { get; } = new();

    private const uint FirstExtendedLeaf = 0x80000000;
    private const uint LeafWithSubleaves = 7;

    private volatile Answer? _answers;

    /// <summary>What the registers held.</summary>
    internal sealed record Answer(uint Leaf, uint Subleaf, uint Eax, uint Ebx, uint Ecx, uint Edx, Answer? Next);

    /// <summary>Vendor, family, model and stepping.</summary>
    public string Model
    {
        get
        {
            Answer vendor = Question(0, 0);
            return $"x64 {vendor.Ebx:x8}{vendor.Edx:x8}{vendor.Ecx:x8} {Question(1, 0).Eax:x8}";
        }
    }

    /// <summary>Whether it is of AMD's family 19h: Zen 3, or Zen 4, which has AVX-512.</summary>
    public bool IsZen3Or4
    {
        get
        {
            Answer vendor = Question(0, 0);
            uint version = Question(1, 0).Eax;
            uint family = ((version >> 8) & 0xF) + ((version >> 20) & 0xFF); // of a family that needs both parts
            return (vendor.Ebx, vendor.Edx, vendor.Ecx) == (0x68747541, 0x69746E65, 0x444D4163) && family == 0x19; // "AuthenticAMD"
        }
    }

    /// <summary>The answer to a question; zeros where the processor has none.</summary>
    public Answer Ask(uint leaf, uint subleaf)
    {
        uint last = Question(leaf < FirstExtendedLeaf ? 0 : FirstExtendedLeaf, 0).Eax;
        return leaf <= last && (leaf != LeafWithSubleaves || subleaf == 0 || subleaf <= Question(leaf, 0).Eax)
            ? Question(leaf, subleaf)
            : new Answer(leaf, subleaf, 0, 0, 0, 0, null);
    }

    private Answer Question(uint leaf, uint subleaf)
    {
        for (Answer? known = _answers; known is not null; known = known.Next)
        {
            if (known.Leaf == leaf && known.Subleaf == subleaf)
            {
                return known;
            }
        }
        uint* registers = stackalloc uint[4];
        registers[0] = leaf;
        registers[2] = subleaf;
        X64Instructions.CpuId(registers);
        var answer = new Answer(leaf, subleaf, registers[0], registers[1], registers[2], registers[3], _answers);
        _answers = answer;
        return answer;
    }
}
