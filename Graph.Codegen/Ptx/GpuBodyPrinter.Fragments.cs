using Graphene.Codegen.Llvm;

namespace Graphene.Codegen.Ptx;

/// <content>Products of small matrices, by the instructions of the tensor cores.</content>
internal sealed partial class GpuBodyPrinter
{
    private const int FirstWithMatrixLoads = 75;
    private const int FirstWithFragments = 80;

    private void FragmentLoad(KFragmentLoad load)
    {
        Require(FirstWithMatrixLoads, "ldmatrix");
        if (load.Count is not (1 or 2 or 4) || (load.IsTransposed && load.Buffer.Element.SizeInBytes() != 2))
        {
            string transposed = load.IsTransposed ? ", transposed" : "";
            throw Bug($"there is no ldmatrix of {load.Count} matrices of {load.Buffer.Element.Name()}{transposed}");
        }
        string place = Element(load.Buffer, Evaluate(load.Index), "inbounds ");
        string name = $"llvm.nvvm.ldmatrix.sync.aligned.m8n8.x{Number(load.Count)}{(load.IsTransposed ? ".trans" : "")}.b16.p3";
        string result = Struct("i32", load.Count);
        LlvmValue words = new(Out.Add(Word, $"call {result} @{name}(ptr addrspace(3) {place})").Name, Word with { Lanes = load.Count });
        Bind(load.Variable, FromWords(FromStruct(result, words), load.Variable.Type));
    }

    private void FragmentDot(KFragmentDot dot)
    {
        Require(FirstWithFragments, "mma.sync");
        LlvmValue left = Evaluate(dot.Left);
        LlvmValue right = EvaluateAlso(dot.Right);
        LlvmValue sum = EvaluateAlso(new KRead(dot.Sum));
        (string name, string operand) = Instruction(dot.Shape);
        string element = LlvmTypes.Register(sum.Type with { Lanes = 1 });
        string result = Struct(element, sum.Type.Lanes);
        IEnumerable<string> operands = Pieces(left, operand).Concat(Pieces(right, operand)).Concat(Lanes(sum).Select(l => l.ToString()));
        string call = $"call {result} @llvm.nvvm.mma.{name}({string.Join(", ", operands)})";
        Assign(dot.Sum, FromStruct(result, new LlvmValue(Out.Add(sum.Type, call).Name, sum.Type)));
    }

    // The intrinsic, and the type of its operands.
    private static (string Name, string Operand) Instruction(KFragmentShape shape)
    {
        string size = $"m{Number(shape.Rows)}n{Number(shape.Columns)}k{Number(shape.Depth)}.row.col";
        return shape switch
        {
            { Left: DType.F16 } when shape == KFragmentShape.Half(DType.F16) => ($"{size}.f32.f32", "<2 x half>"),
            { Left: DType.BF16 } when shape == KFragmentShape.Half(DType.BF16) => ($"{size}.bf16", "i32"),
            { Left: DType.F32 } when shape == KFragmentShape.TensorFloat32 => ($"{size}.tf32", "i32"),
            { Left: DType.F64 } when shape == KFragmentShape.Double => ($"{size}.f64", "double"),
            { Left: DType.I8 or DType.U8, Right: DType.I8 or DType.U8 } when shape == KFragmentShape.Bytes(shape.Left, shape.Right) =>
                ($"{size}.{(shape.Left == shape.Right ? Letter(shape.Left) : $"{Letter(shape.Left)}.{Letter(shape.Right)}")}", "i32"),
            _ => throw Bug($"there is no product of {shape}"),
        };

        static string Letter(DType type) => type == DType.I8 ? "s8" : "u8";
    }

    private IEnumerable<string> Pieces(LlvmValue value, string type)
    {
        if (type == "double")
        {
            return Lanes(value).Select(l => l.ToString());
        }
        LlvmValue words = AsWords(value);
        return Lanes(words).Select(w => type == "i32" ? w.ToString() : $"{type} {Out.Add(Word, $"bitcast {w} to {type}").Name}");
    }

    private IEnumerable<LlvmValue> Lanes(LlvmValue value) => [.. Enumerable.Range(0, value.Type.Lanes).Select(i => Extract(value, i))];

    private LlvmValue FromStruct(string type, LlvmValue value)
    {
        if (value.Type.IsScalar)
        {
            return value;
        }
        LlvmValue result = new("poison", value.Type);
        for (int i = 0; i < value.Type.Lanes; i++)
        {
            LlvmValue part = Out.Add(value.Type with { Lanes = 1 }, $"extractvalue {type} {value.Name}, {Number(i)}");
            result = Insert(result, part, i);
        }
        return result;
    }

    private static string Struct(string element, int count) =>
        count == 1 ? element : $"{{ {string.Join(", ", Enumerable.Repeat(element, count))} }}";
}
