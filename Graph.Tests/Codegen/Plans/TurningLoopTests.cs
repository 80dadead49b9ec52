using Graphene.Codegen;
using Graphene.Codegen.Llvm;
using Graphene.Runtime;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Plans;

/// <summary>In a loop, a kernel that reads much begins each round with the tasks that the round before ended with.</summary>
[TestFixture]
internal sealed unsafe class TurningLoopTests
{
    private const int Log = 0;
    private const int Left = 1;
    private const int Goes = 2;

    // record: appends the range of its tasks to a list that begins with its length. count: another round, as long as any is left.
    private const string Kernels = """
        define void @record(ptr %ctx, ptr %args, i64 %begin, i64 %end) {
          %log = load ptr, ptr %args
          %n = load i64, ptr %log
          %n1 = add i64 %n, 1
          %n2 = add i64 %n, 2
          %begin_at = getelementptr i64, ptr %log, i64 %n1
          %end_at = getelementptr i64, ptr %log, i64 %n2
          store i64 %begin, ptr %begin_at
          store i64 %end, ptr %end_at
          store i64 %n2, ptr %log
          ret void
        }
        define void @count(ptr %ctx, ptr %args, i64 %begin, i64 %end) {
          %left_at = load ptr, ptr %args
          %goes_slot = getelementptr ptr, ptr %args, i64 1
          %goes_at = load ptr, ptr %goes_slot
          %left = load i64, ptr %left_at
          %goes = icmp sgt i64 %left, 0
          %byte = zext i1 %goes to i8
          store i8 %byte, ptr %goes_at
          %less = sub i64 %left, 1
          store i64 %less, ptr %left_at
          ret void
        }
        """;

    [Test]
    public void EveryOtherRoundRunsBackwards()
    {
        Assert.That(Run(Rounds(3, turnsBack: true), rounds: 3), Is.EqualTo("0-1 1-2 2-3, 2-3 1-2 0-1, 0-1 1-2 2-3"));
        Assert.That(Run(Rounds(3, turnsBack: false), rounds: 2), Is.EqualTo("0-3, 0-3"));
        Assert.That(Run(Rounds(1, turnsBack: true), rounds: 2), Is.EqualTo("0-1, 0-1"));
    }

    [Test]
    public void ManyTasksAreTakenInAFewSteps()
    {
        string[] rounds = Run(Rounds(1000, turnsBack: true), rounds: 2).Split(", ");
        string[] forth = rounds[0].Split(' ');
        Assert.That(forth, Has.Length.EqualTo(16));
        Assert.That(forth[0], Is.EqualTo("0-62"));
        Assert.That(forth[^1], Is.EqualTo("937-1000"));
        Assert.That(forth.Zip(forth[1..]).All(p => p.First.Split('-')[1] == p.Second.Split('-')[0]), "no task is left out or taken twice");
        Assert.That(rounds[1].Split(' '), Is.EqualTo(forth.Reverse()));
    }

    [Test]
    public void OutsideALoopTasksKeepTheirOrder() => Assert.That(Run([Record(3, turnsBack: true)], rounds: 0), Is.EqualTo("0-3"));

    [Test]
    public void AnInnerLoopCountsItsOwnRounds()
    {
        // The inner loop has one round each time, which is its first: forwards. The call behind it belongs to the outer loop.
        var inner = new EntryStep.Loop(
            [], new BufferRef(Goes), [Record(2, turnsBack: true), new EntryStep.Call("count", [new BufferRef(Left), new BufferRef(Goes)], 1, false)]);
        EntryStep.Call start = new("count", [new BufferRef(Left), new BufferRef(Goes)], 1, IsWorthSplitting: false);
        Assert.That(Run([start, inner], rounds: 2), Is.EqualTo("0-1 1-2 1-2 0-1"));
        Assert.That(
            EntryPrinter.Print("run", [new EntryStep.Loop([], new BufferRef(Goes), [inner])], _ => 0),
            Does.Contain("alloca [2 x i64]"));
    }

    private static EntryStep[] Rounds(long tasks, bool turnsBack) =>
    [
        new EntryStep.Loop(
            [new EntryStep.Call("count", [new BufferRef(Left), new BufferRef(Goes)], 1, IsWorthSplitting: false)],
            new BufferRef(Goes),
            [Record(tasks, turnsBack), new EntryStep.Call("record", [new BufferRef(Log)], 0, IsWorthSplitting: false)]),
    ];

    private static EntryStep.Call Record(long tasks, bool turnsBack) =>
        new("record", [new BufferRef(Log)], tasks, IsWorthSplitting: true) { TurnsBack = turnsBack };

    // The ranges in the order of their calls; a call without tasks ends a round.
    private static string Run(EntryStep[] steps, long rounds)
    {
        byte[] entry = LlvmCompiler.Compile(EntryPrinter.Print("run", steps, _ => 0), LlvmTarget.Host());
        using LoadedCode code = LoadedCode.Load([entry, LlvmCompiler.Compile(Kernels, LlvmTarget.Host())]);
        var run = (delegate* unmanaged<NativeContext*, int>)code.GetFunction("run");
        long[] log = new long[256];
        long left = rounds;
        byte goes = 0;
        int cancel = 0;
        fixed (long* pLog = log)
        {
            void** buffers = stackalloc void*[] { pLog, &left, &goes };
            var context = new NativeContext { Buffers = buffers, Cancel = &cancel, Threads = 1 };
            Assert.That(run(&context), Is.Zero);
        }
        IEnumerable<string> calls = log[1..(1 + (int)log[0])].Chunk(2).Select(c => c[1] == 0 ? "," : $"{c[0]}-{c[1]}");
        return string.Join(' ', calls).Replace(" , ", ", ", StringComparison.Ordinal).TrimEnd(',', ' ');
    }
}
