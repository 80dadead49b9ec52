namespace Graphene.Codegen.Aot;

/// <summary>One instruction: its code, and behind it either the two numbers of a memory access, or bytes that nobody looks at.</summary>
/// <remarks>
/// The codes are those of the specification's binary format, 5.4; what LLVM does not write for our targets
/// is not known here.
/// </remarks>
/// <param name="Code">The first byte; for vectors and the newer ones the second number times 256 besides.</param>
/// <param name="Alignment">Of an access, as a power of two.</param>
/// <param name="Offset">Of an access.</param>
/// <param name="Rest">What follows.</param>
internal readonly record struct WasmInstruction(int Code, uint Alignment, uint Offset, byte[] Rest)
{
    private const int Misc = 0xFC;
    private const int Vector = 0xFD;
    private const int LocalGet = 0x20;
    private const int I32Const = 0x41;
    private const int I32Add = 0x6A;

    /// <summary>Whether the address is on top of the stack.</summary>
    public bool IsLoad => Code is >= 0x28 and <= 0x35 || (IsVector && Number is <= 10 or 92 or 93);

    /// <summary>Whether the value is on top of the stack, the address under it.</summary>
    public bool IsStore => Code is >= 0x36 and <= 0x3E || (IsVector && Number == 11);

    public bool IsLocalGet => Code == LocalGet;

    public bool IsAdd => Code == I32Add;

    /// <summary>The value of an i32 constant.</summary>
    public long? Constant => Code == I32Const ? new WasmReader(Rest, 0).Signed() : null;

    private bool IsVector => (Code & 0xFF) == Vector;

    private int Number => Code >> 8;

    public static WasmInstruction Read(WasmReader reader)
    {
        int code = reader.Byte();
        if (code is Misc or Vector)
        {
            code |= (int)reader.Unsigned() << 8;
        }
        var found = new WasmInstruction(code, 0, 0, []);
        if (found.IsLoad || found.IsStore)
        {
            return found with { Alignment = reader.Unsigned(), Offset = reader.Unsigned() };
        }
        int start = reader.Position;
        Skip(reader, found);
        return found with { Rest = reader.Since(start) };
    }

    public void Write(WasmWriter writer)
    {
        writer.Byte((byte)Code);
        if (Code > 0xFF)
        {
            writer.Unsigned((uint)Number);
        }
        else if (Code is Misc or Vector)
        {
            writer.Byte(0);
        }
        if (IsLoad || IsStore)
        {
            writer.Unsigned(Alignment);
            writer.Unsigned(Offset);
        }
        writer.Bytes(Rest);
    }

    private static void Skip(WasmReader reader, WasmInstruction instruction)
    {
        switch (instruction.Code)
        {
            case 0x02 or 0x03 or 0x04: // the type of a block
            case I32Const or 0x42:
                reader.Signed();
                break;
            case 0x0C or 0x0D or 0x10 or (>= LocalGet and <= 0x26) or 0x3F or 0x40:
                reader.Unsigned();
                break;
            case 0x0E: // a table of branches, and the other one
                for (uint labels = reader.Unsigned() + 1; labels > 0; labels--)
                {
                    reader.Unsigned();
                }
                break;
            case 0x11:
                reader.Unsigned();
                reader.Unsigned();
                break;
            case 0x1C:
                reader.Bytes((int)reader.Unsigned());
                break;
            case 0x43:
                reader.Bytes(4);
                break;
            case 0x44:
                reader.Bytes(8);
                break;
            case 0x00 or 0x01 or 0x05 or 0x0B or 0x0F or 0x1A or 0x1B or (>= 0x45 and <= 0xC4):
                break;
            default:
                SkipNewer(reader, instruction);
                break;
        }
    }

    private static void SkipNewer(WasmReader reader, WasmInstruction instruction)
    {
        switch (instruction.Code & 0xFF, instruction.Number)
        {
            case (Misc, < 8): // conversions that saturate
                break;
            case (Misc, 10): // copies
                reader.Bytes(2);
                break;
            case (Misc, 11): // fills
                reader.Bytes(1);
                break;
            case (Vector, 12 or 13): // a constant, the lanes of a shuffle
                reader.Bytes(16);
                break;
            case (Vector, >= 21 and <= 34): // a lane
                reader.Bytes(1);
                break;
            case (Vector, >= 84 and <= 91): // a lane in memory
                reader.Unsigned();
                reader.Unsigned();
                reader.Bytes(1);
                break;
            case (Vector, _):
                break;
            default:
                throw new CompilerBugException("WebAssembly", $"instruction 0x{instruction.Code:X} is not known");
        }
    }
}
