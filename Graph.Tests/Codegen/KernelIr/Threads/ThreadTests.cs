using Graphene.Codegen;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.KernelIr.Threads;

/// <summary>Threads that part and meet again, and what the interpreter refuses when they do so in the wrong place.</summary>
internal sealed class ThreadTests
{
    [Test]
    public void ThreadsGoTheirOwnWays()
    {
        float[] y = ThreadKernel.Run(ThreadKernel.Of(
            """
            register sum: f32 = f32 0
            for i from 0 to remainder(t, 5) step 1
            {
              if equal(remainder(i, 2), 0)
              {
                sum := add(sum, f32 1)
              }
              else
              {
                sum := add(sum, f32 10)
              }
            }
            register n: i64 = t
            while less(n, 8)
            {
              sum := add(sum, f32 100)
              n := add(n, 1)
            }
            store(y, t, sum)
            """));

        Assert.That(y[..10], Is.EqualTo((float[])[800, 701, 611, 512, 422, 300, 201, 111, 12, 22]));
    }

    [TestCase("lane", "3", 3, 35)]
    [TestCase("xor", "5", 5, 37)]
    [TestCase("up", "2", 0, 32)]
    [TestCase("down", "31", 31, 63)]
    public void LanesExchange(string kind, string operand, int ofFirst, int ofSecondWarp)
    {
        float[] y = ThreadKernel.Run(ThreadKernel.Of($"exchange v: f32 = {kind}(load[1](x, t), {operand})\nstore(y, t, v)"));

        Assert.That((y[0], y[32]), Is.EqualTo(((float)ofFirst, (float)ofSecondWarp)));
    }

    [Test]
    public void WarpsGoTheirOwnWays()
    {
        float[] y = ThreadKernel.Run(ThreadKernel.Of(
            "if less(t, 32)\n{\nexchange v: f32 = xor(load[1](x, t), 1)\nwarp_barrier\nstore(y, t, v)\n}"));

        Assert.That(y[..34], Is.EqualTo(Enumerable.Range(0, 34).Select(i => i < 32 ? i ^ 1 : 0)));
    }

    [TestCase("store(y, t, load[1](s, t))", "task 0: thread 0 reads element 0 of s, of which some were not written in this task")]
    [TestCase(
        "if equal(b, 0)\n{\nstore(s, t, f32 1)\n}\nstore(y, add(multiply(b, 64), t), load[1](s, t))",
        "task 1: thread 0 reads element 0 of s, of which some were not written in this task")]
    [TestCase(
        "store(s, t, f32 1)\nbarrier\nstore(y, t, load[1](s, add(t, 1)))",
        "thread 63 reads element 64 of s, of which some were not written")]
    [TestCase(
        "store(s, t, f32 1)\nbarrier\nlet v: f32x4 = load[4](s, add(t, 1))",
        "thread 60 reads elements 61..64 of s, of which some were not written")]
    [TestCase(
        "if less(t, 62)\n{\nstore(s, t, f32 1)\n}\nbarrier\nif less(t, 32)\n{\n"
            + "fragment_load a: f32 = rows[1](s, multiply(add(t, 10), 4))\n}",
        "reads elements 60..63 of s, of which some were not written")]
    [TestCase(
        "shared h: f16[256] over s\nstore(h, t, f16 1)\nbarrier\nstore(y, t, load[1](s, t))",
        "thread 32 reads element 32 of s, of which some were not written")]
    public void WhatNobodyWroteInTheTaskIsNotRead(string body, string message)
    {
        Kernel kernel = ThreadKernel.Of("shared s: f32[128]\n" + body, tasks: 2);

        var error = Assert.Throws<CompilerBugException>(() => ThreadKernel.Run(kernel));

        Assert.That(error!.Message, Does.Contain(message));
    }

    [TestCase("async_copy[1](s, t, x, t)", "the task ends while 1 copies of thread 0 are on their way, the first one to element 0 of s")]
    [TestCase("async_copy[1](s, t, x, t)\nasync_commit", "1 copies of thread 0")]
    [TestCase("async_copy[1](s, t, x, t)\nasync_commit\nasync_wait 1", "1 copies of thread 0")]
    [TestCase(
        "if equal(t, 40)\n{\nasync_copy[1](s, t, x, t)\nasync_copy[1](s, 41, x, t)\n}\nasync_commit\nbarrier",
        "2 copies of thread 40 are on their way, the first one to element 40 of s")]
    public void NoCopyOutlivesItsTask(string body, string message)
    {
        Kernel kernel = ThreadKernel.Of("shared s: f32[128]\n" + body);

        var error = Assert.Throws<CompilerBugException>(() => ThreadKernel.Run(kernel));

        Assert.That(error!.Message, Does.Contain(message).And.Contain("kernel 'planted', task 0"));
    }

    [Test]
    public void EmptyGroupsMayBeOnTheirWay() => Assert.DoesNotThrow(() => ThreadKernel.Run(ThreadKernel.Of(
        "shared s: f32[128]\nasync_copy[1](s, t, x, t)\nasync_commit\nasync_commit\nasync_wait 1")));

    [Test]
    public void CopiesUnderAConditionWriteZeros()
    {
        float[] y = ThreadKernel.Run(ThreadKernel.Of(
            """
            shared s: f32[256]
            async_copy[4](s, multiply(t, 4), x, multiply(t, 1000), less(t, 1))
            async_commit
            async_wait 0
            store(y, multiply(t, 4), load[4](s, multiply(t, 4)))
            """));

        Assert.That(y[..8], Is.EqualTo((float[])[0, 1, 2, 3, 0, 0, 0, 0]));
    }

    [TestCase("if less(t, 40)\n{\nbarrier\n}", "all 64 threads must come to a barrier, and only 40 did: 0..39, in: barrier")]
    [TestCase("for i from 0 to t step 1\n{\nbarrier\n}", "all 64 threads must come to a barrier, and only 63 did: 1..63")]
    [TestCase("if less(t, 40)\n{\nwarp_barrier\n}", "of warp 1 only some did; here are 0..39")]
    [TestCase("if equal(remainder(t, 2), 0)\n{\nexchange v: i64 = xor(t, 2)\n}", "of warp 0 only some did")]
    [TestCase("exchange v: i64 = lane(t, t)", "thread 32 exchanges with 32")]
    [TestCase("store(y, multiply(t, 5), f32 1)", "thread 52 writes element 260 of y, which has 256")]
    [TestCase("store(y, t, load[1](x, subtract(t, 1)))", "thread 0 reads element -1 of x, which has 256")]
    [TestCase("store(y, t, load[1](x, 9223372036854775807))", "thread 0 reads element 9223372036854775807")]
    [TestCase("shared s: f32[60]\nstore(s, t, f32 1)", "thread 60 writes element 60 of s, which has 60")]
    [TestCase("scratch s: f32[60]\nstore(s, t, f32 1)", "thread 60 writes element 60 of s, which has 60")]
    [TestCase("let v: f32x4 = load[4, 4](x, multiply(t, 2))", "thread 1 reads from element 2 of x on, which is no multiple of 4")]
    [TestCase("store[2](y, t, broadcast[2](f32 1))", "thread 1 writes from element 1 of y on, which is no multiple of 2")]
    [TestCase("shared s: f32[64]\nasync_copy[2](s, 0, x, t)", "copies 2 elements from 1 to 0; both must be multiples of 2")]
    [TestCase("shared s: f32[64]\nasync_copy[1](s, t, x, multiply(t, 5))", "thread 52 reads element 260 of x")]
    [TestCase("shared s: f32[64]\nstore(s, t, f32 1)\nbarrier\nfragment_load a: f32 = rows[1](s, t)", "names a row at element 1 of s")]
    public void WhatIsWrongIsSaid(string body, string message)
    {
        var error = Assert.Throws<CompilerBugException>(() => ThreadKernel.Run(ThreadKernel.Of(body)));

        Assert.That(error!.Message, Does.Contain(message).And.Contain("kernel 'planted', task 0"));
    }

    [TestCase("async_copy[4](y, 0, x, 0)", "y is not shared")]
    [TestCase("shared s: f32[64]\nasync_copy[4](s, 0, y, 0)", "y is no argument that is only read")]
    [TestCase("shared s: f32[64]\nasync_copy[3](s, 0, x, 0)", "a copy takes 4, 8 or 16 bytes, not 12")]
    [TestCase("shared s: f32[64]\nasync_copy[4](s, 2, x, 0)", "2 is no multiple of 4")]
    [TestCase("shared s: f16[64]\nasync_copy[4](s, 0, x, 0)", "s holds f16, x f32")]
    [TestCase("async_wait -1", "-1 groups cannot be on their way")]
    [TestCase("exchange v: f32 = xor(t, 1)", "the value is i64, not f32")]
    [TestCase("exchange v: i64 = xor(t, 32)", "the operand is 32; it must be from 0 to 31")]
    [TestCase("exchange v: i64 = sideways(t, 1)", "expected lane, xor, up or down")]
    [TestCase(
        "register r: f32x4 = broadcast[4](f32 0)\nfragment_dot[16, 8, 16, f16, f16, f16](r, r, r)",
        "there are no products of 16x16 f16")]
    [TestCase("register r: f32 = f32 0\nfragment_dot[16, 8, 8, f32, f32, f32](r, r, r)", "the sum is f32, not f32x4")]
    [TestCase(
        "register r: f32x4 = broadcast[4](f32 0)\nfragment_dot[16, 8, 8, f32, f32, f32](r, r, r)",
        "the right operand is f32x4, not f32x2")]
    [TestCase("fragment_load a: f32 = rows[1](x, 0)", "x is not shared")]
    [TestCase("shared s: f32[64]\nfragment_load a: f32x3 = rows[3](s, 0)", "1, 2 or 4 matrices are read at once, not 3")]
    [TestCase("shared s: f32[64]\nfragment_load a: f32x2 = rows[1](s, 0)", "what is read is f32, not f32x2")]
    [TestCase("shared s: f32[64]\nfragment_load a: f32 = columns[1](s, 0)", "elements of 4 bytes are not transposed")]
    [TestCase("let v: f32x4 = load[4, 3](x, 0)", "an alignment is a power of two, not 3")]
    [TestCase("let v: f32x4 = load[4, 32](x, 0)", "x begins at a multiple of 64 bytes, which does not align 32 elements of f32")]
    [TestCase("store[0](y, 0, f32 1)", "an alignment is a power of two, not 0")]
    [TestCase("store[4](y, 2, broadcast[4](f32 1))", "2 is no multiple of 4")]
    [TestCase("scratch s: f32[64]\nshared r: f32[64] over s", "r lies in the place of s, which is not shared")]
    [TestCase("tiles m: i8[1, 64]\n{\n}", "tiles are for tasks of one")]
    public void MalformedTextIsRefused(string body, string message)
    {
        var error = Assert.Throws<GraphException>(() => ThreadKernel.Of(body));

        Assert.That(error!.Message, Does.Contain(message));
    }

    [TestCase("barrier")]
    [TestCase("warp_barrier")]
    [TestCase("exchange v: f32 = xor(f32 1, 1)")]
    [TestCase("shared s: f32[4]")]
    [TestCase("async_commit")]
    [TestCase("async_wait 0")]
    public void ThreadsAreNeeded(string statement)
    {
        string text = $"kernel \"k\" flops=0 bytes=0\nargument 0 y: f32\ntask b of 1\n{{\n{statement}\n}}";

        Assert.That(
            () => KernelParser.Parse(text), Throws.TypeOf<GraphException>().With.Message.Contains("this is for tasks of many"));
    }

    [TestCase("let v: f32x4 = load[4, 4](y, 0)")]
    [TestCase("store[4](y, 0, broadcast[4](f32 1))")]
    public void ATaskOfOneThreadKnowsNoAlignmentOfArguments(string statement)
    {
        string text = $"kernel \"k\" flops=0 bytes=0\nargument 0 y: f32\ntask b of 1\n{{\n{statement}\n}}";

        Assert.That(
            () => KernelParser.Parse(text), Throws.TypeOf<GraphException>().With.Message.Contains("may be a caller's memory"));
    }

    [TestCase("threads t of 33", "a task has 32 to 1024 threads, whole warps, not 33")]
    [TestCase("threads t of 2048", "whole warps, not 2048")]
    [TestCase("threads t of 0", "whole warps, not 0")]
    public void ThreadsAreWholeWarps(string line, string message)
    {
        string text = $"kernel \"k\" flops=0 bytes=0\ntask b of 1\n{line}\n{{\n}}";

        Assert.That(() => KernelParser.Parse(text), Throws.TypeOf<GraphException>().With.Message.Contains(message));
    }

    [Test]
    public void EverythingIsReadBack()
    {
        const string text =
            """
            kernel "all" flops=0 bytes=0
            argument 0 x: f16 readonly
            argument 1 y: f32
            task b of 1
            threads t of 64 tasks 2
            {
              shared s: f16[1024]
              shared r: f16[512] over s
              async_copy[8](s, multiply(t, 8), x, multiply(t, 8), less(t, 3))
              async_copy[8](s, multiply(t, 8), x, multiply(t, 8))
              async_commit
              async_wait 0
              barrier
              fragment_load a: f16x8 = rows[4](s, multiply(remainder(t, 32), 8))
              fragment_load c: f16x4 = columns[2](s, multiply(remainder(t, 32), 8))
              register sum: f32x4 = f32x4 0
              fragment_dot[16, 8, 16, f16, f16, f32](sum, a, c)
              exchange v: f32x4 = down(sum, 1)
              warp_barrier
              store[4](y, multiply(t, 4), add(v, load[4, 4](y, 0)))
              stream[2](y, multiply(t, 4), f32x2 1)
            }

            """;

        Assert.That(KernelPrinter.Print(KernelParser.Parse(text)), Is.EqualTo(text));
    }
}
