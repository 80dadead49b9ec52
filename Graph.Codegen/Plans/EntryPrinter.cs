using System.Globalization;
using System.Text;

namespace Graphene.Codegen;

/// <summary>
/// Writes the native entry function of a compiled graph as LLVM IR: straight-line kernel calls and native loops and branches. It
/// looks for cancellation and errors between steps, so a long run stops soon and a failed one does no more work.
/// </summary>
/// <remarks>
/// Offsets into the context are those of the native ABI; <c>NativeContext</c> in the runtime is the other side. A place for a pointer
/// takes eight bytes on every target, also where pointers are shorter.
/// </remarks>
public sealed partial class EntryPrinter
{
    /// <summary>The size of what holds a pointer or a number in contexts, tables and arguments.</summary>
    internal const int WordInBytes = 8;

    private const int SymbolsOffset = 8;
    private const int ParallelForOffset = 16;
    private const int CancelOffset = 32;
    private const int ThreadsOffset = 40;
    private const int ErrorOffset = 44;
    private const int HostCallOffset = 56;
    private const int Cancelled = 1;

    private readonly StringBuilder _functions = new();
    private StringBuilder _text = new();
    private readonly SortedSet<string> _kernels = new(StringComparer.Ordinal);
    private readonly string _name;
    private readonly Func<DimSymbol, int> _symbolOrdinal;
    private int _next;
    private readonly EntryOptions _options;
    private int _mostArguments;
    private int _calls;

    private EntryPrinter(string name, Func<DimSymbol, int> symbolOrdinal, EntryOptions options)
    {
        _name = name;
        _symbolOrdinal = symbolOrdinal;
        _options = options;
    }

    /// <summary>The LLVM module that holds the entry function.</summary>
    /// <param name="name">The function's name.</param>
    /// <param name="steps">What it does.</param>
    /// <param name="symbolOrdinal">The place of a symbol's value in the context.</param>
    /// <param name="options">What it may ask of its host; <see cref="EntryOptions.Default"/> when null.</param>
    public static string Print(
        string name, IReadOnlyList<EntryStep> steps, Func<DimSymbol, int> symbolOrdinal, EntryOptions? options = null)
    {
        options ??= EntryOptions.Default;
        var printer = new EntryPrinter(name, symbolOrdinal, options);
        printer.EmitSteps(steps);
        printer.EmitCancellationPoint(); // the last kernel may have stopped early
        var module = new StringBuilder();
        foreach (string kernel in printer._kernels)
        {
            module.Append(CultureInfo.InvariantCulture, $"declare void @{kernel}(ptr, ptr, i64, i64)\n");
        }
        if (printer._hasBatches)
        {
            module.Append(printer._tables).Append(FillFunction).Append(BatchFunction);
        }
        module.Append(options.CopySymbol is not { } copySymbol
            ? "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)\n"
            : $"declare void @{copySymbol}(ptr, ptr, i64)\n");
        module.Append("declare i64 @llvm.smax.i64(i64, i64)\ndeclare i64 @llvm.smin.i64(i64, i64)\n");
        module.Append(printer._functions);
        module.Append(CultureInfo.InvariantCulture, $"define i32 @{name}(ptr %ctx) nounwind {{\n");
        Prologue(module, printer._mostArguments, printer._mostLoops);
        module.Append(printer._text);
        module.Append("  br label %exit\ncancelled:\n");
        module.Append(CultureInfo.InvariantCulture, $"  store i32 {Cancelled}, ptr %error_at\n  br label %exit\nexit:\n");
        module.Append("  %error = load i32, ptr %error_at\n  ret i32 %error\n}\n");
        return module.ToString();
    }

    // What all steps use: places for arguments and for the rounds of loops, and what the context holds.
    private static void Prologue(StringBuilder module, int mostArguments, int mostLoops)
    {
        module.Append(CultureInfo.InvariantCulture, $"  %args = alloca [{Math.Max(1, mostArguments)} x i64], align 8\n");
        if (mostLoops > 0)
        {
            module.Append(CultureInfo.InvariantCulture, $"  %rounds = alloca [{mostLoops} x i64], align 8\n");
        }
        module.Append("  %buffers = load ptr, ptr %ctx\n");
        Field(module, "symbols", SymbolsOffset, "ptr");
        Field(module, "parallel_for", ParallelForOffset, "ptr");
        Field(module, "cancel", CancelOffset, "ptr");
        Field(module, "threads", ThreadsOffset, "i32");
        Field(module, "host_call", HostCallOffset, "ptr");
        module.Append(CultureInfo.InvariantCulture, $"  %error_at = getelementptr i8, ptr %ctx, i64 {ErrorOffset}\n");
        module.Append("  %can_split = icmp sgt i32 %threads, 1\n");
    }

    private static void Field(StringBuilder module, string name, int offset, string type) => module.Append(
        CultureInfo.InvariantCulture,
        $"  %{name}_at = getelementptr i8, ptr %ctx, i64 {offset}\n  %{name} = load {type}, ptr %{name}_at\n");

    private void EmitSteps(IReadOnlyList<EntryStep> steps)
    {
        foreach (EntryStep step in steps)
        {
            switch (step)
            {
                case EntryStep.Call call: EmitCall(call); break;
                case EntryStep.Batch batch when !_options.IsParallel: EmitSteps(batch.Members); break;
                case EntryStep.Batch batch: EmitBatch(batch); break;
                case EntryStep.Copy copy: EmitCopy(copy); break;
                case EntryStep.Loop loop: EmitLoop(loop); break;
                case EntryStep.SideBySide beside: EmitSideBySide(beside); break;
                case EntryStep.Branch branch: EmitBranch(branch); break;
                case EntryStep.HostCall host: EmitHostCall(host); break;
                default: throw new CompilerBugException("entry printer", $"unknown step {step}");
            }
        }
    }

    private void EmitCall(EntryStep.Call call)
    {
        EmitCancellationPoint();
        _kernels.Add(call.Symbol);
        EmitArguments(call.Arguments);
        EmitSizes(call.Sizes, call.Arguments.Count);
        EmitMarked(call.Symbol, Value(call.TaskCount), call.IsWorthSplitting, call.TurnsBack && _loops > 0);
    }

    private void EmitMarked(string symbol, string tasks, bool isWorthSplitting, bool turnsBack = false)
    {
        int number = _calls++;
        EmitMark(-1L - (2L * number));
        EmitKernelCall(symbol, tasks, isWorthSplitting, turnsBack);
        EmitMark(-2L - (2L * number));
    }

    private void EmitMark(long id)
    {
        if (_options.IsProfiled)
        {
            Line($"call void %host_call(ptr %ctx, i64 {id}, ptr %args)");
        }
    }

    private void EmitKernelCall(string symbol, string tasks, bool isWorthSplitting, bool turnsBack = false)
    {
        if (!isWorthSplitting || !_options.IsParallel || tasks is "0" or "1")
        {
            EmitSerialCall(symbol, tasks, turnsBack);
            return;
        }
        string many = Define($"icmp sgt i64 {tasks}, 1");
        string split = Define($"and i1 {many}, %can_split");
        (string parallel, string serial, string done) = (Label(), Label(), Label());
        Line($"br i1 {split}, label %{parallel}, label %{serial}");
        Begin(parallel);
        Line($"call void %parallel_for(ptr %ctx, ptr @{symbol}, ptr %args, i64 {tasks})");
        Line($"br label %{done}");
        Begin(serial);
        EmitSerialCall(symbol, tasks, turnsBack);
        Line($"br label %{done}");
        Begin(done);
    }

    private void EmitSerialCall(string symbol, string tasks, bool turnsBack)
    {
        if (turnsBack && tasks is not ("0" or "1"))
        {
            EmitTurningCall(symbol, tasks);
            return;
        }
        Line($"call void @{symbol}(ptr %ctx, ptr %args, i64 0, i64 {tasks})");
    }

    private void EmitCancellationPoint()
    {
        if (!_options.IsCancellable)
        {
            return;
        }
        string flag = Define("load volatile i32, ptr %cancel");
        string set = Define($"icmp ne i32 {flag}, 0");
        string go = Label();
        Line($"br i1 {set}, label %cancelled, label %{go}");
        Begin(go);
    }

    private void EmitArguments(IReadOnlyList<BufferRef> arguments)
    {
        _mostArguments = Math.Max(_mostArguments, arguments.Count);
        for (int i = 0; i < arguments.Count; i++)
        {
            if (arguments[i] == BufferRef.None)
            {
                continue;
            }
            Line($"store ptr {Pointer(arguments[i])}, ptr {ArgumentSlot(i)}");
        }
    }

    private void EmitSizes(IReadOnlyList<Dim> sizes, int first)
    {
        _mostArguments = Math.Max(_mostArguments, first + sizes.Count);
        for (int i = 0; i < sizes.Count; i++)
        {
            Line($"store i64 {Value(KBuilder.Value(sizes[i]))}, ptr {ArgumentSlot(first + i)}");
        }
    }

    private string ArgumentSlot(int argument) => Define($"getelementptr i64, ptr %args, i64 {argument}");

    private void EmitCopy(EntryStep.Copy copy)
    {
        EmitCancellationPoint();
        string to = Pointer(copy.To);
        string from = Pointer(copy.From);
        string bytes = Value(KBuilder.Value(copy.SizeInBytes));
        Line(_options.CopySymbol is null
            ? $"call void @llvm.memcpy.p0.p0.i64(ptr {to}, ptr {from}, i64 {bytes}, i1 false)"
            : $"call void @{_options.CopySymbol}(ptr {to}, ptr {from}, i64 {bytes})");
    }

    private void EmitBranch(EntryStep.Branch branch)
    {
        string[] labels = [.. branch.Branches.Select(_ => Label())];
        string done = Label();
        if (branch.SelectorType == DType.Bool)
        {
            string value = Define($"load i8, ptr {Pointer(branch.Selector)}");
            string holds = Define($"icmp ne i8 {value}, 0");
            Line($"br i1 {holds}, label %{labels[0]}, label %{labels[^1]}");
        }
        else
        {
            string value = Define($"load i32, ptr {Pointer(branch.Selector)}");
            string cases = string.Join(' ', labels.SkipLast(1).Select((label, i) => $"i32 {i}, label %{label}"));
            Line($"switch i32 {value}, label %{labels[^1]} [{cases}]");
        }
        for (int i = 0; i < labels.Length; i++)
        {
            Begin(labels[i]);
            EmitSteps(branch.Branches[i]);
            Line($"br label %{done}");
        }
        Begin(done);
    }

    private void EmitHostCall(EntryStep.HostCall host)
    {
        EmitCancellationPoint();
        EmitArguments(host.Arguments);
        Line($"call void %host_call(ptr %ctx, i64 {host.Id}, ptr %args)");
        string error = Define("load i32, ptr %error_at");
        string failed = Define($"icmp ne i32 {error}, 0");
        string go = Label();
        Line($"br i1 {failed}, label %exit, label %{go}");
        Begin(go);
    }

    private string Pointer(BufferRef reference)
    {
        string slot = Define($"getelementptr i64, ptr %buffers, i64 {reference.Buffer}");
        string pointer = Define($"load ptr, ptr {slot}");
        return reference.OffsetInBytes == 0
            ? pointer
            : Define($"getelementptr i8, ptr {pointer}, i64 {Value(KBuilder.Value(reference.OffsetInBytes))}");
    }

    // Task counts and sizes: integers over symbols.
    private string Value(KExpr e)
    {
        switch (e)
        {
            case KConstant c:
                return c.Value.ToString();
            case KSymbol s:
                return Define($"load i64, ptr {Define($"getelementptr i64, ptr %symbols, i64 {_symbolOrdinal(s.Symbol)}")}");
            case KCall { Arguments: [var left, var right] } call:
                string a = Value(left);
                string b = Value(right);
                return call.Op switch
                {
                    ScalarOp.Add => Define($"add i64 {a}, {b}"),
                    ScalarOp.Subtract => Define($"sub i64 {a}, {b}"),
                    ScalarOp.Multiply => Define($"mul i64 {a}, {b}"),
                    ScalarOp.Divide => Define($"sdiv i64 {a}, {b}"),
                    ScalarOp.Remainder => Define($"srem i64 {a}, {b}"),
                    ScalarOp.Maximum => Define($"call i64 @llvm.smax.i64(i64 {a}, i64 {b})"),
                    ScalarOp.Minimum => Define($"call i64 @llvm.smin.i64(i64 {a}, i64 {b})"),
                    _ => throw new CompilerBugException("entry printer", $"{call.Op} in a task count"),
                };
            default:
                throw new CompilerBugException("entry printer", $"{e} in a task count");
        }
    }

    private string Define(string instruction)
    {
        string name = $"%v{_next++}";
        Line($"{name} = {instruction}");
        return name;
    }

    private string Label() => $"l{_next++}";

    private void Begin(string label) => _text.Append(CultureInfo.InvariantCulture, $"{label}:\n");

    private void Line(string line) => _text.Append("  ").Append(line).Append('\n');
}
