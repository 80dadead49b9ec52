namespace Graphene.Codegen;

/// <summary>Makes a kernel for threads of one whose tasks are one thread each: the schedule of whatever has none of its own.</summary>
/// <remarks>
/// <code>
/// task 0..n                 task block, 128 threads
///   body          becomes     task = 128 block + thread
///                             if task &lt; n: body
/// </code>
/// </remarks>
internal static class ThreadPerTask
{
    private const int Threads = 128;

    /// <summary>The kernel for threads; one that is for threads already is returned as it is.</summary>
    public static LoweredKernel Of(LoweredKernel lowered) =>
        lowered.Kernel.Threads is null ? lowered with { Kernel = Of(lowered.Kernel) } : lowered;

    private static Kernel Of(Kernel kernel)
    {
        var block = new KVariable("block", KType.Index);
        var thread = new KVariable("thread", KType.Index);
        return kernel with
        {
            Task = block,
            TaskCount = KBuilder.CeilDiv(kernel.TaskCount, Threads),
            Threads = new KThreads(thread, Threads),
            Body = new KBlock(
            [
                new KLet(kernel.Task, KBuilder.Add(KBuilder.Multiply(block, Threads), thread)),
                new KIf(KBuilder.Less(kernel.Task, kernel.TaskCount), kernel.Body),
            ]),
        };
    }
}
