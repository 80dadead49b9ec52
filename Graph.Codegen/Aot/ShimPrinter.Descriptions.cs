using System.Text;

namespace Graphene.Codegen.Aot;

/// <content>What a library says about itself: names, types and shapes, and the texts of errors.</content>
internal sealed partial class ShimPrinter
{
    private const string TensorType = "%graphene.tensor";
    private const string DimType = "%graphene.dim";
    private const string SignatureType = "%graphene.signature";
    private int _strings;

    /// <summary>The version of the C interface; the header has it, too.</summary>
    public const int AbiVersion = 1;

    // The structs of the header, field for field.
    private string StructTypes =>
        $"{TensorType} = type {{ ptr, ptr, ptr, i32, i32, {SizeType}, {SizeType} }}\n"
        + $"{DimType} = type {{ ptr, i64, i64 }}\n"
        + $"{SignatureType} = type {{ ptr, i32, i32, i32, i32, ptr, ptr, ptr, {SizeType}, {SizeType}, {SizeType} }}\n";

    private void PrintDescription(NativeFunction f)
    {
        string inputs = PrintTensors($"{f.Symbol}.input_list", [.. f.Plan.Inputs.Select(i => (i.Name, i.Type))]);
        string outputs = PrintTensors($"{f.Symbol}.output_list", [.. f.Plan.Outputs.Select(o => (o.Name, o.Type))]);
        string dims = "null";
        if (f.HasDims)
        {
            dims = $"@{f.Symbol}.dim_list";
            string[] rows = [.. f.Plan.Symbols.Select(s => Text($"{DimType} {{ ptr {String(s.Name)}, i64 {s.Min}, i64 {s.Max} }}"))];
            _ir.Raw(Text($"{dims} = private unnamed_addr constant [{rows.Length} x {DimType}] [{string.Join(", ", rows)}]"));
        }
        long workspace = f.HasDims ? 0 : f.StaticWorkspaceBytes;
        string name = String(f.Name);
        _ir.Raw(Text($$"""
            @{{f.Symbol}}.description = private unnamed_addr constant {{SignatureType}} { ptr {{name}}, i32 {{AbiVersion}}, i32 {{f.Plan.Inputs.Length}}, i32 {{f.Plan.Outputs.Length}}, i32 {{f.Plan.Symbols.Length}}, ptr {{inputs}}, ptr {{outputs}}, ptr {{dims}}, {{SizeType}} {{workspace}}, {{SizeType}} {{ArenaPacking.AlignmentInBytes}}, {{SizeType}} {{weights.Length}} }
            define ptr @{{f.Prefix}}_describe() nounwind {
              ret ptr @{{f.Symbol}}.description
            }

            """));
    }

    private string PrintTensors(string name, IReadOnlyList<(string Name, TensorType Type)> tensors)
    {
        if (tensors.Count == 0)
        {
            return "null";
        }
        var rows = new List<string>();
        foreach ((string tensor, TensorType type) in tensors)
        {
            string shape = "null";
            if (type.Rank > 0)
            {
                shape = $"@{name}.shape{rows.Count}";
                string extents = string.Join(", ", type.Shape.Select(d => Text($"i64 {(d.IsStatic ? d.Value : -1)}")));
                _ir.Raw(Text($"{shape} = private unnamed_addr constant [{type.Rank} x i64] [{extents}]"));
            }
            long bytes = type.SizeInBytes.IsStatic ? type.SizeInBytes.Value : 0;
            string names = $"ptr {String(tensor)}, ptr {String(ShapeText(type.Shape))}, ptr {shape}";
            rows.Add(Text(
                $"{TensorType} {{ {names}, i32 {(int)type.DType}, i32 {type.Rank}, {SizeType} {bytes}, {SizeType} {type.DType.SizeInBytes()} }}"));
        }
        _ir.Raw(Text($"@{name} = private unnamed_addr constant [{rows.Count} x {TensorType}] [{string.Join(", ", rows)}]"));
        return $"@{name}";
    }

    /// <summary>A shape as text, such as <c>[batch,784]</c>.</summary>
    public static string ShapeText(Shape shape) => $"[{string.Join(',', shape)}]";

    private string String(string text)
    {
        string name = Text($"{library}.text{_strings++}");
        _ir.Text(name, text);
        return $"@{name}";
    }

    // One block of text and where each message begins: pointers would have to be relocated.
    private void PrintMessages()
    {
        var text = new StringBuilder();
        var starts = new List<int>();
        foreach ((_, string message) in NativeErrorCodes.All)
        {
            starts.Add(text.Length);
            text.Append(message).Append('\0');
        }
        starts.Add(text.Length);
        text.Append("unknown error");
        _ir.Text($"{library}.messages", text.ToString());
        _ir.Numbers($"{library}.message_starts", starts);
        int known = NativeErrorCodes.All.Length;
        _ir.Raw(Text($$"""
            define ptr @{{library}}_error_message(i32 %code) nounwind {
              %is_known = icmp ult i32 %code, {{known}}
              %index = select i1 %is_known, i32 %code, i32 {{known}}
              %at = getelementptr i32, ptr @{{library}}.message_starts, i32 %index
              %start = load i32, ptr %at
              %message = getelementptr i8, ptr @{{library}}.messages, i32 %start
              ret ptr %message
            }

            """));
    }

    private void PrintWeightsCheck()
    {
        if (!weights.IsExternal)
        {
            return;
        }
        _ir.Raw(WeightsChecksum.Ir);
        string rows = string.Join(", ", weights.Checks.Select(
            c => Text($"i64 {c.Offset}, i64 {c.Length}, i64 {unchecked((long)c.Checksum)}")));
        _ir.Raw(Text($"@{library}.weights_table = private unnamed_addr constant [{3 * weights.Checks.Count} x i64] [{rows}]"));
        _ir.Raw(Text($$"""
            define i32 @{{library}}_weights_check(ptr %weights, {{SizeType}} %bytes) nounwind {
            entry:
              %is_null = icmp eq ptr %weights, null
              br i1 %is_null, label %null, label %present
            null:
              ret i32 {{Code(NativeErrorCode.NullWeights)}}
            present:
              %address = ptrtoint ptr %weights to i64
              %over = and i64 %address, 63
              %is_aligned = icmp eq i64 %over, 0
              br i1 %is_aligned, label %aligned, label %misaligned
            misaligned:
              ret i32 {{Code(NativeErrorCode.MisalignedWeights)}}
            aligned:
              %is_long = icmp uge {{SizeType}} %bytes, {{weights.Length}}
              br i1 %is_long, label %long, label %bad
            long:
              %magic = load i64, ptr %weights, align 8
              %is_magic = icmp eq i64 %magic, {{WeightsFile.Magic}}
              br i1 %is_magic, label %head, label %bad
            head:
              %i = phi i64 [ 0, %long ], [ %next, %round ]
              %more = icmp slt i64 %i, {{weights.Checks.Count}}
              br i1 %more, label %round, label %good
            round:
              %word = mul i64 %i, 3
              %row = getelementptr i64, ptr @{{library}}.weights_table, i64 %word
              %row_1 = getelementptr i64, ptr %row, i64 1
              %row_2 = getelementptr i64, ptr %row, i64 2
              %offset = load i64, ptr %row
              %length = load i64, ptr %row_1
              %expected = load i64, ptr %row_2
              %at = getelementptr i8, ptr %weights, i64 %offset
              %sum = call i64 @{{WeightsChecksum.Symbol}}(ptr %at, i64 %length)
              %next = add i64 %i, 1
              %is_same = icmp eq i64 %sum, %expected
              br i1 %is_same, label %head, label %bad
            good:
              ret i32 0
            bad:
              ret i32 {{Code(NativeErrorCode.BadWeights)}}
            }

            """));
    }
}
