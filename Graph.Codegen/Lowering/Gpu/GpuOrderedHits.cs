namespace Graphene.Codegen;

/// <summary>
/// A list in shared memory of those of many candidates that the threads of a block found to hit, in the
/// order of the candidates.
/// </summary>
/// <remarks>
/// <code>
/// thread t looks at candidates n t .. n t + n - 1, and counts its hits
/// prefix sums: inside of warps by exchange, over warps through shared memory
/// list[hits before + 0, 1, ..] = its hits                       32 bits each: candidate and value
/// </code>
/// </remarks>
/// <param name="b">The kernel.</param>
/// <param name="thread">The thread.</param>
/// <param name="threads">How many threads there are.</param>
/// <param name="perThread">How many candidates each looks at.</param>
internal sealed class GpuOrderedHits(KBuilder b, KVariable thread, int threads, int perThread)
{
    private readonly KBuffer _list = Share(b, "hits", (long)threads * perThread);
    private readonly KBuffer _counts = Share(b, "counts", threads / KThreads.WarpSize);

    private int Candidates => threads * perThread;

    /// <summary>Makes the list; all threads must come. It is there until the next one is made.</summary>
    /// <param name="find">Is given a candidate; gives a value from 0 to 2^20 when it hits, and a negative one when it does not.</param>
    /// <returns>How many hits there are, the same for all threads.</returns>
    public KExpr Collect(Func<KExpr, KExpr> find)
    {
        KExpr first = b.Let("candidate", KBuilder.Multiply(thread, perThread));
        KExpr[] values = [.. Enumerable.Range(0, perThread).Select(i => b.Let("value", find(KBuilder.Add(first, i))))];
        KExpr[] flags = [.. values.Select(v => b.Let("hits", new KConvert(KBuilder.Call(ScalarOp.LessOrEqual, 0, v), DType.I32)))];
        KExpr own = b.Let("own", flags.Aggregate(KBuilder.Add));
        KExpr lane = b.Let("lane", KBuilder.Remainder(thread, KThreads.WarpSize));
        KExpr sum = own;
        for (int distance = 1; distance < KThreads.WarpSize; distance *= 2)
        {
            var before = new KVariable("before", sum.Type);
            b.Add(new KExchange(before, sum, KExchangeKind.Up, distance));
            sum = b.Let("sum", new KSelect(KBuilder.Call(ScalarOp.LessOrEqual, distance, lane), KBuilder.Add(sum, before), sum));
        }
        KExpr warp = b.Let("warp", KBuilder.Divide(thread, KThreads.WarpSize));
        b.If(KBuilder.Call(ScalarOp.Equal, lane, KThreads.WarpSize - 1), () => b.Store(_counts, warp, sum));
        b.Add(new KBarrier());
        KExpr place = b.Let("place", KBuilder.Subtract(sum, own));
        KExpr all = Number(0);
        for (int w = 0; w < threads / KThreads.WarpSize; w++)
        {
            KExpr count = b.Let("count", new KLoad(_counts, w));
            place = b.Let("place", new KSelect(KBuilder.Less(w, warp), KBuilder.Add(place, count), place));
            all = b.Let("all", KBuilder.Add(all, count));
        }
        for (int i = 0; i < perThread; i++)
        {
            int number = i;
            KExpr at = place;
            b.If(KBuilder.Call(ScalarOp.LessOrEqual, 0, values[i]), () => b.Store(_list, new KConvert(at, DType.I64), new KConvert(
                KBuilder.Add(KBuilder.Multiply(values[number], Candidates), KBuilder.Add(first, number)), DType.I32)));
            place = b.Let("place", KBuilder.Add(place, flags[i]));
        }
        b.Add(new KBarrier());
        return b.Let("found", new KConvert(all, DType.I64));
    }

    /// <summary>A hit: the candidate, and its value.</summary>
    public (KExpr Candidate, KExpr Value) Read(KExpr number)
    {
        KExpr hit = b.Let("hit", new KConvert(new KLoad(_list, number), DType.I64));
        return (b.Let("candidate", KBuilder.Remainder(hit, Candidates)), b.Let("value", KBuilder.Divide(hit, Candidates)));
    }

    private static KBuffer Share(KBuilder b, string name, long length)
    {
        KBuffer buffer = KBuffer.Shared(name, DType.I32, length);
        b.Add(new KScratch(buffer));
        return buffer;
    }

    private static KConstant Number(long value) => new(Scalar.FromInteger(DType.I32, value), 1);
}
