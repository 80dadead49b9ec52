namespace Graphene.Codegen;

/// <summary>Kernels that copy a tensor, or fill one with a scalar, on a GPU.</summary>
/// <remarks>
/// <code>
/// task = 1024 chunks of 16 bytes, thread = chunks thread, thread + 256, ..          a warp reads 512 consecutive bytes at once
/// </code>
/// Reads and writes each byte once; nothing else takes time.
/// </remarks>
internal static class GpuFillLowering
{
    private const int Threads = 256;
    private const int ChunksPerThread = 4;

    /// <summary>Copies all elements; both have one type.</summary>
    public static LoweredKernel Copy(string name, KernelOperand from, KernelOperand to, TensorType type) =>
        Emit(name, from, to, type, (b, buffer, at, lanes) => b.Let("value", new KLoad(buffer, at, lanes, Alignment: lanes)));

    /// <summary>Puts a scalar into every element.</summary>
    public static LoweredKernel Fill(string name, KernelOperand scalar, KernelOperand to, TensorType type) =>
        Emit(name, scalar, to, type, (b, buffer, _, lanes) => KBuilder.Broadcast(b.Let("value", new KLoad(buffer, 0)), lanes));

    private static LoweredKernel Emit(
        string name, KernelOperand from, KernelOperand to, TensorType type, Func<KBuilder, KBuffer, KExpr, int, KExpr> value)
    {
        var arguments = new KernelArguments();
        KBuffer source = arguments.Input("from", type.DType, from);
        KBuffer result = arguments.Output("to", type.DType, to);
        var b = new KBuilder();
        var task = new KVariable("task", KType.Index);
        var thread = new KVariable("thread", KType.Index);
        int lanes = 16 / type.DType.SizeInBytes();
        int perTask = Threads * ChunksPerThread * lanes;
        KExpr count = KBuilder.Value(type.Shape.ElementCount);
        KExpr first = b.Let("first", KBuilder.Add(KBuilder.Multiply(task, perTask), KBuilder.Multiply(thread, lanes)));
        KExpr[] at = [.. Enumerable.Range(0, ChunksPerThread).Select(i => b.Let("at", KBuilder.Add(first, i * Threads * lanes)))];
        b.If(
            KBuilder.Call(ScalarOp.LessOrEqual, KBuilder.Add(at[^1], lanes), count),
            () =>
            {
                KExpr[] values = [.. at.Select(i => value(b, source, i, lanes))];
                for (int i = 0; i < at.Length; i++)
                {
                    b.Add(new KStore(result, at[i], values[i], Alignment: lanes));
                }
            },
            () =>
            {
                foreach (KExpr i in at)
                {
                    KExpr end = b.Let("end", KBuilder.Minimum(KBuilder.Add(i, lanes), count));
                    b.For("single", i, end, 1, single => b.Store(result, single, value(b, source, single, 1)));
                }
            });
        var kernel = new Kernel(
            name, arguments.Buffers, task, KBuilder.CeilDiv(count, perTask), b.ToBlock(), new KernelCost(0, type.SizeInBytes * 2))
        {
            Threads = new KThreads(thread, Threads),
        };
        return new LoweredKernel(kernel, arguments.Operands);
    }
}
