using System.Numerics;

namespace Graphene.Codegen;

/// <summary>What statements of threads must fulfil, and what accesses must that state their alignment.</summary>
internal static class ThreadRules
{
    /// <summary>What is wrong with a statement, given whether a task is many threads; null for nothing.</summary>
    public static string? Problem(KStmt s, bool hasThreads)
    {
        bool isForThreads = s is KBarrier or KWarpBarrier or KExchange or KAsyncCopy or KAsyncCommit or KAsyncWait or KFragmentDot
            or KFragmentLoad or KPhaseInit or KPhaseArrive or KPhaseWait or KBulkCopy or KRoles or KWarpgroupDot or KWarpgroupFence
            or KWarpgroupCommit or KWarpgroupWait or KScratch { Buffer.Space: KBufferSpace.Shared };
        bool isForOne = s is KTiles or KTileZero or KTileLoad or KTileStore or KTileDot;
        return isForThreads && !hasThreads ? "a task of this kernel is one thread, and this is for tasks of many"
            : isForOne && hasThreads ? "a task of this kernel is many threads, and tiles are for tasks of one"
            : !hasThreads && s is KStore { Alignment: not 1, Buffer.IsScratch: false } store ? NotAligned(store.Buffer)
            : null;
    }

    /// <summary>What is wrong with an expression, given whether a task is many threads; null for nothing.</summary>
    public static string? Problem(KExpr e, bool hasThreads) =>
        !hasThreads && e is KLoad { Alignment: not 1, Buffer.IsScratch: false } load ? NotAligned(load.Buffer) : null;

    /// <summary>What is wrong with the threads of a kernel; null for nothing.</summary>
    public static string? Problem(KThreads threads) =>
        threads.Count is <= 0 or > KThreads.Most || threads.Count % KThreads.WarpSize != 0
            ? $"a task has {KThreads.WarpSize} to {KThreads.Most} threads, whole warps, not {threads.Count}"
            : threads.Thread.Type != KType.Index ? $"the thread is {threads.Thread.Type}, not i64"
            : threads.TasksPerMultiprocessor < 0 ? $"a multiprocessor has no fewer than 0 tasks, not {threads.TasksPerMultiprocessor}"
            : null;

    /// <summary>What is wrong with what threads do together; null for nothing, and for other statements.</summary>
    public static string? Problem(KStmt s) => s switch
    {
        KExchange exchange => Same(exchange.Value, exchange.Variable.Type, "the value")
            ?? Same(exchange.Operand, KType.Index, "the operand")
            ?? (exchange.Operand is KConstant { Value: var n } && (n.AsInteger < 0 || n.AsInteger >= KThreads.WarpSize)
                ? $"the operand is {n.AsInteger}; it must be from 0 to {KThreads.WarpSize - 1}"
                : null),
        KAsyncCopy copy => Problem(copy),
        KAsyncWait { Pending: < 0 } wait => $"{wait.Pending} groups cannot be on their way",
        KFragmentDot dot => Problem(dot.Shape)
            ?? (dot.Sum.Type == new KType(dot.Shape.Sum, dot.Shape.SumLanes) ? null
                : $"the sum is {dot.Sum.Type}, not {new KType(dot.Shape.Sum, dot.Shape.SumLanes)}")
            ?? Same(dot.Left, new KType(dot.Shape.Left, dot.Shape.LeftLanes), "the left operand")
            ?? Same(dot.Right, new KType(dot.Shape.Right, dot.Shape.RightLanes), "the right operand"),
        KFragmentLoad load => Problem(load),
        _ => null,
    };

    /// <summary>What is wrong with a shape of fragments; null for nothing.</summary>
    public static string? Problem(KFragmentShape shape) =>
        shape == KFragmentShape.TensorFloat32 || shape == KFragmentShape.Double
        || (shape.Left is DType.F16 or DType.BF16 && shape == KFragmentShape.Half(shape.Left))
        || (shape.Left is DType.I8 or DType.U8 && shape.Right is DType.I8 or DType.U8
            && shape == KFragmentShape.Bytes(shape.Left, shape.Right))
            ? null
            : $"there are no products of {shape.Rows}x{shape.Depth} {shape.Left.Name()} and {shape.Depth}x{shape.Columns} "
            + $"{shape.Right.Name()} in {shape.Sum.Name()}";

    /// <summary>What is wrong with an alignment; null for nothing.</summary>
    public static string? Alignment(KBuffer buffer, KExpr index, int alignment)
    {
        int most = buffer.Space == KBufferSpace.Shared ? SharedMemoryLayout.Alignment : 64;
        return alignment < 1 || !BitOperations.IsPow2(alignment) ? $"an alignment is a power of two, not {alignment}"
            : (long)alignment * buffer.Element.SizeInBytes() > most
                ? $"{buffer} begins at a multiple of {most} bytes, which does not align {alignment} elements of {buffer.Element.Name()}"
            : index is KConstant { Value: var at } && at.AsInteger % alignment != 0 ? $"{at.AsInteger} is no multiple of {alignment}"
            : null;
    }

    private static string? Problem(KAsyncCopy copy)
    {
        long bytes = (long)copy.Lanes * copy.To.Element.SizeInBytes();
        return copy.To.Space != KBufferSpace.Shared ? $"{copy.To} is not shared"
            : copy.From.Space != KBufferSpace.Argument || !copy.From.IsReadOnly ? $"{copy.From} is no argument that is only read"
            : copy.To.Element != copy.From.Element ? $"{copy.To} holds {copy.To.Element.Name()}, {copy.From} {copy.From.Element.Name()}"
            : bytes is not (4 or 8 or 16) ? $"a copy takes 4, 8 or 16 bytes, not {bytes}"
            : Same(copy.ToIndex, KType.Index, "the place") ?? Same(copy.FromIndex, KType.Index, "the index")
                ?? Same(copy.Condition, new KType(DType.Bool), "the condition")
                ?? Alignment(copy.To, copy.ToIndex, copy.Lanes) ?? Alignment(copy.From, copy.FromIndex, copy.Lanes);
    }

    private static string? Problem(KFragmentLoad load)
    {
        int bytes = load.Buffer.Element.SizeInBytes();
        var type = new KType(load.Buffer.Element, Math.Max(1, 4 / bytes) * load.Count);
        return load.Buffer.Space != KBufferSpace.Shared ? $"{load.Buffer} is not shared"
            : load.Count is not (1 or 2 or 4) ? $"1, 2 or 4 matrices are read at once, not {load.Count}"
            : bytes > 4 || load.Buffer.Element == DType.Bool ? $"there are no fragments of {load.Buffer.Element.Name()}"
            : load.IsTransposed && bytes != 2 ? $"elements of {bytes} bytes are not transposed"
            : Same(load.Index, KType.Index, "the index")
                ?? (load.Variable.Type == type ? null : $"what is read is {type}, not {load.Variable.Type}");
    }

    private static string NotAligned(KBuffer buffer) =>
        $"{buffer} may be a caller's memory, aligned to one element: a task of this kernel is one thread";

    private static string? Same(KExpr? e, KType type, string what) =>
        e is null || e.Type == type ? null : $"{what} is {e.Type}, not {type}";
}
