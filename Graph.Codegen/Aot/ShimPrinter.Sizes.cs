using Graphene.Runtime;

namespace Graphene.Codegen.Aot;

/// <content>Sizes that depend on dims: checks of the dims, and formulas over them.</content>
internal sealed partial class ShimPrinter
{
    // Ranges first: what is computed later relies on them.
    private void PrintDimsCheck(NativeFunction f)
    {
        _ir.Raw($"define internal i32 @{f.Symbol}.check_dims(ptr %dims) nounwind noinline {{");
        _ir.ReturnIf(_ir.Let("icmp eq ptr %dims, null"), NativeErrorCode.NullDims);
        DimIr dims = Dims(f);
        foreach (DimSymbol symbol in f.Plan.Symbols)
        {
            string value = dims.Value(symbol);
            _ir.ReturnIf(_ir.Let(Text($"icmp slt i64 {value}, {symbol.Min}")), NativeErrorCode.DimRange);
            _ir.ReturnIf(_ir.Let(Text($"icmp sgt i64 {value}, {symbol.Max}")), NativeErrorCode.DimRange);
        }
        foreach (ShapeCheck check in f.Plan.Checks)
        {
            string left = dims.Value(check.Condition.Left);
            string right = dims.Value(check.Condition.Right);
            string relation = check.Condition.Relation == DimRelation.Equal ? "ne" : "sgt";
            _ir.ReturnIf(_ir.Let($"icmp {relation} i64 {left}, {right}"), NativeErrorCode.Shape);
        }
        foreach (TensorType type in f.Plan.Inputs.Select(i => i.Type).Concat(f.Plan.Outputs.Select(o => o.Type)))
        {
            // An extent below zero is no shape; a size that cannot be addressed is nobody's memory.
            foreach (Dim extent in type.Shape.Where(d => !d.IsStatic && d.Range.Min < 0))
            {
                _ir.ReturnIf(_ir.Let($"icmp slt i64 {dims.Value(extent)}, 0"), NativeErrorCode.Shape);
            }
            string bytes = dims.Value(type.SizeInBytes);
            _ir.ReturnIf(_ir.Let(Text($"icmp sgt i64 {bytes}, {MostBytes}")), NativeErrorCode.TooLarge);
        }
        if (dims.Excess is { } excess)
        {
            _ir.ReturnIf(excess, NativeErrorCode.TooLarge);
        }
        _ir.Do("ret i32 0");
        _ir.Raw("}\n");
    }

    private long MostBytes => PointerBits == 32 ? int.MaxValue : long.MaxValue / 4;

    private void PrintSizes(NativeFunction f)
    {
        PrintWorkspaceSize(f);
        string name = $"{f.Prefix}_workspace_size";
        _ir.Raw($"define {SizeType} @{name}(ptr %dims) nounwind {{");
        _ir.Do("%error = call i32 @" + f.Symbol + ".check_dims(ptr %dims)");
        _ir.Do("%is_bad = icmp ne i32 %error, 0");
        _ir.Do("br i1 %is_bad, label %bad, label %good");
        _ir.Begin("bad");
        _ir.Do($"ret {SizeType} 0");
        _ir.Begin("good");
        string size = _ir.Let($"call i64 @{f.Symbol}.size(ptr %dims)");
        _ir.LeaveIf(_ir.Let($"icmp slt i64 {size}, 0"), "bad");
        ReturnSize(size);
        _ir.Raw("}\n");
        PrintTensorSize(f, "input", [.. f.Plan.Inputs.Select(i => i.Type)]);
        PrintTensorSize(f, "output", [.. f.Plan.Outputs.Select(o => o.Type)]);
    }

    // Of the variant that needs most; -1 when it is too large.
    private void PrintWorkspaceSize(NativeFunction f)
    {
        _ir.Raw($"define internal i64 @{f.Symbol}.size(ptr %dims) nounwind noinline {{");
        DimIr dims = Dims(f);
        DimIr.Term most = dims.Visit(0);
        foreach (NativePlan plan in f.Plans)
        {
            DimIr.Term end = Layout(plan.Slots!, dims).End;
            most = dims.Larger(most, dims.Sum(end, dims.Visit(plan.ArenaOffset)));
        }
        string isLarge = _ir.Let(Text($"icmp sgt i64 {most.Value}, {MostBytes}"));
        string isExcess = dims.Excess is { } excess ? _ir.Let($"or i1 {isLarge}, {excess}") : isLarge;
        _ir.Do($"ret i64 {_ir.Let($"select i1 {isExcess}, i64 -1, i64 {most.Value}")}");
        _ir.Raw("}\n");
    }

    private void PrintTensorSize(NativeFunction f, string what, TensorType[] types)
    {
        _ir.Raw($"define {SizeType} @{f.Prefix}_{what}_size(i32 %index, ptr %dims) nounwind {{");
        _ir.Do($"%error = call i32 @{f.Symbol}.check_dims(ptr %dims)");
        _ir.Do("%is_bad = icmp ne i32 %error, 0");
        _ir.Do("br i1 %is_bad, label %bad, label %good");
        _ir.Begin("good");
        string cases = string.Join(' ', types.Select((_, i) => Text($"i32 {i}, label %tensor{i}")));
        _ir.Do($"switch i32 %index, label %bad [{cases}]");
        for (int i = 0; i < types.Length; i++)
        {
            _ir.Begin(Text($"tensor{i}"));
            ReturnSize(Dims(f).Value(types[i].SizeInBytes));
        }
        _ir.Begin("bad");
        _ir.Do($"ret {SizeType} 0");
        _ir.Raw("}\n");
    }

    private void ReturnSize(string size) =>
        _ir.Do($"ret {SizeType} {(SizeType == "i64" ? size : _ir.Let($"trunc i64 {size} to i32"))}");
}
