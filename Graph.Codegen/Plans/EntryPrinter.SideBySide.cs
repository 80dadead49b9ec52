using System.Globalization;
using System.Text;

namespace Graphene.Codegen;

/// <content>
/// Loops side by side: a function whose tasks are the loops, shared between threads like the tasks of a kernel.
/// </content>
/// <remarks>
/// <code>
/// task 0:  while (condition) { kernels }      one thread, which may ask others for help with its kernels
/// task 1:  while (condition) { kernels }      another one at the same time; or the same, afterwards
/// </code>
/// So with one thread, or when no other comes, all is as if the loops stood one behind the other.
/// </remarks>
public sealed partial class EntryPrinter
{
    private void EmitSideBySide(EntryStep.SideBySide step)
    {
        // A profile is told about one kernel at a time.
        if (!_options.IsParallel || !_options.NestsCalls || _options.IsProfiled)
        {
            EmitSteps(step.Loops);
            return;
        }
        string symbol = string.Create(CultureInfo.InvariantCulture, $"{_name}_loops_{_next++}");
        (StringBuilder outside, int mostArguments, int loops, int mostLoops) = (_text, _mostArguments, _loops, _mostLoops);
        (_text, _mostArguments, _loops, _mostLoops) = (new StringBuilder(), 0, 0, 0);
        for (int i = 0; i < step.Loops.Count; i++)
        {
            Begin(TaskLabel(i));
            EmitLoop(step.Loops[i]);
            Line("br label %latch");
        }
        AppendFunction(symbol, step.Loops.Count);
        (_text, _mostArguments, _loops, _mostLoops) = (outside, mostArguments, loops, mostLoops);
        EmitCancellationPoint();
        EmitKernelCall(symbol, step.Loops.Count.ToString(CultureInfo.InvariantCulture), isWorthSplitting: true);
    }

    private void AppendFunction(string symbol, int tasks)
    {
        var function = new StringBuilder();
        function.Append(
            CultureInfo.InvariantCulture,
            $"define internal void @{symbol}(ptr %ctx, ptr %caller, i64 %begin, i64 %end) nounwind noinline {{\n");
        Prologue(function, _mostArguments, _mostLoops);
        string cases = string.Join(' ', Enumerable.Range(0, tasks).Select(
            i => string.Create(CultureInfo.InvariantCulture, $"i64 {i}, label %{TaskLabel(i)}")));
        function.Append(CultureInfo.InvariantCulture, $"""
              br label %head
            head:
              %task = phi i64 [ %begin, %0 ], [ %next_task, %latch ]
              %has_task = icmp slt i64 %task, %end
              br i1 %has_task, label %choose, label %exit
            choose:
              switch i64 %task, label %exit [{cases}]
            latch:
              %next_task = add i64 %task, 1
              br label %head

            """);
        function.Append(_text);
        function.Append(
            CultureInfo.InvariantCulture, $"cancelled:\n  store i32 {Cancelled}, ptr %error_at\n  br label %exit\n");
        function.Append("exit:\n  ret void\n}\n");
        _functions.Append(function);
    }

    private static string TaskLabel(int task) => string.Create(CultureInfo.InvariantCulture, $"task_{task}");
}
