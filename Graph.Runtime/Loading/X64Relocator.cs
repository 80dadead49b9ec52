namespace Graphene.Runtime;

/// <summary>x86-64: System V ABI, AMD64 supplement, section 4.4.</summary>
/// <param name="windows">
/// Whether functions outside follow the Windows calling convention, while code in the objects calls them as on Linux.
/// </param>
internal sealed class X64Relocator(bool windows) : IRelocator
{
    private const uint Abs64 = 1;
    private const uint Pc32 = 2;
    private const uint Plt32 = 4;
    private const uint GotPcRel = 9;
    private const uint Abs32 = 10;
    private const uint Abs32Signed = 11;
    private const uint Pc64 = 24;
    private const uint GotPcRelX = 41;
    private const uint RexGotPcRelX = 42;
    private const uint Code4GotPcRelX = 43;

    // jmp [rip]; the address follows.
    private static ReadOnlySpan<byte> Jump => [0xFF, 0x25, 0, 0, 0, 0];

    // Moves three integer arguments from rdi, rsi, rdx to rcx, rdx, r8 (floating-point ones are in xmm0..2 for both)
    // and provides the 32 bytes of shadow space; the address follows.
    //   sub rsp,40; mov r8,rdx; mov rdx,rsi; mov rcx,rdi; call [rip+5]; add rsp,40; ret
    private static ReadOnlySpan<byte> CallAsOnWindows =>
    [
        0x48, 0x83, 0xEC, 0x28,
        0x49, 0x89, 0xD0,
        0x48, 0x89, 0xF2,
        0x48, 0x89, 0xF9,
        0xFF, 0x15, 5, 0, 0, 0,
        0x48, 0x83, 0xC4, 0x28,
        0xC3,
    ];

    public RelocationTarget TargetOf(uint type) => type switch
    {
        Abs64 or Pc32 or Plt32 or Abs32 or Abs32Signed or Pc64 => RelocationTarget.Symbol,
        GotPcRel or GotPcRelX or RexGotPcRelX or Code4GotPcRelX => RelocationTarget.AddressTableEntry,
        _ => RelocationTarget.Unsupported,
    };

    public int WidthOf(uint type) => type is Abs64 or Pc64 ? 8 : 4;

    public bool TryApply(uint type, Span<byte> place, ulong placeAddress, ulong target)
    {
        long distance = unchecked((long)(target - placeAddress));
        switch (type)
        {
            case Abs64:
                StoredNumber.Write(place, target);
                return true;
            case Pc64:
                StoredNumber.Write(place, unchecked((ulong)distance));
                return true;
            case Abs32:
                StoredNumber.Write(place, target);
                return target <= uint.MaxValue;
            case Abs32Signed:
                StoredNumber.Write(place, target);
                return unchecked((long)target) is >= int.MinValue and <= int.MaxValue;
            default:
                StoredNumber.Write(place, unchecked((ulong)distance));
                return distance is >= int.MinValue and <= int.MaxValue;
        }
    }

    public void WriteStub(Span<byte> stub, ulong target)
    {
        ReadOnlySpan<byte> code = windows ? CallAsOnWindows : Jump;
        code.CopyTo(stub);
        StoredNumber.Write(stub.Slice(code.Length, sizeof(ulong)), target);
    }
}
