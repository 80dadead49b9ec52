namespace Graphene.Codegen;

/// <content>Loops, and kernels that turn back in them.</content>
/// <remarks>
/// <code>
/// round 0:  tasks 0 1 2 3      What the last tasks read is in the caches when the next round begins with them.
/// round 1:  tasks 3 2 1 0      In the same order each round, tasks that read a little more than a cache holds
/// round 2:  tasks 0 1 2 3      would find nothing there: all of it has made way for what came behind.
/// </code>
/// Only where one thread runs all tasks. The part that a thread of several has is smaller, and its place in the whole is the pool's to choose.
/// </remarks>
public sealed partial class EntryPrinter
{
    // More calls of a kernel cost more than finer steps bring.
    private const int MostSteps = 16;

    private int _loops;
    private int _mostLoops;

    private void EmitLoop(EntryStep.Loop loop)
    {
        _mostLoops = Math.Max(_mostLoops, ++_loops);
        (string head, string body, string done) = (Label(), Label(), Label());
        string round = Define($"getelementptr i64, ptr %rounds, i64 {_loops - 1}");
        Line($"store i64 0, ptr {round}");
        Line($"br label %{head}");
        Begin(head);
        EmitCancellationPoint(); // also when a round does nothing else
        EmitSteps(loop.Condition);
        string predicate = Define($"load i8, ptr {Pointer(loop.Predicate)}");
        string holds = Define($"icmp ne i8 {predicate}, 0");
        Line($"br i1 {holds}, label %{body}, label %{done}");
        Begin(body);
        EmitSteps(loop.Body);
        string before = Define($"load i64, ptr {round}");
        Line($"store i64 {Define($"add i64 {before}, 1")}, ptr {round}");
        Line($"br label %{head}");
        Begin(done);
        _loops--;
    }

    // for step of steps: kernel(the step's tasks), from the last step to the first in odd rounds
    private void EmitTurningCall(string symbol, string tasks)
    {
        string steps = Define($"call i64 @llvm.smin.i64(i64 {tasks}, i64 {MostSteps})");
        string last = Define($"sub i64 {steps}, 1");
        string round = Define($"load i64, ptr {Define($"getelementptr i64, ptr %rounds, i64 {_loops - 1}")}");
        string isBack = Define($"trunc i64 {round} to i1");
        (string before, string head, string call, string done) = (Label(), Label(), Label(), Label());
        (string step, string next) = ($"%{head}_step", $"%{head}_next");
        Line($"br label %{before}");
        Begin(before);
        Line($"br label %{head}");
        Begin(head);
        Line($"{step} = phi i64 [ 0, %{before} ], [ {next}, %{call} ]");
        Line($"br i1 {Define($"icmp slt i64 {step}, {steps}")}, label %{call}, label %{done}");
        Begin(call);
        Line($"{next} = add i64 {step}, 1");
        string place = Define($"select i1 {isBack}, i64 {Define($"sub i64 {last}, {step}")}, i64 {step}");
        string begin = FirstTask(place);
        string end = FirstTask(Define($"add i64 {place}, 1"));
        Line($"call void @{symbol}(ptr %ctx, ptr %args, i64 {begin}, i64 {end})");
        Line($"br label %{head}");
        Begin(done);

        string FirstTask(string ofStep) => Define($"sdiv i64 {Define($"mul i64 {ofStep}, {tasks}")}, {steps}");
    }
}
