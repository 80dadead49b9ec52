using Graphene.Codegen.Llvm;

namespace Graphene.Codegen.Ptx;

/// <content>Products of warpgroups: <c>wgmma</c>, which sm_90a alone has, and LLVM 19 has no intrinsics for.</content>
/// <remarks>
/// Sums are operands that go in and come out in the same registers. The wait that hands them back has them
/// as operands, too, so that nothing reads them before it. An operand in memory is named by 64 bits (PTX
/// ISA, matrix descriptor format):
/// <code>
/// bits  0..13  address / 16        16..29  leading distance / 16        32..45  stride / 16        49..51  0: patterns begin at multiples of 1024
/// bits 62..63  1: swizzled in lines of 128 bytes
/// </code>
/// </remarks>
internal sealed partial class GpuBodyPrinter
{
    private const int AddressBits = 0x3FFF;
    private const int PieceShift = 4;
    private const long IsSwizzledBy128 = 1L << 62;

    private void WarpgroupDot(KWarpgroupDot dot)
    {
        RequireWarpgroups();
        KWarpgroupShape shape = dot.Shape;
        string left = Descriptor(dot.Left, Evaluate(dot.Left.Index));
        string right = Descriptor(dot.Right, EvaluateAlso(dot.Right.Index));
        LlvmValue sum = EvaluateAlso(new KRead(dot.Sum));
        int lanes = sum.Type.Lanes;
        string size = $"m64n{Number(shape.Columns)}k{Number(shape.Depth)}";
        string sums = string.Join(", ", Enumerable.Range(0, lanes).Select(i => $"${Number(i)}"));
        (string name, string options) = shape.Left switch
        {
            DType.F16 => ($"{size}.f32.f16.f16", $", 1, 1, {Across(dot.Left)}, {Across(dot.Right)}"),
            DType.BF16 => ($"{size}.f32.bf16.bf16", $", 1, 1, {Across(dot.Left)}, {Across(dot.Right)}"),
            DType.F32 => ($"{size}.f32.tf32.tf32", ", 1, 1"),
            _ => ($"{size}.s32.{Sign(shape.Left)}.{Sign(shape.Right)}", ""),
        };
        string text = "{ .reg .pred p; setp.eq.u32 p, 0, 0; "
            + $"wgmma.mma_async.sync.aligned.{name} {{{sums}}}, ${Number(lanes)}, ${Number(lanes + 1)}, p{options}; }}";
        Assign(dot.Sum, InPlace(text, sum, ["l", "l"], [$"i64 {left}", $"i64 {right}"]));

        static string Across(KSharedMatrix matrix) => matrix.IsAlongDepth ? "0" : "1";
        static string Sign(DType type) => type == DType.I8 ? "s8" : "u8";
    }

    private void WarpgroupFence()
    {
        RequireWarpgroups();
        Assembly("wgmma.fence.sync.aligned;");
    }

    private void WarpgroupCommit()
    {
        RequireWarpgroups();
        Assembly("wgmma.commit_group.sync.aligned;");
    }

    private void WarpgroupWait(KWarpgroupWait wait)
    {
        RequireWarpgroups();
        string text = $"wgmma.wait_group.sync.aligned {Number(wait.Pending)};";
        if (wait.Sums.Count == 0)
        {
            Assembly(text);
        }
        foreach (KRegister sum in wait.Sums)
        {
            Assign(sum, InPlace(text, Evaluate(new KRead(sum)), [], []));
        }
    }

    // Inline PTX whose first operands are registers that it changes.
    private LlvmValue InPlace(string text, LlvmValue sum, string[] constraints, string[] operands)
    {
        string element = LlvmTypes.Register(sum.Type with { Lanes = 1 });
        string result = Struct(element, sum.Type.Lanes);
        string register = sum.Type.Element == DType.F32 ? "=f" : "=r";
        IEnumerable<string> outputs = Enumerable.Repeat(register, sum.Type.Lanes);
        IEnumerable<string> same = Enumerable.Range(0, sum.Type.Lanes).Select(Number);
        string all = string.Join(',', [.. outputs, .. constraints, .. same, "~{memory}"]);
        string given = string.Join(", ", [.. operands, .. Lanes(sum).Select(l => l.ToString())]);
        return FromStruct(result, Out.Add(sum.Type, $"call {result} asm sideeffect \"{text}\", \"{all}\"({given}){Convergent}"));
    }

    private string Descriptor(KSharedMatrix matrix, LlvmValue index)
    {
        string address = SharedAddress(Element(matrix.Buffer, index, "inbounds "));
        long rest = IsSwizzledBy128 | ((long)(matrix.StrideBytes >> PieceShift) << 32)
            | ((long)(matrix.IsAlongDepth ? 1 : matrix.LeadingBytes >> PieceShift) << 16);
        string pieces = Out.Add(Word, $"lshr i32 {address}, {Number(PieceShift)}").Name;
        string low = Out.Add(Word, $"and i32 {pieces}, {Number(AddressBits)}").Name;
        string wide = Out.Add(KType.Index, $"zext i32 {low} to i64").Name;
        return Out.Add(KType.Index, FormattableString.Invariant($"or i64 {wide}, {rest}")).Name;
    }

    private void Assembly(string text) => Out.Do($"call void asm sideeffect \"{text}\", \"~{{memory}}\"(){Convergent}");

    private void RequireWarpgroups()
    {
        if (!target.HasArchitectureFeatures || target.Architecture != FirstWithBulkCopies)
        {
            throw Bug($"wgmma is there on sm_90a alone, and kernel '{_kernel!.Name}' is for {target.Name}: its schedule must not use it");
        }
    }
}
