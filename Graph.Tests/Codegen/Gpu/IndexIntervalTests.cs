using Graphene.Codegen;
using Graphene.Codegen.Ptx;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>An index is always in the range that is known of it, and what fits in 32 bits is computed there.</summary>
internal sealed class IndexIntervalTests
{
    private const int Threads = 32;
    private const int Tasks = 3;
    private const int Rounds = 4;

    private static readonly ScalarOp[] Ops =
    [
        ScalarOp.Add, ScalarOp.Subtract, ScalarOp.Multiply, ScalarOp.Divide, ScalarOp.Remainder, ScalarOp.Minimum, ScalarOp.Maximum,
        ScalarOp.And, ScalarOp.Or, ScalarOp.Xor, ScalarOp.ShiftLeft, ScalarOp.ShiftRightLogical, ScalarOp.ShiftRightArithmetic,
    ];

    [Test]
    public void EveryValueIsInItsRange([Range(1, 200)] int seed)
    {
        var random = new Random(seed);
        (Kernel kernel, List<KExpr> values) = Random(random);
        KernelVerifier.Verify(kernel);
        var results = new long[Tasks * Threads * Rounds * values.Count];
        var bytes = new byte[results.Length * sizeof(long)];
        new KernelInterpreter(kernel, [bytes]).Run();
        Buffer.BlockCopy(bytes, 0, results, 0, bytes.Length);
        var ranges = IndexIntervals.In(kernel);
        for (int v = 0; v < values.Count; v++)
        {
            IndexInterval range = ranges.Of(values[v]);
            long[] actual = [.. results.Where((_, i) => i % values.Count == v)];
            Assert.That(
                actual.Min() >= range.Low && actual.Max() <= range.High,
                () => $"value {v} is not in {range} in\n{KernelPrinter.Print(kernel)}");
        }
    }

    [TestCase("multiply(b, 1000)", "mul nuw nsw i32")]
    [TestCase("multiply(b, 1000000000000)", "mul i64")]
    [TestCase("divide(t, 7)", "udiv i32")]
    [TestCase("subtract(multiply(t, t), multiply(b, b))", "sub nsw i32")]
    [TestCase("add(t, 5)", "add nuw nsw i64")]
    public void WhatFitsIsComputedIn32Bits(string index, string instruction)
    {
        Kernel kernel = KernelIr.Threads.ThreadKernel.Of($"store(y, {index}, f32 0)", tasks: 10);
        Assert.That(new PtxKernelPrinter(PtxTarget.Parse("sm_80")).Print(kernel), Does.Contain(instruction));
    }

    // A loop whose values are stored, each in a place of its own.
    private static (Kernel Kernel, List<KExpr> Values) Random(Random random)
    {
        var task = new KVariable("task", KType.Index);
        var thread = new KVariable("thread", KType.Index);
        KBuffer result = KBuffer.ForArgument("y", DType.I64, 0, isReadOnly: false);
        var b = new KBuilder();
        var values = new List<KExpr>();
        long first = random.Next(-3, 4);
        b.For("i", first, first + Rounds, 1, i =>
        {
            var known = new List<KExpr> { task, thread, i };
            for (int n = 0; n < 12; n++)
            {
                ScalarOp op = Ops[random.Next(Ops.Length)];
                KExpr left = Pick(random, known);
                KExpr right = op is ScalarOp.ShiftLeft or ScalarOp.ShiftRightLogical or ScalarOp.ShiftRightArithmetic
                    ? (KExpr)random.Next(0, 70)
                    : Pick(random, known);
                KExpr value = random.Next(5) == 0
                    ? new KSelect(KBuilder.Less(left, right), left, right)
                    : new KCall(op, new KExpr[] { left, right }.ToValueList());
                known.Add(b.Let("v", value));
            }
            values.AddRange(known.Skip(3));
            KExpr number = KBuilder.Add(KBuilder.Multiply(task, Threads), thread);
            KExpr place = KBuilder.Add(KBuilder.Multiply(number, Rounds), KBuilder.Subtract(i, first));
            for (int v = 0; v < values.Count; v++)
            {
                b.Store(result, KBuilder.Add(KBuilder.Multiply(place, values.Count), v), values[v]);
            }
        });
        return (new Kernel("random", [result], task, Tasks, b.ToBlock(), default) { Threads = new KThreads(thread, Threads) }, values);
    }

    private static KExpr Pick(Random random, List<KExpr> known) => random.Next(4) switch
    {
        0 => (KExpr)random.Next(-20, 21),
        1 => (KExpr)(random.Next(2) == 0 ? random.NextInt64() : 1L << random.Next(63)),
        _ => known[random.Next(known.Count)],
    };
}
