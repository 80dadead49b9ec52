
namespace Graphene.Codegen.Aot;

/// <content>What C calls to run: checks, the choice of a variant, and the context.</content>
internal sealed partial class ShimPrinter
{
    private const int ContextWords = 10;

    private string Parameters(NativeFunction f) =>
        "ptr %inputs, ptr %outputs, ptr %workspace"
        + (f.HasDims ? ", ptr %dims" : "") + (weights.IsExternal ? ", ptr %weights" : "");

    private void PrintCore(NativeFunction f)
    {
        _ir.Raw(
            $"define internal i32 @{Core(f)}(ptr %inputs, ptr %outputs, ptr %workspace, ptr %dims, ptr %weights, "
            + $"{SizeType} %given, ptr %ctx) nounwind noinline {{");
        CheckList("%inputs", $"{f.Symbol}.inputs", f.Plan.Inputs.Length, NativeErrorCode.NullInput);
        CheckList("%outputs", $"{f.Symbol}.outputs", f.Plan.Outputs.Length, NativeErrorCode.NullOutput);
        CheckAddress("%workspace", NativeErrorCode.NullWorkspace, NativeErrorCode.MisalignedWorkspace);
        if (weights.IsExternal)
        {
            CheckAddress("%weights", NativeErrorCode.NullWeights, NativeErrorCode.MisalignedWeights);
        }
        string needed = CheckDims(f);
        string isShort = _ir.Let($"icmp ult {SizeType} %given, {needed}");
        _ir.ReturnIf(isShort, NativeErrorCode.ShortWorkspace);
        if (f.HasDims)
        {
            StoreField(1, "ptr %dims");
        }
        if (!f.Plan.HostCalls.IsEmpty)
        {
            StoreField(7, $"ptr @{f.Symbol}.host");
        }
        string errorAt = _ir.Let("getelementptr i8, ptr %ctx, i64 44");
        _ir.Do($"store i32 0, ptr {errorAt}");
        CallVariant(f);
        _ir.Raw("}\n");
    }

    private void CheckList(string list, string masks, int count, NativeErrorCode whenNull)
    {
        if (count == 0)
        {
            return;
        }
        string isNull = _ir.Let($"icmp eq ptr {list}, null");
        _ir.ReturnIf(isNull, whenNull);
        string result = _ir.Let(Text($"call i32 @{ShimRuntime.CheckSymbol}(ptr {list}, ptr @{masks}, i64 {count})"));
        string code = _ir.Let(Text($"add i32 {result}, {(int)whenNull - 1}"));
        string isBad = _ir.Let($"icmp ne i32 {result}, 0");
        (string bad, string good) = (_ir.Label("bad"), _ir.Label("good"));
        _ir.Do($"br i1 {isBad}, label %{bad}, label %{good}");
        _ir.Begin(bad);
        _ir.Do($"ret i32 {code}");
        _ir.Begin(good);
    }

    private void CheckAddress(string address, NativeErrorCode whenNull, NativeErrorCode whenMisaligned)
    {
        _ir.ReturnIf(_ir.Let($"icmp eq ptr {address}, null"), whenNull);
        string number = _ir.Let($"ptrtoint ptr {address} to i64");
        string over = _ir.Let($"and i64 {number}, 63");
        _ir.ReturnIf(_ir.Let($"icmp ne i64 {over}, 0"), whenMisaligned);
    }

    // Gives the bytes of workspace that are needed.
    private string CheckDims(NativeFunction f)
    {
        if (!f.HasDims)
        {
            return Text($"{f.StaticWorkspaceBytes}");
        }
        string error = _ir.Let($"call i32 @{f.Symbol}.check_dims(ptr %dims)");
        (string bad, string good) = (_ir.Label("bad"), _ir.Label("good"));
        _ir.Do($"br i1 {_ir.Let($"icmp ne i32 {error}, 0")}, label %{bad}, label %{good}");
        _ir.Begin(bad);
        _ir.Do($"ret i32 {error}");
        _ir.Begin(good);
        string needed = _ir.Let($"call i64 @{f.Symbol}.size(ptr %dims)");
        _ir.ReturnIf(_ir.Let($"icmp slt i64 {needed}, 0"), NativeErrorCode.TooLarge);
        return SizeType == "i64" ? needed : _ir.Let($"trunc i64 {needed} to i32");
    }

    private void StoreField(int word, string value)
    {
        string place = _ir.Let(Text($"getelementptr i64, ptr %ctx, i64 {word}"));
        _ir.Do($"store {value}, ptr {place}, {PointerAlignment}");
    }

    private void CallVariant(NativeFunction f)
    {
        string place = weights.Length == 0 ? "null" : weights.IsExternal ? "%weights" : $"@{weights.Symbol}";
        string arguments = $"(ptr %inputs, ptr %outputs, ptr %workspace, ptr %dims, ptr {place}, ptr %ctx)";
        if (f.Plans.Length == 1)
        {
            _ir.Do($"ret i32 {_ir.Let($"call i32 @{Body(f, f.Plans[0])}{arguments}")}");
            return;
        }
        string variant = _ir.Let($"call i32 @{library}.variant()");
        string cases = string.Join(' ', Enumerable.Range(1, f.Plans.Length - 1).Select(i => Text($"i32 {i}, label %variant{i}")));
        _ir.Do($"switch i32 {variant}, label %variant0 [{cases}]");
        for (int i = 0; i < f.Plans.Length; i++)
        {
            _ir.Begin(Text($"variant{i}"));
            _ir.Do($"ret i32 {_ir.Let($"call i32 @{Body(f, f.Plans[i])}{arguments}")}");
        }
    }

    private void PrintRun(NativeFunction f)
    {
        _ir.Raw($"define i32 @{f.Symbol}({Parameters(f)}) nounwind {{");
        BeginContext($"@{ShimRuntime.NeverSymbol}");
        _ir.Do($"ret i32 {CallCore(f, "-1")}");
        _ir.Raw("}\n");
    }

    private void PrintRunParallel(NativeFunction f)
    {
        _ir.Raw(
            $"define i32 @{f.Symbol}_parallel({Parameters(f)}, {SizeType} %workspace_bytes, ptr %parallel_for, ptr %pool, "
                + "ptr %cancel) nounwind {");
        string isNever = _ir.Let("icmp eq ptr %cancel, null");
        string flag = _ir.Let($"select i1 {isNever}, ptr @{ShimRuntime.NeverSymbol}, ptr %cancel");
        BeginContext(flag);
        _ir.Do("%pair = alloca [2 x i64], align 8");
        _ir.Do("store ptr %parallel_for, ptr %pair");
        _ir.Do("%told = getelementptr i64, ptr %pair, i64 1");
        _ir.Do("store ptr %pool, ptr %told");
        StoreField(2, $"ptr @{ShimRuntime.ParallelSymbol}");
        StoreField(3, "ptr %pair");
        string isAlone = _ir.Let("icmp eq ptr %parallel_for, null");
        string threads = _ir.Let($"select i1 {isAlone}, i32 1, i32 2");
        string threadsAt = _ir.Let("getelementptr i64, ptr %ctx, i64 5");
        _ir.Do($"store i32 {threads}, ptr {threadsAt}");
        _ir.Do($"ret i32 {CallCore(f, "%workspace_bytes")}");
        _ir.Raw("}\n");
    }

    // Fields that the core does not set.
    private void BeginContext(string cancel)
    {
        _ir.Do(Text($"%ctx = alloca [{ContextWords} x i64], align 16"));
        StoreField(4, $"ptr {cancel}");
        string threadsAt = _ir.Let("getelementptr i64, ptr %ctx, i64 5");
        _ir.Do($"store i32 1, ptr {threadsAt}");
    }

    private string CallCore(NativeFunction f, string given) => _ir.Let(
        $"call i32 @{Core(f)}(ptr %inputs, ptr %outputs, ptr %workspace, ptr {(f.HasDims ? "%dims" : "null")}, "
        + $"ptr {(weights.IsExternal ? "%weights" : "null")}, {SizeType} {given}, ptr %ctx)");
}
