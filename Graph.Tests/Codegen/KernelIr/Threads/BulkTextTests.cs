using Graphene.Codegen;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.KernelIr.Threads;

/// <summary>Statements of bulk copies, phases, roles and warpgroups as text, and what the verifier says of malformed ones.</summary>
internal sealed class BulkTextTests
{
    private const string Text =
        """
        kernel "all" flops=0 bytes=0
        symbol n in 1..64
        argument 0 x: f16 readonly
        argument 1 y: f32
        map m of x: sizes [@n, 64] strides [multiply(@n, 8)] from 8 box [64, 8] swizzled
        map m.1 of x: sizes [8] strides [] from 0 box [8]
        task b of 1
        threads t of 160
        {
          shared s: f16[1024] aligned 1024
          shared o: f32[32] over s
          phases full: 2 of 1
          register sum: f32x4 = f32x4 0
          barrier
          roles
          warps 0 to 4
          {
            phase_wait(full, 0, 1)
            warpgroup_fence
            warpgroup_dot[8, 16, f16, f16, f32](sum, along[0, 1024](s, 0), across[8192, 1024](s, multiply(t, 0)))
            warpgroup_commit
            warpgroup_wait 1 []
            warpgroup_wait 0 [sum]
          }
          warps 4 to 5
          {
            phase_arrive(full, 1)
            phase_arrive[1024](full, 0)
            bulk_copy(s, 512, m, [0, subtract(t, 200)], full, 0)
          }
        }

        """;

    private static IEnumerable<TestCaseData> Malformed =>
    [
        Bad("map m.1 of x", "map m.1 of y", "y is no argument that is only read"),
        Bad("box [64, 8] swizzled", "box [64, 300] swizzled", "a box has 1 to 256 elements in each dimension"),
        Bad("box [64, 8] swizzled", "box [32, 8] swizzled", "swizzled lines have 128 bytes, not 64"),
        Bad("box [8]", "box [4]", "lines of a box have a multiple of 16 bytes, not 8"),
        Bad("box [8]", "box [8] rounded", "f16 is not rounded to TF32"),
        Bad("strides [multiply(@n, 8)]", "strides []", "2 dimensions have 1 strides"),
        Bad("strides [multiply(@n, 8)]", "strides [12]", "strides and the offset are multiples of 16 bytes"),
        Bad("from 8", "from 4", "strides and the offset are multiples of 16 bytes"),
        Bad("sizes [8]", "sizes [convert[i64](load[1](y, 0))]", "are over symbols and constants"),
        Bad("aligned 1024", "aligned 100", "a place is aligned to 128, 256, 512 or 1024 bytes"),
        Bad("f16[1024] aligned 1024", "f16[1024]", "s is not aligned to 1024 bytes", "aligned to 1024 bytes"),
        Bad("full: 2 of 1", "full: 0 of 1", "there are 1 to 64 barriers, not 0"),
        Bad("full: 2 of 1", "full: 2 of 6", "6 of 5 warps cannot arrive"),
        Bad("phase_arrive(full, 1)", "phase_arrive(full, 2)", "there is no barrier 2 among 2"),
        Bad("phase_arrive[1024]", "phase_arrive[2000000]", "a phase waits for at most 1048575 bytes"),
        Bad("phase_wait(full, 0, 1)", "phase_wait(full, 0, 2)", "a parity is 0 or 1, not 2"),
        Bad("phase_wait(full, 0, 1)", "phase_wait(sum, 0, 1)", "there is no barrier of phases 'sum' here"),
        Bad("bulk_copy(s, 512, m,", "bulk_copy(s, 500, m,", "a box begins at a multiple of 128 bytes"),
        Bad("bulk_copy(s, 512, m,", "bulk_copy(s, 512, x,", "there is no map 'x' here"),
        Bad("bulk_copy(s, 512, m,", "bulk_copy(s, 512, m.1,", "m.1 has 1 dimensions, not 2"),
        Bad("bulk_copy(s, 512, m,", "bulk_copy(o, 0, m,", "o is not aligned to 1024 bytes"),
        Bad("warps 4 to 5", "warps 3 to 5", "roles are for ascending warps of 5, not 3 to 5"),
        Bad("warps 4 to 5", "warps 4 to 6", "roles are for ascending warps of 5, not 4 to 6"),
        Bad("phase_arrive(full, 1)", "barrier", "in a role stand no barriers of the task"),
        Bad("[8, 16, f16, f16, f32]", "[8, 32, f16, f16, f32]", "warpgroups compute no products of 64x32 f16 and 32x8 f16 in f32"),
        Bad("[8, 16, f16, f16, f32]", "[16, 16, f16, f16, f32]", "the sum is f32x4, not f32x8"),
        Bad("[8, 16, f16, f16, f32](sum, along[0, 1024](s", "[8, 16, bf16, bf16, f32](sum, along[0, 1024](s", "s holds f16, not bf16"),
        Bad("along[0, 1024]", "along[0, 1000]", "distances of lines are multiples of 16 bytes below 256 KiB"),
        Bad("(s, 0)", "(s, 4)", "an operand starts at a multiple of 16 bytes"),
        Bad("(s, 0)", "(o, 0)", "the left operand does not lie in shared memory that is aligned to 1024 bytes"),
        Bad("warpgroup_wait 1 []", "warpgroup_wait 8 []", "0 to 7 groups may go on, not 8"),
        Bad("warpgroup_wait 1 []", "store(s, t, f16 0)", "memory for boxes is written by bulk copies alone"),
        Bad("threads t of 160", "threads t of 96", "warps of 3", "a task of 96 threads has no warpgroup"),
    ];

    [Test]
    public void TextReadsBack()
    {
        Kernel kernel = KernelParser.Parse(Text);
        KernelVerifier.Verify(kernel);

        Assert.That(KernelPrinter.Print(kernel), Is.EqualTo(Text));
        Assert.That(KernelPrinter.Print(KernelParser.Parse(KernelPrinter.Print(kernel))), Is.EqualTo(Text));
    }

    [TestCaseSource(nameof(Malformed))]
    public void MalformedTextIsRefused(string text, string[] messages)
    {
        var error = Assert.Throws<GraphException>(() => KernelParser.Parse(text));

        Assert.That(messages.Any(error!.Message.Contains), Is.True, error.Message);
    }

    [Test]
    public void TheVerifierKnowsTheSameRules()
    {
        Kernel kernel = KernelParser.Parse(Text);
        KBuffer written = kernel.Arguments[1];
        var map = new KTensorMap("w", written) { Sizes = [8], Strides = [], Box = [8] };
        var barriers = new KPhaseBarriers("never", 1, 1);
        var index = new KVariable("t", KType.Index);

        AssertRefused(kernel with { Maps = [.. kernel.Maps, map] }, "y is no argument that is only read");
        AssertRefused(kernel with { Maps = [.. kernel.Maps, kernel.Maps[0]] }, "the map 'm' is there twice");
        AssertRefused(kernel with { Maps = [] }, "'m' is not visible here");
        AssertRefused(With(kernel, new KPhaseWait(barriers, 0, 0)), "'never' is not visible here");
        AssertRefused(With(kernel, new KPhaseArrive(barriers, index)), "'t' is not visible here");
        AssertRefused(
            With(kernel, new KWarpgroupWait(0, [new KRegister("lost", new KType(DType.F32, 4))])), "'lost' is not visible here");
        AssertRefused(
            kernel with { Maps = [], Threads = null, Body = new KBlock([new KWarpgroupFence()]) }, "a task of this kernel is one thread");
    }

    private static Kernel With(Kernel kernel, KStmt statement) =>
        kernel with { Body = new KBlock([.. kernel.Body.Statements, statement]) };

    private static void AssertRefused(Kernel kernel, string message) => Assert.That(
        Assert.Throws<CompilerBugException>(() => KernelVerifier.Verify(kernel))!.Message, Does.Contain(message));

    private static TestCaseData Bad(string part, string replacement, params string[] messages)
    {
        Assert.That(Text, Does.Contain(part));
        int at = Text.IndexOf(part, StringComparison.Ordinal);
        return new TestCaseData(Text[..at] + replacement + Text[(at + part.Length)..], messages)
            .SetArgDisplayNames($"{part} -> {replacement}");
    }
}
