using System.Globalization;
using Graphene.Runtime;

namespace Graphene.Codegen.Aot;

/// <summary>
/// Writes the functions that C calls as LLVM IR: they check what they are given, lay the workspace out, choose the variant, and call
/// the entry function of the compiled graph.
/// </summary>
/// <remarks>
/// <code>
/// NAME_run, NAME_run_parallel     the caller's side: a context on the stack
///   NAME_run.core                 checks; chooses the variant
///     NAME_run.v3                 fills the table of buffers, calls the entry function, copies outputs that lie elsewhere
///       NAME_run.v3.entry         what EntryPrinter wrote
/// </code>
/// The context has the layout of <see cref="NativeContext"/>, eight bytes for a pointer on every target.
/// </remarks>
/// <param name="target">The target.</param>
/// <param name="library">What every symbol begins with.</param>
/// <param name="weights">Where constants are.</param>
internal sealed partial class ShimPrinter(AotTarget target, string library, WeightsPlace weights)
{
    private const string PointerAlignment = "align 8";
    private readonly IrWriter _ir = new();

    private int PointerBits => target.Variants[0].Machine.PointerBits;

    private string SizeType => PointerBits == 32 ? "i32" : "i64";

    /// <summary>The entry function of a variant of a signature.</summary>
    public static string EntrySymbol(string library, string signature, AotVariant variant) =>
        $"{library}_{signature}.{variant.Name}.entry";

    /// <summary>The LLVM module.</summary>
    /// <param name="functions">All signatures.</param>
    public string Print(IReadOnlyList<NativeFunction> functions)
    {
        _ir.Raw(StructTypes);
        _ir.Raw(ShimRuntime.Copy);
        _ir.Raw(ShimRuntime.All);
        if (weights.Length > 0 && !weights.IsExternal)
        {
            _ir.Raw(Text($"@{weights.Symbol} = external hidden constant [{weights.Length} x i8], align {weights.AlignmentInBytes}\n"));
        }
        foreach (NativeFunction f in functions)
        {
            PrintTables(f);
            foreach (NativePlan plan in f.Plans)
            {
                PrintVariant(f, plan);
            }
            if (f.HasDims)
            {
                PrintDimsCheck(f);
                PrintSizes(f);
            }
            PrintHostCall(f);
            PrintCore(f);
            PrintRun(f);
            PrintRunParallel(f);
            PrintDescription(f);
        }
        PrintMessages();
        PrintProcessor();
        PrintWeightsCheck();
        return _ir.ToString();
    }

    private static string Core(NativeFunction f) => $"{f.Symbol}.core";

    private static string Body(NativeFunction f, NativePlan plan) => $"{f.Symbol}.{plan.Variant.Name}";

    // Lists of pointers are checked against one mask each.
    private void PrintTables(NativeFunction f)
    {
        _ir.Bytes($"{f.Symbol}.inputs", [.. f.Plan.Inputs.Select(i => Mask(i.Type))]);
        _ir.Bytes($"{f.Symbol}.outputs", [.. f.Plan.Outputs.Select(o => Mask(o.Type))]);
        foreach (NativePlan plan in f.Plans)
        {
            string name = Body(f, plan);
            _ir.Numbers($"{name}.in", plan.Pairs(BufferKind.Parameter, b => b.Index));
            _ir.Numbers($"{name}.out", plan.Pairs(BufferKind.Result, b => b.Index));
            _ir.Numbers(
                $"{name}.constants",
                plan.Pairs(BufferKind.Constant, b => b.Offset!.Value.Value / SharedConstants.AlignmentInBytes));
            if (plan.Slots is null)
            {
                _ir.Numbers($"{name}.temps", plan.Pairs(BufferKind.Temp, b => b.Offset!.Value.Value / ArenaPacking.AlignmentInBytes));
            }
        }
    }

    private static byte Mask(TensorType type) =>
        (byte)((type.DType.SizeInBytes() - 1) | (type.SizeInBytes is { IsStatic: true, Value: 0 } ? 0x80 : 0));

    private void PrintVariant(NativeFunction f, NativePlan plan)
    {
        string name = Body(f, plan);
        _ir.Raw($"declare i32 @{plan.Plan.EntrySymbol}(ptr)");
        _ir.Raw(
            $"define internal i32 @{name}(ptr %inputs, ptr %outputs, ptr %workspace, ptr %dims, ptr %weights, ptr %ctx) "
            + "nounwind noinline {");
        Fill(ShimRuntime.PointSymbol, "%inputs", $"{name}.in", plan.Pairs(BufferKind.Parameter, b => b.Index).Length);
        Fill(ShimRuntime.PointSymbol, "%outputs", $"{name}.out", plan.Pairs(BufferKind.Result, b => b.Index).Length);
        Fill(ShimRuntime.PlaceSymbol, "%weights", $"{name}.constants", plan.Pairs(BufferKind.Constant, _ => 0).Length);
        DimIr dims = Dims(f);
        if (plan.Plan.Buffers.Any(b => b.Kind == BufferKind.Temp))
        {
            string arena = _ir.Let(Text($"getelementptr i8, ptr %workspace, i64 {plan.ArenaOffset}"));
            if (plan.Slots is null)
            {
                Fill(ShimRuntime.PlaceSymbol, arena, $"{name}.temps", plan.Pairs(BufferKind.Temp, _ => 0).Length);
            }
            else
            {
                FillSlots(plan.Slots, dims, arena);
            }
        }
        _ir.Do("store ptr %workspace, ptr %ctx");
        string error = _ir.Let($"call i32 @{plan.Plan.EntrySymbol}(ptr %ctx)");
        CopyOutputs(plan, dims, error);
        _ir.Do($"ret i32 {error}");
        _ir.Raw("}\n");
    }

    private void Fill(string function, string source, string pairs, int numbers)
    {
        if (numbers > 0)
        {
            _ir.Do(Text($"call void @{function}(ptr %workspace, ptr {source}, ptr @{pairs}, i64 {numbers / 2})"));
        }
    }

    private void FillSlots(ArenaSlots slots, DimIr dims, string arena)
    {
        (List<DimIr.Term> begins, _) = Layout(slots, dims);
        foreach ((int buffer, int slot) in slots.SlotOf)
        {
            string place = _ir.Let($"getelementptr i8, ptr {arena}, i64 {begins[slot].Value}");
            string entry = _ir.Let(Text($"getelementptr i64, ptr %workspace, i64 {buffer}"));
            _ir.Do($"store ptr {place}, ptr {entry}, {PointerAlignment}");
        }
    }

    // Where each slot begins, and where the last one ends.
    private static (List<DimIr.Term> Begins, DimIr.Term End) Layout(ArenaSlots slots, DimIr dims)
    {
        var begins = new List<DimIr.Term>();
        DimIr.Term end = dims.Visit(0);
        foreach (IReadOnlyList<Dim> sizes in slots.Sizes)
        {
            begins.Add(end);
            end = dims.Sum(end, dims.RoundedUp(sizes.Select(dims.Visit).Aggregate(dims.Larger)));
        }
        return (begins, end);
    }

    private void CopyOutputs(NativePlan plan, DimIr dims, string error)
    {
        (int Output, int Buffer, Dim SizeInBytes)[] copies = [.. plan.CopiedOutputs];
        if (copies.Length == 0)
        {
            return;
        }
        (string copy, string done) = (_ir.Label("copy"), _ir.Label("done"));
        string isGood = _ir.Let($"icmp eq i32 {error}, 0");
        _ir.Do($"br i1 {isGood}, label %{copy}, label %{done}");
        _ir.Begin(copy);
        foreach ((int output, int buffer, Dim size) in copies)
        {
            string from = _ir.Let($"load ptr, ptr {_ir.Let(Text($"getelementptr i64, ptr %workspace, i64 {buffer}"))}");
            string to = _ir.Let($"load ptr, ptr {_ir.Let(Text($"getelementptr ptr, ptr %outputs, i64 {output}"))}");
            _ir.Do($"call void @{ShimRuntime.CopySymbol}(ptr {to}, ptr {from}, i64 {Dims(plan.Plan).Value(size)})");
        }
        _ir.Do($"br label %{done}");
        _ir.Begin(done);
    }

    private DimIr Dims(NativeFunction f) => Dims(f.Plan);

    private DimIr Dims(ExecutablePlan plan) => new(_ir, "%dims", s => plan.Symbols.IndexOf(s));

    // All calls are assertions, whose first argument is a bool.
    private void PrintHostCall(NativeFunction f)
    {
        if (f.Plan.HostCalls.IsEmpty)
        {
            return;
        }
        _ir.Raw($$"""
            define internal void @{{f.Symbol}}.host(ptr %ctx, i64 %id, ptr %args) nounwind noinline {
              %condition = load ptr, ptr %args
              %value = load i8, ptr %condition
              %holds = icmp ne i8 %value, 0
              br i1 %holds, label %good, label %bad
            bad:
              %error_at = getelementptr i8, ptr %ctx, i64 44
              store i32 {{Code(NativeErrorCode.Assertion)}}, ptr %error_at
              br label %good
            good:
              ret void
            }

            """);
    }

    private static string Code(NativeErrorCode code) => ((int)code).ToString(CultureInfo.InvariantCulture);

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}

/// <summary>Where the constants of a native library are.</summary>
/// <param name="Symbol">The symbol of those in the code.</param>
/// <param name="Length">Their size in bytes.</param>
/// <param name="IsExternal">True when each run is given their address.</param>
internal sealed record WeightsPlace(string Symbol, long Length, bool IsExternal)
{
    // So many that pages which are not read are worth having.
    private const long BytesWorthPages = 64 << 10;

    /// <summary>At what multiple they begin.</summary>
    public int AlignmentInBytes => Length >= BytesWorthPages ? 4096 : SharedConstants.AlignmentInBytes;

    /// <summary>What checks of an external file compare.</summary>
    public IReadOnlyList<(long Offset, long Length, ulong Checksum)> Checks { get; init; } = [];
}
