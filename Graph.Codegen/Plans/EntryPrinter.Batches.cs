using System.Globalization;
using System.Text;

namespace Graphene.Codegen;

/// <content>Batches: a table of calls, and one function for all of them that finds the calls that a range of tasks belongs to.</content>
/// <remarks>
/// The table lies where the arguments of a kernel do. Its words: the number of calls; for each call its function, the number of tasks
/// up to its end, and where its arguments are; then the arguments of all, and the functions. It is filled in each run from a constant
/// that has the same form, by a loop: LLVM takes long over thousands of stores in a row.
/// </remarks>
public sealed partial class EntryPrinter
{
    private const string BatchSymbol = "graphene_batch";
    private const string FillSymbol = "graphene_batch_fill";
    private const int WordsPerCall = 3;
    private readonly StringBuilder _tables = new();
    private bool _hasBatches;
    private int _batches;

    // Looks for cancellation after each call, as kernels do after each task.
    private static readonly string BatchFunction = string.Create(CultureInfo.InvariantCulture, $$"""
        define internal void @{{BatchSymbol}}(ptr %ctx, ptr %args, i64 %begin, i64 %end) nounwind noinline {
          %count = load i64, ptr %args
          %cancel_at = getelementptr i8, ptr %ctx, i64 {{CancelOffset}}
          %cancel = load ptr, ptr %cancel_at
          br label %head
        head:
          %i = phi i64 [ 0, %0 ], [ %next, %latch ]
          %first = phi i64 [ 0, %0 ], [ %last, %latch ]
          %has_more = icmp slt i64 %i, %count
          %needs_more = icmp slt i64 %first, %end
          %goes_on = and i1 %has_more, %needs_more
          br i1 %goes_on, label %round, label %exit
        round:
          %word = mul i64 %i, {{WordsPerCall}}
          %row = getelementptr i64, ptr %args, i64 %word
          %function_at = getelementptr i64, ptr %row, i64 1
          %last_at = getelementptr i64, ptr %row, i64 2
          %arguments_at = getelementptr i64, ptr %row, i64 3
          %last = load i64, ptr %last_at
          %from = call i64 @llvm.smax.i64(i64 %begin, i64 %first)
          %to = call i64 @llvm.smin.i64(i64 %end, i64 %last)
          %any = icmp slt i64 %from, %to
          br i1 %any, label %run, label %latch
        run:
          %function = load ptr, ptr %function_at
          %arguments = load ptr, ptr %arguments_at
          %own_from = sub i64 %from, %first
          %own_to = sub i64 %to, %first
          call void %function(ptr %ctx, ptr %arguments, i64 %own_from, i64 %own_to)
          %flag = load volatile i32, ptr %cancel
          %is_set = icmp ne i32 %flag, 0
          br i1 %is_set, label %exit, label %latch
        latch:
          %next = add i64 %i, 1
          br label %head
        exit:
          ret void
        }

        """);

    // Rows: which word holds the function, the tasks up to the end, which word is the first argument. Words: the buffer whose address
    // it is, or the complement of a number.
    private static readonly string FillFunction = $$"""
        define internal void @{{FillSymbol}}(ptr %args, ptr %buffers, ptr %table, i64 %calls, i64 %words) nounwind noinline {
          store i64 %calls, ptr %args
          %numbers = mul i64 %calls, 3
          %first = add i64 %numbers, 1
          %word_table = getelementptr i64, ptr %table, i64 %numbers
          %targets = getelementptr i64, ptr %args, i64 %first
          br label %row
        row:
          %i = phi i64 [ 0, %0 ], [ %i_next, %row ]
          %at = mul i64 %i, 3
          %from = getelementptr i64, ptr %table, i64 %at
          %from_1 = getelementptr i64, ptr %from, i64 1
          %from_2 = getelementptr i64, ptr %from, i64 2
          %function_word = load i64, ptr %from
          %end = load i64, ptr %from_1
          %argument_word = load i64, ptr %from_2
          %function_at = getelementptr i64, ptr %args, i64 %function_word
          %function = load ptr, ptr %function_at
          %arguments = getelementptr i64, ptr %args, i64 %argument_word
          %to = getelementptr i64, ptr %args, i64 %at
          %to_1 = getelementptr i64, ptr %to, i64 1
          %to_2 = getelementptr i64, ptr %to, i64 2
          %to_3 = getelementptr i64, ptr %to, i64 3
          store ptr %function, ptr %to_1
          store i64 %end, ptr %to_2
          store ptr %arguments, ptr %to_3
          %i_next = add i64 %i, 1
          %more_rows = icmp slt i64 %i_next, %calls
          br i1 %more_rows, label %row, label %word
        word:
          %j = phi i64 [ 0, %row ], [ %j_next, %word ]
          %entry_at = getelementptr i64, ptr %word_table, i64 %j
          %entry = load i64, ptr %entry_at
          %is_number = icmp slt i64 %entry, 0
          %index = select i1 %is_number, i64 0, i64 %entry
          %buffer_at = getelementptr i64, ptr %buffers, i64 %index
          %address = load i64, ptr %buffer_at
          %number = xor i64 %entry, -1
          %value = select i1 %is_number, i64 %number, i64 %address
          %target = getelementptr i64, ptr %targets, i64 %j
          store i64 %value, ptr %target
          %j_next = add i64 %j, 1
          %more_words = icmp slt i64 %j_next, %words
          br i1 %more_words, label %word, label %exit
        exit:
          ret void
        }

        """;

    private void EmitBatch(EntryStep.Batch batch)
    {
        _hasBatches = true;
        EmitCancellationPoint();
        int calls = batch.Members.Count;
        int arguments = 1 + (WordsPerCall * calls);
        int functions = arguments + batch.Members.Sum(c => c.Arguments.Count + c.Sizes.Count);
        string[] symbols = [.. batch.Members.Select(c => c.Symbol).Distinct()];
        var table = new List<long>();
        var words = new List<long>();
        var later = new List<(int Word, KExpr Value)>(); // what is not known yet
        long? tasks = 0; // null behind a number that depends on symbols
        for (int i = 0; i < calls; i++)
        {
            EntryStep.Call call = batch.Members[i];
            tasks += Known(call.TaskCount);
            table.AddRange([functions + Array.IndexOf(symbols, call.Symbol), tasks ?? 0, arguments + words.Count]);
            later.Add((1 + (WordsPerCall * i) + 1, call.TaskCount));
            foreach (BufferRef buffer in call.Arguments)
            {
                words.Add(Math.Max(0, buffer.Buffer));
            }
            foreach (Dim size in call.Sizes)
            {
                if (!size.IsStatic)
                {
                    later.Add((arguments + words.Count, KBuilder.Value(size)));
                }
                words.Add(~(size.IsStatic ? size.Value : 0));
            }
        }
        _mostArguments = Math.Max(_mostArguments, functions + symbols.Length);
        _tables.Append(
            CultureInfo.InvariantCulture,
            $"@batch_table_{_batches} = private unnamed_addr constant [{table.Count + words.Count} x i64] [");
        _tables.AppendJoin(", ", table.Concat(words).Select(w => string.Create(CultureInfo.InvariantCulture, $"i64 {w}"))).Append("]\n");
        for (int i = 0; i < symbols.Length; i++)
        {
            _kernels.Add(symbols[i]);
            Line($"store ptr @{symbols[i]}, ptr {ArgumentSlot(functions + i)}");
        }
        Line($"call void @{FillSymbol}(ptr %args, ptr %buffers, ptr @batch_table_{_batches++}, i64 {calls}, i64 {words.Count})");
        EmitMarked(BatchSymbol, EmitLate(batch, later), batch.IsWorthSplitting);
    }

    // Stores what depends on symbols, and adjusts places that are offsets into buffers; gives the number of all tasks.
    private string EmitLate(EntryStep.Batch batch, List<(int Word, KExpr Value)> later)
    {
        string tasks = "0";
        bool areKnown = true;
        foreach ((int word, KExpr value) in later)
        {
            bool isEnd = word <= WordsPerCall * batch.Members.Count;
            areKnown &= !isEnd || Known(value) is not null;
            string text = Value(value);
            text = isEnd ? tasks = Sum(tasks, text) : text;
            if (!isEnd || !areKnown)
            {
                Line($"store i64 {text}, ptr {ArgumentSlot(word)}");
            }
        }
        int place = 1 + (WordsPerCall * batch.Members.Count);
        foreach (EntryStep.Call call in batch.Members)
        {
            for (int i = 0; i < call.Arguments.Count; i++)
            {
                if (call.Arguments[i] != BufferRef.None && call.Arguments[i].OffsetInBytes != 0)
                {
                    Line($"store ptr {Pointer(call.Arguments[i])}, ptr {ArgumentSlot(place + i)}");
                }
            }
            place += call.Arguments.Count + call.Sizes.Count;
        }
        return tasks;
    }

    private static long? Known(KExpr count) => count is KConstant c ? (long)c.Value.AsInteger : null;

    private string Sum(string a, string b) =>
        long.TryParse(a, CultureInfo.InvariantCulture, out long x) && long.TryParse(b, CultureInfo.InvariantCulture, out long y)
            ? (x + y).ToString(CultureInfo.InvariantCulture)
            : Define($"add i64 {a}, {b}");
}
