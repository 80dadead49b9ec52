using System.Buffers.Binary;

namespace Graphene.Runtime;

/// <summary>64-bit ARM: ELF for the Arm 64-bit architecture (AAELF64), section 5.7.</summary>
internal sealed class Arm64Relocator : IRelocator
{
    private const uint Abs64 = 257;
    private const uint Abs32 = 258;
    private const uint Prel64 = 260;
    private const uint Prel32 = 261;
    private const uint LoadLiteral19 = 273;
    private const uint AdrPrelLo21 = 274;
    private const uint AdrPrelPageHi21 = 275;
    private const uint AdrPrelPageHi21NoCheck = 276;
    private const uint AddAbsLo12 = 277;
    private const uint LoadStore8AbsLo12 = 278;
    private const uint TestBranch14 = 279;
    private const uint ConditionalBranch19 = 280;
    private const uint Jump26 = 282;
    private const uint Call26 = 283;
    private const uint LoadStore16AbsLo12 = 284;
    private const uint LoadStore32AbsLo12 = 285;
    private const uint LoadStore64AbsLo12 = 286;
    private const uint LoadStore128AbsLo12 = 299;
    private const uint AdrGotPage = 311;
    private const uint Load64GotLo12 = 312;
    private const uint Plt32 = 314;

    private const int PageBits = 12;

    public RelocationTarget TargetOf(uint type) => type switch
    {
        Abs64 or Abs32 or Prel64 or Prel32 or Plt32 => RelocationTarget.Symbol,
        >= LoadLiteral19 and <= ConditionalBranch19 => RelocationTarget.Symbol,
        >= Jump26 and <= LoadStore64AbsLo12 or LoadStore128AbsLo12 => RelocationTarget.Symbol,
        AdrGotPage or Load64GotLo12 => RelocationTarget.AddressTableEntry,
        _ => RelocationTarget.Unsupported,
    };

    public int WidthOf(uint type) => type is Abs64 or Prel64 ? 8 : 4;

    public bool TryApply(uint type, Span<byte> place, ulong placeAddress, ulong target)
    {
        long distance = unchecked((long)(target - placeAddress));
        switch (type)
        {
            case Abs64:
                BinaryPrimitives.WriteUInt64LittleEndian(place, target);
                return true;
            case Prel64:
                BinaryPrimitives.WriteInt64LittleEndian(place, distance);
                return true;
            case Abs32:
                BinaryPrimitives.WriteUInt32LittleEndian(place, unchecked((uint)target));
                return target <= uint.MaxValue;
            case Prel32 or Plt32:
                BinaryPrimitives.WriteInt32LittleEndian(place, unchecked((int)distance));
                return Fits(distance, 32);
            case Jump26 or Call26:
                return Branch(place, distance, bits: 26, shift: 0);
            case ConditionalBranch19 or LoadLiteral19:
                return Branch(place, distance, bits: 19, shift: 5);
            case TestBranch14:
                return Branch(place, distance, bits: 14, shift: 5);
            case AdrPrelLo21:
                return Address(place, distance);
            case AdrPrelPageHi21 or AdrPrelPageHi21NoCheck or AdrGotPage:
                long pages = unchecked((long)((target >> PageBits) - (placeAddress >> PageBits)));
                return Address(place, pages) || type == AdrPrelPageHi21NoCheck;
            case AddAbsLo12 or LoadStore8AbsLo12:
                return Low12(place, target, scale: 0);
            case LoadStore16AbsLo12:
                return Low12(place, target, scale: 1);
            case LoadStore32AbsLo12:
                return Low12(place, target, scale: 2);
            case LoadStore64AbsLo12 or Load64GotLo12:
                return Low12(place, target, scale: 3);
            case LoadStore128AbsLo12:
                return Low12(place, target, scale: 4);
            default:
                return false;
        }
    }

    public void WriteStub(Span<byte> stub, ulong target)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(stub, 0x58000050); // ldr x16, [pc, #8]
        BinaryPrimitives.WriteUInt32LittleEndian(stub[4..], 0xD61F0200); // br x16
        BinaryPrimitives.WriteUInt64LittleEndian(stub[8..], target);
    }

    // A branch counts instructions of four bytes.
    private static bool Branch(Span<byte> place, long distance, int bits, int shift)
    {
        uint mask = (1u << bits) - 1;
        Patch(place, mask << shift, (unchecked((uint)(distance >> 2)) & mask) << shift);
        return (distance & 3) == 0 && Fits(distance, bits + 2);
    }

    // adr and adrp: two low bits at 29, nineteen high bits at 5.
    private static bool Address(Span<byte> place, long value)
    {
        uint low = unchecked((uint)value) & 3;
        uint high = unchecked((uint)(value >> 2)) & 0x7FFFF;
        Patch(place, 0x60FFFFE0, (low << 29) | (high << 5));
        return Fits(value, 21);
    }

    // The offset in the page, in units of the size that is loaded or stored, at bit 10.
    private static bool Low12(Span<byte> place, ulong target, int scale)
    {
        uint offset = (uint)target & 0xFFF;
        Patch(place, 0x003FFC00, (offset >> scale) << 10);
        return (offset & ((1u << scale) - 1)) == 0;
    }

    private static void Patch(Span<byte> place, uint mask, uint bits)
    {
        uint instruction = BinaryPrimitives.ReadUInt32LittleEndian(place);
        BinaryPrimitives.WriteUInt32LittleEndian(place, (instruction & ~mask) | bits);
    }

    private static bool Fits(long value, int bits) => value >> (bits - 1) is 0 or -1;
}
