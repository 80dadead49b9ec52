using System.Runtime.InteropServices;
using Graphene.Codegen;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.KernelIr.Threads;

/// <summary>Accesses that no barrier orders are found, whatever the outcome was; those that one orders are not.</summary>
internal sealed class RaceTests
{
    // Each thread hands its element to the thread that stands opposite.
    private const string Turn =
        """
        shared s: f32[64]
        store(s, t, load[1](x, t))
        barrier
        store(y, t, load[1](s, subtract(63, t)))
        """;

    // The same again and again in one place.
    private const string Rounds =
        """
        shared s: f32[64]
        for i from 0 to 3 step 1
        {
          store(s, t, load[1](x, add(t, i)))
          barrier // written
          store(y, t, load[1](s, subtract(63, t)))
          barrier // read
        }
        """;

    private const string OfWarp =
        """
        shared s: f32[64]
        store(s, t, load[1](x, t))
        warp_barrier
        let other: i64 = add(multiply(divide(t, 32), 32), subtract(31, remainder(t, 32)))
        store(y, t, load[1](s, other))
        """;

    private const string Copied =
        """
        shared s: f32[64]
        async_copy[1](s, t, x, t)
        async_commit
        async_wait 0
        barrier
        store(y, t, load[1](s, subtract(63, t)))
        """;

    // Three places in a ring: what is copied in a round is read two rounds later.
    private const string Ring =
        """
        shared s: f32[192]
        register sum: f32 = f32 0
        async_copy[1](s, t, x, t)
        async_commit
        async_copy[1](s, add(64, t), x, add(t, 16))
        async_commit
        for i from 0 to 6 step 1
        {
          async_wait 1
          barrier
          async_copy[1](s, add(multiply(remainder(add(i, 2), 3), 64), t), x, add(t, multiply(16, add(i, 2))))
          async_commit
          sum := add(sum, load[1](s, add(multiply(remainder(i, 3), 64), subtract(63, t))))
        }
        async_wait 0
        store(y, t, sum)
        """;

    private const string Over =
        """
        shared s: f32[64]
        shared h: f16[128] over s
        store(s, t, load[1](x, t))
        barrier // written
        let v: f32 = load[1](s, subtract(63, t))
        barrier // read
        store(h, add(t, 64), convert[f16](v))
        store(y, t, convert[f32](load[1](h, add(t, 64))))
        """;

    private static IEnumerable<TestCaseData> Sound =>
    [
        Sounds("turn", Turn, i => 63 - i),
        Sounds("rounds", Rounds, i => 65 - i),
        Sounds("of a warp", OfWarp, i => (i / 32 * 32) + 31 - (i % 32)),
        Sounds("copied", Copied, i => 63 - i),
        Sounds("ring", Ring, i => (6 * (63 - i)) + (16 * 15)),
        Sounds("over", Over, i => 63 - i),
    ];

    private static IEnumerable<TestCaseData> Planted =>
    [
        Plant("no barrier", Turn, "barrier\n", "", "a race: thread 0 reads element 63 of s and thread 63 writes them"),
        Plant("no barrier after reading", Rounds, "barrier // read", "", "a race: thread 0 writes element 0 of s", "thread 63 reads them"),
        Plant("no barrier after writing", Rounds, "barrier // written", "", "a race", "reads element 63 of s and thread 63 writes them"),
        Plant("no barrier of the warp", OfWarp, "warp_barrier", "", "a race: thread 0 reads element 31 of s and thread 31 writes them"),
        Plant("a warp's barrier for two warps", Turn, "barrier", "warp_barrier", "a race: thread 0 reads element 63 of s and thread 63"),
        Plant(
            "two write one place", Turn, "store(s, t,", "store(s, divide(t, 2),",
            "thread 1 writes element 0 of s and thread 0 writes them"),
        Plant("no wait", Copied, "async_wait 0", "", "thread 63 copies to them what it has not waited for"),
        Plant("no commit", Copied, "async_commit", "", "what it has not waited for"),
        Plant("waits for too little", Copied, "async_wait 0", "async_wait 1", "what it has not waited for"),
        Plant("no barrier after the wait", Copied, "barrier", "", "a race: thread 0 reads element 63 of s and thread 63 writes them"),
        Plant("its own copy on its way", Copied, "async_wait 0\nbarrier\nstore(y, t, load[1](s, subtract(63, t)))",
            "store(y, t, load[1](s, t))", "thread 0 reads element 0 of s and thread 0 copies to them what it has not waited for"),
        Plant("ring too short", Ring, ", 3), 64)", ", 2), 64)", "a race"),
        Plant("ring without barrier", Ring, "  barrier\n", "", "a race"),
        Plant("ring waits for too little", Ring, "async_wait 1", "async_wait 2", "what it has not waited for"),
        Plant("over what is read", Over, "barrier // read", "", "a race: thread 0 writes element 64 of h", "reads them"),
    ];

    [TestCaseSource(nameof(Sound))]
    public void WhatIsInOrderRuns(string body, Func<int, float> expected)
    {
        float[] y = ThreadKernel.Run(ThreadKernel.Of(body));

        Assert.That(y[..64], Is.EqualTo(Enumerable.Range(0, 64).Select(expected)));
    }

    [TestCaseSource(nameof(Planted))]
    public void RacesAreFound(string body, string[] messages) => AssertRefused(ThreadKernel.Of(body), messages);

    [Test]
    public void TasksThatWriteOnePlaceAreFound() => AssertRefused(
        ThreadKernel.Of("store(y, add(multiply(b, 60), t), f32 1)", tasks: 3),
        "kernel 'planted', task 1: a race: "
            + "thread 0 writes element 60 of y and thread 60 writes them, in task 0, and tasks are not ordered");

    [Test]
    public void TasksThatReadWhatOthersWriteAreFound() => AssertRefused(
        ThreadKernel.Of("store(y, add(multiply(b, 64), t), load[1](y, add(multiply(subtract(1, b), 64), t)))", tasks: 2),
        "task 1: a race: thread 0 reads element 0 of y and thread 0 writes them, in task 0");

    [Test]
    public void ReadersInSeveralTasksAreRemembered() => AssertRefused(
        ThreadKernel.Of("let v: f32 = load[1](y, 200)\nif equal(b, 2)\n{\nstore(y, add(t, 200), v)\n}", tasks: 3),
        "task 2: a race: thread 0 writes element 200 of y and several t");

    [Test]
    public void ThreadsOfATaskMeetInGlobalMemoryToo()
    {
        const string body = "store(y, t, load[1](x, t))\nbarrier\nlet v: f32 = load[1](y, subtract(63, t))\nbarrier\nstore(y, t, v)";

        Assert.That(ThreadKernel.Run(ThreadKernel.Of(body))[0], Is.EqualTo(63));
        AssertRefused(
            ThreadKernel.Of(body.Replace("barrier\nlet", "let", StringComparison.Ordinal)), "a race: thread 0 reads element 63 of y");
    }

    [Test]
    public void ArgumentsInTheSameMemoryAreOne()
    {
        Kernel kernel = ThreadKernel.Of("store(y, t, load[1](x, subtract(63, t)))");
        var bytes = new byte[1024];

        var error = Assert.Throws<CompilerBugException>(() => new KernelInterpreter(kernel, [bytes, bytes]).Run());

        Assert.That(error!.Message, Does.Contain("a race: thread 0 writes element 0 of y and thread 63 reads them"));
    }

    [Test]
    public void AThreadsOwnOperandCanLieInTheSameMemory()
    {
        Kernel kernel = ThreadKernel.Of("store(y, t, add(load[1](x, t), load[1](x, t)))");
        var bytes = new byte[1024];

        Assert.DoesNotThrow(() => new KernelInterpreter(kernel, [bytes, bytes]).Run());
    }

    [Test]
    public void BothStatementsAreNamed() => AssertRefused(
        ThreadKernel.Of(Turn.Replace("barrier\n", "", StringComparison.Ordinal)),
        "store(s, t, load[1](x, t))", "store(y, t, load[1](s, subtract(63, t)))", "kernel 'planted', task 0");

    [TestCase(0, true)]
    [TestCase(5, true)] // the first of a round of four in the second round
    [TestCase(6, false)]
    [TestCase(31, true)]
    public void WhereSomeTasksAreWatchedTheirRacesAreFound(int task, bool isFound)
    {
        string body = Turn.Replace("barrier\n", $"if not(equal(b, {task}))\n{{\nbarrier\n}}\n", StringComparison.Ordinal);
        string shifted = body.Replace("store(y, t", "store(y, add(multiply(b, 64), t)", StringComparison.Ordinal);
        Kernel kernel = ThreadKernel.Of(shifted, tasks: 32);
        var (x, y) = (new byte[4 * 64], new byte[4 * 64 * 32]);
        MemoryMarshal.Cast<byte, float>(x.AsSpan()).Fill(1);
        var interpreter = new KernelInterpreter(kernel, [x, y]) { Watched = new WatchedTasks(4) };

        Assert.That(interpreter.Run, isFound ? Throws.InstanceOf<CompilerBugException>() : Throws.Nothing);

        Assert.That(MemoryMarshal.Cast<byte, float>(y.AsSpan()).IndexOfAnyExcept(1), Is.EqualTo(isFound ? 64 * task : -1));
    }

    [TestCase("store(s, add(t, 1), load[1](x, t))", "which has 64")]
    [TestCase("async_copy[1](s, add(t, 1), x, t)", "which has 64")]
    [TestCase("async_copy[2](s, t, x, t)", "must be multiples of 2")]
    [TestCase("if less(t, 32)\n{\nbarrier\n}", "only 32 did")]
    [TestCase("store(y, divide(t, 2), f32 1)", "a race")]
    public void WhereTasksAreNotWatchedTheRestIs(string statement, string message)
    {
        Kernel kernel = ThreadKernel.Of($"shared s: f32[64]\nif equal(b, 6)\n{{\n{statement}\n}}", tasks: 32);
        var interpreter = new KernelInterpreter(kernel, [new byte[4 * 64], new byte[4 * 64]]) { Watched = new WatchedTasks(4) };

        Assert.That(interpreter.Run, Throws.InstanceOf<CompilerBugException>().With.Message.Contains(message));
    }

    private static void AssertRefused(Kernel kernel, params string[] messages)
    {
        var error = Assert.Throws<CompilerBugException>(() => ThreadKernel.Run(kernel));

        Assert.Multiple(() => Array.ForEach(messages, m => Assert.That(error!.Message, Does.Contain(m))));
    }

    private static TestCaseData Sounds(string name, string body, Func<int, float> expected) =>
        new TestCaseData(WithoutRemarks(body), expected).SetArgDisplayNames(name);

    private static TestCaseData Plant(string name, string body, string part, string replacement, params string[] messages)
    {
        Assert.That(body, Does.Contain(part));
        string planted = WithoutRemarks(body.Replace(part, replacement, StringComparison.Ordinal));
        return new TestCaseData(planted, messages).SetArgDisplayNames(name);
    }

    private static string WithoutRemarks(string body) => string.Join('\n', body.Split('\n').Select(l => l.Split(" //")[0]));
}
