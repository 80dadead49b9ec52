using Graphene.Codegen;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.KernelIr.Threads;

/// <summary>
/// Boxes arrive where they should, when somebody waits for them; whoever does not, or writes over what
/// others read, is found.
/// </summary>
internal sealed class BulkCopyTests
{
    private static readonly string HalfHead = BulkKernel.Head(
        "f16", "sizes [72, 20] strides [72] from 8 box [64, 8] swizzled", tasks: 2, threads: 64);

    // Two boxes, of which the second begins before the tensor and ends behind it.
    private const string Boxes =
        """
        shared s: f16[1024] aligned 1024
        phases full: 2 of 1
        barrier
        if less(t, 32)
        {
          phase_arrive[2048](full, 1)
          bulk_copy(s, 0, m, [16, 4], full, 1)
          bulk_copy(s, 512, m, [-8, 16], full, 1)
        }
        phase_wait(full, 1, 0)
        for i from 0 to 16 step 1
        {
          let at: i64 = add(multiply(i, 64), t)
          store(y, add(multiply(b, 1024), at), load[1](s, at))
        }
        """;

    private static readonly string RingHead = BulkKernel.Head(
        "f32", "sizes [32, 64] strides [32] from 0 box [32, 8] swizzled", tasks: 2, threads: 96);

    // Two places in a ring: warp 2 copies ahead, warps 0 and 1 add up what arrives.
    private const string Ring =
        """
        shared s: f32[512] aligned 1024
        phases full: 2 of 1
        phases empty: 2 of 2
        register sum: f32 = f32 0
        barrier
        roles
        warps 0 to 2
        {
          for i from 0 to 8 step 1
          {
            phase_wait(full, remainder(i, 2), remainder(divide(i, 2), 2)) // full
            for l from 0 to 8 step 1
            {
              sum := add(sum, load[1](s, add(multiply(remainder(i, 2), 256), add(multiply(l, 32), remainder(t, 32)))))
            }
            phase_arrive(empty, remainder(i, 2)) // read
          }
        }
        warps 2 to 3
        {
          for i from 0 to 8 step 1
          {
            phase_wait(empty, remainder(i, 2), remainder(add(divide(i, 2), 1), 2)) // empty
            phase_arrive[1024](full, remainder(i, 2))
            bulk_copy(s, multiply(remainder(i, 2), 256), m, [0, multiply(i, 8)], full, remainder(i, 2))
          }
        }
        barrier
        if less(t, 64)
        {
          store(y, add(multiply(b, 64), t), sum)
        }
        """;

    private static IEnumerable<TestCaseData> PlantedInBoxes =>
    [
        BulkKernel.Plant("nobody waits", Boxes, "phase_wait(full, 1, 0)", "", "reads element", "what it has not waited for"),
        BulkKernel.Plant("the wrong parity", Boxes, "phase_wait(full, 1, 0)", "phase_wait(full, 1, 1)", "what it has not waited for"),
        BulkKernel.Plant(
            "only one warp waits", Boxes, "phase_wait(full, 1, 0)", "if less(t, 32)\n{\nphase_wait(full, 1, 0)\n}",
            "a race: thread 32 reads element 32 of s and a bulk copy writes them"),
        BulkKernel.Plant(
            "the other barrier", Boxes, "phase_wait(full, 1, 0)", "phase_wait(full, 0, 0)",
            "nobody is left who could end what is waited for: in phase 0 of full[0] 0 of 1 warps arrived"),
        BulkKernel.Plant("too few bytes", Boxes, "[2048]", "[1024]", "of 1024 bytes 2048 are copied"),
        BulkKernel.Plant("too many bytes", Boxes, "[2048]", "[4096]", "of 4096 bytes 2048 are copied"),
        BulkKernel.Plant("nobody arrives", Boxes, "phase_arrive[2048](full, 1)", "", "0 of 1 warps arrived"),
        BulkKernel.Plant(
            "arrives twice", Boxes, "  bulk_copy(s, 0", "  phase_arrive(full, 1)\n  bulk_copy(s, 0",
            "arrives in a phase that 1 arrived in"),
        BulkKernel.Plant("no barrier behind the beginning", Boxes, "barrier\n", "", "before a barrier of the task behind their beginning"),
        BulkKernel.Plant("half a warp", Boxes, "less(t, 32)", "less(t, 16)", "all threads of a warp must come"),
        BulkKernel.Plant("two warps copy to one place", Boxes, "less(t, 32)", "less(t, 64)", "arrives in a phase that 1 arrived in"),
        BulkKernel.Plant("to an uneven place", Boxes, "(s, 512, m", "(s, 448, m", "is no multiple of 1024 bytes"),
        BulkKernel.Plant("over another", Boxes, "(s, 512, m", "(s, 0, m", "what it has not waited for"),
        BulkKernel.Plant("behind the end", Boxes, "(s, 512, m", "(s, 1024, m", "elements 1024..1535 of s, which has 1024"),
        BulkKernel.Plant("barriers of threads", Boxes, "bulk_copy(s, 512, m, [-8, 16], full, 1)",
            "bulk_copy(s, 512, m, [-8, 16], full, add(t, 3))", "do not agree on a barrier"),
        BulkKernel.Plant(
            "parity of threads", Boxes, "phase_wait(full, 1, 0)", "phase_wait(full, 1, remainder(t, 2))",
            "do not agree on a parity"),
        BulkKernel.Plant("a second beginning", Boxes, "phases full: 2 of 1\nbarrier",
            "for i from 0 to 2 step 1\n{\nphases full: 2 of 1\nbarrier\n}", "begin a second time"),
        BulkKernel.Plant(
            "over what is read", Boxes, "store(y, add(multiply(b, 1024), at), load[1](s, at))",
            "store(y, add(multiply(b, 1024), at), load[1](s, at))\nif less(t, 32)\n{\nbulk_copy(s, 0, m, [0, 0], full, 1)\n}", "a race"),
    ];

    private static IEnumerable<TestCaseData> PlantedInRing =>
    [
        BulkKernel.Plant(
            "does not wait for room", Ring,
            "phase_wait(empty, remainder(i, 2), remainder(add(divide(i, 2), 1), 2)) // empty", "",
            "full[0]: warp 2 arrives in a phase that 1 arrived in, and waits for its bytes"),
        BulkKernel.Plant("waits for the wrong room", Ring, "remainder(add(divide(i, 2), 1), 2)) // empty", "1) // empty",
            "full[0]: warp 2 arrives in a phase that 1 arrived in, and waits for its bytes"),
        BulkKernel.Plant("never says that it has read", Ring, "phase_arrive(empty, remainder(i, 2)) // read", "",
            "a deadlock: warps 0 to 1 wait in phase_wait(full", "warps 2 to 2 wait in phase_wait(empty", "0 of 2 warps arrived"),
        BulkKernel.Plant(
            "says so too early",
            Ring.Replace("phase_arrive(empty, remainder(i, 2)) // read", "", StringComparison.Ordinal),
            "phase_wait(full, remainder(i, 2), remainder(divide(i, 2), 2)) // full",
            "phase_wait(full, remainder(i, 2), remainder(divide(i, 2), 2))\nphase_arrive(empty, remainder(i, 2))",
            "a race: thread 64 writes", "reads them"),
        BulkKernel.Plant(
            "does not wait for what arrives", Ring,
            "phase_wait(full, remainder(i, 2), remainder(divide(i, 2), 2)) // full", "", "not written in this task"),
        BulkKernel.Plant(
            "waits for a phase that is over", Ring, "remainder(divide(i, 2), 2)) // full", "0) // full",
            "a deadlock: warps 2 to 2 wait"),
        BulkKernel.Plant(
            "a barrier in a role", Ring, "phase_arrive(empty, remainder(i, 2)) // read",
            "phase_arrive(empty, remainder(i, 2))\nbarrier",
            "in a role stand no barriers of the task"),
    ];

    [Test]
    public void BoxesArriveSwizzledWithZerosOutside()
    {
        float[] x = [.. Enumerable.Range(0, (72 * 20) + 8).Select(i => (float)i)];

        Half[] y = BulkKernel.Run<Half>(BulkKernel.Of(HalfHead, Boxes), 2048, BulkKernel.Bytes(x.Select(v => (Half)v)));

        var expected = new float[1024];
        foreach ((int box, int column, int row) in new[] { (0, 16, 4), (1, -8, 16) })
        {
            for (int line = 0; line < 8; line++)
            {
                for (int e = 0; e < 64; e++)
                {
                    bool isInside = column + e is >= 0 and < 72 && row + line < 20;
                    int place = (box * 512) + (line * 64) + BulkKernel.Swizzled(line, e, 2);
                    expected[place] = isInside ? x[8 + ((row + line) * 72) + column + e] : 0;
                }
            }
        }
        Assert.That(y[..1024].Select(v => (float)v), Is.EqualTo(expected.Select(v => (float)(Half)v)));
        Assert.That(y[1024..], Is.EqualTo(y[..1024]), "the second task");
    }

    [Test]
    public void BoxesOfFiveDimensionsArriveLineAfterLine()
    {
        Kernel kernel = BulkKernel.Of(
            BulkKernel.Head("i8", "sizes [16, 3, 2, 5, 2] strides [16, 48, 96, 480] from 0 box [16, 2, 2, 2, 2]", tasks: 1, threads: 32),
            """
            shared s: i8[256] aligned 1024
            phases full: 1 of 1
            barrier
            phase_arrive[256](full, 0)
            bulk_copy(s, 0, m, [0, 2, 0, 1, 0], full, 0)
            phase_wait(full, 0, 0)
            for i from 0 to 8 step 1
            {
              store(y, add(multiply(i, 32), t), load[1](s, add(multiply(i, 32), t)))
            }
            """);
        sbyte[] x = [.. Enumerable.Range(0, 960).Select(i => (sbyte)(i % 127))];

        sbyte[] y = BulkKernel.Run<sbyte>(kernel, 256, BulkKernel.Bytes(x));

        int[] box = [16, 2, 2, 2, 2], size = [16, 3, 2, 5, 2], stride = [1, 16, 48, 96, 480], first = [0, 2, 0, 1, 0];
        for (int i = 0; i < 256; i++)
        {
            (int rest, int place, bool isInside) = (i, 0, true);
            for (int d = 0; d < 5; d++)
            {
                int at = first[d] + (rest % box[d]);
                rest /= box[d];
                isInside &= at < size[d];
                place += at * stride[d];
            }
            Assert.That(y[i], Is.EqualTo(isInside ? x[place] : 0), $"element {i}");
        }
    }

    [Test]
    public void NumbersAreRoundedToTensorFloat32OnTheirWay()
    {
        Kernel kernel = BulkKernel.Of(
            BulkKernel.Head("f32", "sizes [8] strides [] from 0 box [8] rounded", tasks: 1, threads: 32),
            """
            shared s: f32[32] aligned 1024
            phases full: 1 of 1
            barrier
            phase_arrive[32](full, 0)
            bulk_copy(s, 0, m, [0], full, 0)
            phase_wait(full, 0, 0)
            if less(t, 8)
            {
              store(y, t, load[1](s, t))
            }
            """);
        // Two ties, one of which rounds down and one up; more than a tie; what stays; and what becomes infinite.
        uint[] x = [0x3F801000, 0x3F803000, 0x3F801001, 0xBFC00000, 0x7F800000, 0x7FC00001, 0x7F7FFFFF, 0x80000000];

        uint[] y = BulkKernel.Run<uint>(kernel, 8, BulkKernel.Bytes(x));

        uint[] expected = [0x3F800000, 0x3F804000, 0x3F802000, 0xBFC00000, 0x7F800000, 0x7FC00001, 0x7F800000, 0x80000000];
        Assert.That(y, Is.EqualTo(expected));
    }

    [Test]
    public void RolesHandMemoryOn()
    {
        float[] x = [.. Enumerable.Range(0, 32 * 64).Select(i => (float)(i * 7 % 101))];

        float[] y = BulkKernel.Run<float>(BulkKernel.Of(RingHead, Ring), 128, BulkKernel.Bytes(x));

        for (int t = 0; t < 128; t++)
        {
            // Lane t reads the places t of all lines, where other elements lie in each.
            float sum = Enumerable.Range(0, 64).Sum(line => x[(line * 32) + BulkKernel.Swizzled(line, t % 32, 4)]);
            Assert.That(y[t], Is.EqualTo(sum), $"thread {t % 64} of task {t / 64}");
        }
    }

    [TestCaseSource(nameof(PlantedInBoxes))]
    public void MistakesWithBoxesAreFound(string body, string[] messages) => AssertRefused<Half>(HalfHead, body, messages, 4096);

    [TestCaseSource(nameof(PlantedInRing))]
    public void MistakesWithRolesAreFound(string body, string[] messages) => AssertRefused<float>(RingHead, body, messages, 8192);

    [Test]
    public void WhatThreadsWroteIsNotInOrderWithBoxes()
    {
        string body = "shared s: f16[1024] aligned 1024\nshared h: f16[1024] over s\nstore(h, t, f16 1)\nbarrier\n"
            + Boxes.Split('\n', 2)[1];
        AssertRefused<Half>(HalfHead, body, ["warp 0 copies a box to elements 0..511 of s, which threads wrote to in this task"], 4096);
    }

    private static void AssertRefused<T>(string head, string body, string[] messages, int bytes)
        where T : unmanaged
    {
        string said = BulkKernel.Refusal(() => BulkKernel.Run<T>(BulkKernel.Of(head, body), 2048, new byte[bytes]));

        Assert.Multiple(() => Array.ForEach(messages, m => Assert.That(said, Does.Contain(m))));
    }
}
