namespace Graphene.Codegen;

// How the tiles of a convolution are cut into blocks, and these into tasks.
internal sealed partial class WinogradConvolutionLowering
{
    /// <summary>Blocks of groups of tiles whose patches stay in a cache until they are multiplied.</summary>
    /// <remarks>
    /// Where the kernels are called for each block, its groups are as far apart as there are blocks: the first one of the first block is the
    /// first of the image, the second one begins a stripe of its own. So the share of a thread in all blocks is one part of the image,
    /// that which it computes of the layers before and after, too, and what it reads is in its own cache.
    /// </remarks>
    /// <param name="GroupsPerBlock">The groups of a block; the last one may have fewer.</param>
    /// <param name="GroupsPerTask">The groups of a task; the last one of a block may have fewer.</param>
    /// <param name="Calls">How often the two kernels are called.</param>
    /// <param name="HaveGaps">Whether some blocks called apart have fewer groups.</param>
    private sealed record TileBlocks(long GroupsPerBlock, long GroupsPerTask, long Calls, bool HaveGaps)
    {
        private const long FlopsPerTask = 1 << 20;
        private const long EnoughTasks = 16;
        private const long MostGroupsOfBlock = 256;
        private const long SecondCachesOfBlock = 4;

        /// <summary>Whether the kernels are called for each block, on the same workspace.</summary>
        public bool AreCalledApart => Calls > 1;

        /// <summary>The group at a place of the workspace.</summary>
        public KExpr GroupAt(KExpr place) =>
            AreCalledApart ? KBuilder.Add(KBuilder.Multiply(place, Calls), new KSymbol(Block)) : place;

        /// <summary>The tasks of a block for each panel.</summary>
        public long Parts => DimMath.CeilDiv(GroupsPerBlock, GroupsPerTask);

        /// <summary>
        /// Where all weights stay in the second cache, a block takes a quarter of it. Else they come from memory for each block: it takes what
        /// two panels leave of the cache, or, where these do not fit, what the third cache is likely to hold.
        /// </summary>
        public static TileBlocks Choose(WinogradConvolutionLowering of)
        {
            long cache = of._target.Caches.SecondLevelInBytes;
            long panel = of.WeightsInBytes / of.Panels;
            long room = of.WeightsStayNear ? cache / 4
                : of.PanelsStayNear ? Math.Max(cache / 4, (cache * 7 / 8) - (2 * panel))
                : cache * SecondCachesOfBlock;
            long most = Math.Clamp(room / (of.GroupSize * sizeof(float)), 1, MostGroupsOfBlock);
            long flops = 2L * of._transform.Positions * of._rows * of._inputs * of._width;
            long fewest = Math.Max(1, FlopsPerTask / Math.Max(1, flops));
            if (!of.Groups.IsStatic)
            {
                return new TileBlocks(most, Math.Min(most, fewest), 1, false);
            }
            long groups = Math.Max(1, of.Groups.Value);
            long blocks = DimMath.CeilDiv(groups, most);
            long perBlock = DimMath.CeilDiv(groups, blocks);
            long parts = Math.Clamp(DimMath.CeilDiv(EnoughTasks, of.Panels), 1, Math.Max(1, perBlock / fewest));
            long calls = DimMath.CeilDiv(groups, perBlock);
            return new TileBlocks(perBlock, DimMath.CeilDiv(perBlock, parts), calls, calls * perBlock > groups);
        }
    }
}
