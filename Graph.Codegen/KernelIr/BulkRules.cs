using Graphene.Runtime;

namespace Graphene.Codegen;

/// <summary>What maps, copies of boxes, barriers of phases, roles and products of warpgroups must fulfil.</summary>
internal static class BulkRules
{
    private const int MostBarriers = 64;

    /// <summary>What is wrong with a map; null for nothing.</summary>
    public static string? Problem(KTensorMap map)
    {
        DType element = map.Source.Element;
        if (map.Source.Space != KBufferSpace.Argument || !map.Source.IsReadOnly)
        {
            return $"{map.Source} is no argument that is only read";
        }
        return GpuTensorMap.ProblemOf(
                element, map.Sizes.Count, map.Strides.Count, map.Box, map.IsSwizzled, map.RoundsToTensorFloat32)
            ?? (KTraversal.Operands(map).Any(e => e.Type != KType.Index) ? "sizes, strides and the offset are i64"
            : KTraversal.Operands(map).Any(ReadsMore) ? "sizes, strides and the offset are over symbols and constants"
            : map.Strides.Append(map.Offset).Any(IsUneven) ? $"strides and the offset are multiples of {GpuTensorMap.Granule} bytes"
            : null);

        bool IsUneven(KExpr e) =>
            e is KConstant { Value: var at } && at.AsInteger * element.SizeInBytes() % GpuTensorMap.Granule != 0;
    }

    /// <summary>What is wrong with a statement, given the threads of a task (0 for one without others); null for nothing.</summary>
    public static string? Problem(KStmt s, int threads) => s switch
    {
        KPhaseInit { Barriers: var b } =>
            b.Count is < 1 or > MostBarriers ? $"there are 1 to {MostBarriers} barriers, not {b.Count}"
            : b.Arrivals < 1 || b.Arrivals > threads / KThreads.WarpSize
                ? $"{b.Arrivals} of {threads / KThreads.WarpSize} warps cannot arrive"
            : null,
        KPhaseArrive arrive => Barrier(arrive.Barriers, arrive.Index)
            ?? (arrive.Bytes is < 0 or > KPhaseBarriers.MostBytes ? $"a phase waits for at most {KPhaseBarriers.MostBytes} bytes" : null),
        KPhaseWait wait => Barrier(wait.Barriers, wait.Index) ?? Index(wait.Parity, "the parity")
            ?? (wait.Parity is KConstant { Value: var p } && p.AsInteger != 0 && p.AsInteger != 1
                ? $"a parity is 0 or 1, not {p.AsInteger}" : null),
        KBulkCopy copy => Problem(copy),
        KRoles roles => Problem(roles, threads),
        KWarpgroupDot dot => threads < KWarpgroupShape.Threads
            ? $"a task of {threads} threads has no warpgroup"
            : dot.Shape.Problem
                ?? (dot.Sum.Type == new KType(dot.Shape.Sum, dot.Shape.SumLanes) ? null
                    : $"the sum is {dot.Sum.Type}, not {new KType(dot.Shape.Sum, dot.Shape.SumLanes)}")
                ?? Problem(dot.Left, dot.Shape.Left, "left") ?? Problem(dot.Right, dot.Shape.Right, "right"),
        KWarpgroupWait { Pending: < 0 or > 7 } wait => $"0 to 7 groups may go on, not {wait.Pending}",
        KStore { Buffer.Alignment: KSharedMatrix.Alignment } or KAsyncCopy { To.Alignment: KSharedMatrix.Alignment }
            or KScatter { Buffer.Alignment: KSharedMatrix.Alignment } =>
            "memory for boxes is written by bulk copies alone: what threads write is not in order with them",
        _ => null,
    };

    private static string? Problem(KBulkCopy copy)
    {
        int bytes = copy.To.Element.SizeInBytes();
        return copy.To.Space != KBufferSpace.Shared ? $"{copy.To} is not shared"
            : copy.To.Alignment != KSharedMatrix.Alignment ? $"{copy.To} is not aligned to {KSharedMatrix.Alignment} bytes"
            : copy.To.Element != copy.From.Source.Element
                ? $"{copy.To} holds {copy.To.Element.Name()}, {copy.From.Source} {copy.From.Source.Element.Name()}"
            : copy.At.Count != copy.From.Sizes.Count ? $"{copy.From} has {copy.From.Sizes.Count} dimensions, not {copy.At.Count}"
            : Index(copy.ToIndex, "the place") ?? copy.At.Select(a => Index(a, "a coordinate")).FirstOrDefault(p => p is not null)
                ?? Barrier(copy.Barriers, copy.Barrier)
                ?? (copy.ToIndex is KConstant { Value: var at } && at.AsInteger * bytes % KSharedMatrix.LineBytes != 0
                    ? $"a box begins at a multiple of {KSharedMatrix.LineBytes} bytes" : null);
    }

    private static string? Problem(KRoles roles, int threads)
    {
        int warp = 0;
        foreach (KRole role in roles.Roles)
        {
            if (role.FirstWarp < warp || role.EndWarp <= role.FirstWarp || role.EndWarp * KThreads.WarpSize > threads)
            {
                return $"roles are for ascending warps of {threads / KThreads.WarpSize}, not {role.FirstWarp} to {role.EndWarp}";
            }
            warp = role.EndWarp;
        }
        return roles.Roles.Any(r => Together(r.Body)) ? "in a role stand no barriers of the task, and no roles" : null;
    }

    private static bool Together(KBlock block) => block.Statements.Any(
        s => s is KBarrier or KRoles or KPhaseInit || KTraversal.Blocks(s).Any(Together));

    private static string? Problem(KSharedMatrix matrix, DType type, string which)
    {
        int bytes = type.SizeInBytes();
        return matrix.Buffer.Space != KBufferSpace.Shared || matrix.Buffer.Alignment != KSharedMatrix.Alignment
                ? $"the {which} operand does not lie in shared memory that is aligned to {KSharedMatrix.Alignment} bytes"
            : matrix.Buffer.Element != type ? $"{matrix.Buffer} holds {matrix.Buffer.Element.Name()}, not {type.Name()}"
            : !matrix.IsAlongDepth && bytes != 2 ? $"lines of {type.Name()} are in order of k"
            : !IsDistance(matrix.LeadingBytes) || !IsDistance(matrix.StrideBytes)
                ? $"distances of lines are multiples of {GpuTensorMap.Granule} bytes below 256 KiB"
            : Index(matrix.Index, "the place")
                ?? (matrix.Index is KConstant { Value: var at } && at.AsInteger * bytes % GpuTensorMap.Granule != 0
                    ? $"an operand starts at a multiple of {GpuTensorMap.Granule} bytes" : null);
    }

    // What a descriptor can hold: 14 bits of 16 bytes.
    private static bool IsDistance(int bytes) => bytes is >= 0 and < 1 << 18 && bytes % GpuTensorMap.Granule == 0;

    private static string? Barrier(KPhaseBarriers barriers, KExpr index) => Index(index, "the barrier")
        ?? (index is KConstant { Value: var at } && (at.AsInteger < 0 || at.AsInteger >= barriers.Count)
            ? $"there is no barrier {at.AsInteger} among {barriers.Count}" : null);

    private static bool ReadsMore(KExpr e) => e is not (KConstant or KSymbol or KCall) || KTraversal.Operands(e).Any(ReadsMore);

    private static string? Index(KExpr e, string what) => e.Type == KType.Index ? null : $"{what} is {e.Type}, not i64";
}
