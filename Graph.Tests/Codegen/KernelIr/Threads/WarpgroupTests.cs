using NUnit.Framework;

namespace Graphene.Tests.Codegen.KernelIr.Threads;

/// <summary>
/// Products of warpgroups find operands by where they start and how far lines are apart, and are done when
/// somebody waited for them.
/// </summary>
internal sealed class WarpgroupTests
{
    private const string Head =
        """
        argument 0 a: bf16 readonly
        argument 1 b: bf16 readonly
        argument 2 c: f32
        map am of a: sizes [64, 64] strides [64] from 0 box [64, 64] swizzled
        map bm of b: sizes [64, 64] strides [64] from 0 box [64, 64] swizzled
        task t of 1
        threads x of 128
        """;

    // c[64, 24] = a[64, 64] * b: a is in order of k, b lies across it.
    private const string Product =
        """
        shared s: bf16[8192] aligned 1024
        phases full: 1 of 1
        register sum: f32x12 = f32x12 0
        barrier
        if less(x, 32)
        {
          phase_arrive[16384](full, 0)
          bulk_copy(s, 0, am, [0, 0], full, 0)
          bulk_copy(s, 4096, bm, [0, 0], full, 0)
        }
        phase_wait(full, 0, 0)
        warpgroup_fence
        warpgroup_dot[24, 16, bf16, bf16, f32](sum, along[0, 1024](s, 0), across[8192, 1024](s, 4096))
        warpgroup_dot[24, 16, bf16, bf16, f32](sum, along[0, 1024](s, 16), across[8192, 1024](s, 5120))
        warpgroup_dot[24, 16, bf16, bf16, f32](sum, along[0, 1024](s, 32), across[8192, 1024](s, 6144))
        warpgroup_dot[24, 16, bf16, bf16, f32](sum, along[0, 1024](s, 48), across[8192, 1024](s, 7168))
        warpgroup_commit
        warpgroup_wait 0 [sum]
        let row: i64 = add(multiply(divide(x, 32), 16), divide(remainder(x, 32), 4))
        let column: i64 = multiply(remainder(x, 4), 2)
        for j from 0 to 1 step 1
        {
          store(c, add(multiply(row, 24), column), shuffle[0,1](sum))
          store(c, add(multiply(add(row, 8), 24), column), shuffle[2,3](sum))
          store(c, add(multiply(row, 24), add(column, 8)), shuffle[4,5](sum))
          store(c, add(multiply(add(row, 8), 24), add(column, 8)), shuffle[6,7](sum))
          store(c, add(multiply(row, 24), add(column, 16)), shuffle[8,9](sum))
          store(c, add(multiply(add(row, 8), 24), add(column, 16)), shuffle[10,11](sum))
        }
        """;

    private static IEnumerable<TestCaseData> Planted =>
    [
        BulkKernel.Plant("no fence", Product, "warpgroup_fence", "", "multiplies without a fence"),
        BulkKernel.Plant("no wait", Product, "warpgroup_wait 0 [sum]", "", "reads sums that a product adds to"),
        BulkKernel.Plant("no commit", Product, "warpgroup_commit", "", "none was committed"),
        BulkKernel.Plant("waits for too little", Product, "warpgroup_wait 0", "warpgroup_wait 1", "1 groups may go on"),
        BulkKernel.Plant("does not take sums back", Product, "[sum]", "[]", "no wait has handed them back"),
        BulkKernel.Plant(
            "sets sums meanwhile", Product, "warpgroup_commit", "warpgroup_commit\nsum := f32x12 1",
            "sets sums that a product adds to"),
        BulkKernel.Plant("no fence behind an access", Product, "warpgroup_commit",
            "warpgroup_commit\nwarpgroup_wait 0 [sum]\nsum := f32x12 1\n"
            + "warpgroup_dot[24, 16, bf16, bf16, f32](sum, along[0, 1024](s, 0), across[8192, 1024](s, 4096))\nwarpgroup_commit",
            "multiplies without a fence"),
        BulkKernel.Plant("does not wait for operands", Product, "phase_wait(full, 0, 0)", "", "multiplies", "what it has not waited for"),
        BulkKernel.Plant(
            "one warp does not wait for operands", Product, "phase_wait(full, 0, 0)",
            "if less(x, 96)\n{\nphase_wait(full, 0, 0)\n}",
            "a race: thread 96 multiplies", "a bulk copy writes them"),
        BulkKernel.Plant(
            "three warps", Product, "warpgroup_commit", "if less(x, 96)\n{\nwarpgroup_commit\n}",
            "all threads of a warpgroup must come"),
        BulkKernel.Plant(
            "operands of threads", Product, "(s, 48)", "(s, add(48, multiply(8, remainder(x, 2))))",
            "do not agree on an operand"),
        BulkKernel.Plant("an uneven operand", Product, "(s, 48)", "(s, add(44, divide(x, 1024)))", "no multiple of 16 bytes"),
        BulkKernel.Plant("behind the end", Product, "(s, 7168)", "(s, 8128)", "behind the beginning of s, which has 16384"),
        BulkKernel.Plant("over what is multiplied", Product, "warpgroup_commit",
            "warpgroup_commit\nif less(x, 32)\n{\nphase_arrive[8192](full, 0)\nbulk_copy(s, 0, am, [0, 0], full, 0)\n}",
            "a race: thread 0 writes elements 0..4095 of s, which a product of warpgroup 0 reads"),
        BulkKernel.Plant("over what another warp has not waited for", Product, "warpgroup_wait 0 [sum]",
            "warpgroup_wait 0 [sum]\nif less(x, 32)\n{\nphase_arrive[8192](full, 0)\nbulk_copy(s, 0, am, [0, 0], full, 0)\n}",
            "which a product of warpgroup 0 reads"),
        BulkKernel.Plant(
            "no such columns", Product, "[24, 16, bf16, bf16, f32](sum, along[0, 1024](s, 0)",
            "[20, 16, bf16, bf16, f32](sum, along[0, 1024](s, 0)",
            "warpgroups compute no products of 64x16 bf16 and 16x20 bf16 in f32"),
    ];

    [Test]
    public void SumsAreWhatTheyShouldBe()
    {
        (float[] a, float[] b) = (Numbers(1), Numbers(2));

        float[] c = Run(Product, a, b);

        Assert.That(c, Is.EqualTo(Expected(a, b)));
    }

    [TestCase("across[8192, 1024](s, 4096)", "across[8192, 2048](s, 4096)")]
    [TestCase("along[0, 1024](s, 32)", "along[0, 512](s, 32)")]
    [TestCase("along[0, 1024](s, 32)", "along[0, 1024](s, 16)")]
    public void OtherDistancesGiveOtherSums(string part, string replacement)
    {
        (float[] a, float[] b) = (Numbers(1), Numbers(2));
        Assert.That(Product, Does.Contain(part));

        Assert.That(Run(Product.Replace(part, replacement, StringComparison.Ordinal), a, b), Is.Not.EqualTo(Expected(a, b)));
    }

    [TestCaseSource(nameof(Planted))]
    public void MistakesAreFound(string body, string[] messages)
    {
        string said = BulkKernel.Refusal(() => Run(body, Numbers(1), Numbers(2)));

        Assert.Multiple(() => Array.ForEach(messages, m => Assert.That(said, Does.Contain(m))));
    }

    [Test]
    public void ReuseBehindABarrierIsInOrder()
    {
        string body = Product.Replace(
            "warpgroup_wait 0 [sum]",
            "warpgroup_wait 0 [sum]\nbarrier\nif less(x, 32)\n{\nphase_arrive[8192](full, 0)\nbulk_copy(s, 0, am, [0, 0], full, 0)\n}",
            StringComparison.Ordinal);

        Assert.DoesNotThrow(() => Run(body, Numbers(1), Numbers(2)));
    }

    [Test]
    public void OperandsThatWereNotRoundedToTensorFloat32AreFound()
    {
        const string map = "sizes [32, 64] strides [32] from 0 box [32, 64] swizzled";
        const string body =
            """
            shared s: f32[2048] aligned 1024
            phases full: 1 of 1
            register sum: f32x4 = f32x4 0
            barrier
            if less(t, 32)
            {
              phase_arrive[8192](full, 0)
              bulk_copy(s, 0, m, [0, 0], full, 0)
            }
            phase_wait(full, 0, 0)
            warpgroup_fence
            warpgroup_dot[8, 8, f32, f32, f32](sum, along[0, 1024](s, 0), along[0, 1024](s, 0))
            warpgroup_commit
            warpgroup_wait 0 [sum]
            store(y, multiply(t, 4), sum)
            """;
        byte[] a = BulkKernel.Bytes(Enumerable.Repeat(1.0001f, 2048));

        string said = BulkKernel.Refusal(() => Run(map));
        float[] rounded = Run(map + " rounded");

        Assert.That(said, Does.Contain("which was not rounded to TF32"));
        Assert.That(rounded, Is.All.EqualTo(8f));

        float[] Run(string form) =>
            BulkKernel.Run<float>(BulkKernel.Of(BulkKernel.Head("f32", form, tasks: 1, threads: 128), body), 512, a);
    }

    private static float[] Run(string body, float[] a, float[] b) => BulkKernel.Run<float>(
        BulkKernel.Of(Head, body), 64 * 24, BulkKernel.Bytes(a.Select(v => (BFloat16)v)), BulkKernel.Bytes(b.Select(v => (BFloat16)v)));

    // Small whole numbers: sums are exact in any order.
    private static float[] Numbers(int seed) =>
        [.. Enumerable.Range(0, 64 * 64).Select(i => (float)(((i * 37) + (seed * 11) + (i / 64)) % 17 - 8))];

    private static float[] Expected(float[] a, float[] b) =>
    [
        .. from row in Enumerable.Range(0, 64)
           from column in Enumerable.Range(0, 24)
           select Enumerable.Range(0, 64).Sum(k => a[(row * 64) + k] * b[(k * 64) + column]),
    ];
}
