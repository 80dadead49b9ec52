namespace Graphene.Codegen;

/// <summary>Warps begin to copy boxes.</summary>
internal sealed class BulkCopyStep(
    int to, SimtSlot toIndex, int map, SimtSlot[] at, KPhaseBarriers barriers, SimtSlot barrier) : SimtStep
{
    public override void Run(SimtBlock block)
    {
        block.RequireWarps();
        SimtMemory memory = block.Memory(to);
        BoundTensorMap tensor = block.Map(map);
        int size = memory.Buffer.Element.SizeInBytes();
        int count = tensor.Map.BoxElements;
        foreach (int warp in block.ActiveWarps())
        {
            long index = block.OfWarp(toIndex, warp, "a place");
            long multiple = tensor.Map.IsSwizzled ? KSharedMatrix.Alignment : KSharedMatrix.LineBytes;
            if (index * size % multiple != 0)
            {
                throw block.Bug(
                    $"warp {warp} copies a box to element {index} of {memory.Buffer}, which is no multiple of {multiple} bytes");
            }
            long[] place = [.. at.Select(a => block.OfWarp(a, warp, "a coordinate"))];
            memory.RequireUntouched(block, index, count, $"warp {warp} copies a box to");
            memory.Write(block, index, count, warp * KThreads.WarpSize);
            memory.Depart(index, count);
            block.Phases.Add(barriers, block.OfWarp(barrier, warp, "a barrier"), new BulkTransfer(tensor, place, memory, index));
        }
    }
}

/// <summary>A box that is on its way.</summary>
/// <param name="tensor">Where it comes from.</param>
/// <param name="at">Its first element there.</param>
/// <param name="to">Where it goes.</param>
/// <param name="index">Where it begins there.</param>
internal sealed class BulkTransfer(BoundTensorMap tensor, long[] at, SimtMemory to, long index)
{
    /// <summary>What its phase counts: all of the box, also what lies outside of the tensor.</summary>
    public int Bytes => tensor.Map.BoxBytes;

    /// <summary>It arrives.</summary>
    public void Arrive(SimtBlock block)
    {
        tensor.Copy(at, block.SharedBytes, to.SharedOffset + (index * to.Buffer.Element.SizeInBytes()));
        to.ArriveInBulk(block, index, tensor.Map.BoxElements);
    }
}
