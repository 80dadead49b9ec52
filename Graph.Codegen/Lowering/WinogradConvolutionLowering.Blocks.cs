namespace Graphene.Codegen;

// How the tiles of a convolution are cut into blocks, and these into tasks.
internal sealed partial class WinogradConvolutionLowering
{
    /// <summary>Blocks of groups of tiles whose patches stay in the second cache until they are multiplied.</summary>
    /// <param name="GroupsPerBlock">The groups of a block; the last one may have fewer.</param>
    /// <param name="GroupsPerTask">The groups of a task; the last one of a block may have fewer.</param>
    /// <param name="Calls">How often the two kernels are called.</param>
    private sealed record TileBlocks(long GroupsPerBlock, long GroupsPerTask, long Calls)
    {
        private const long FlopsPerTask = 1 << 20;
        private const long EnoughTasks = 16;
        private const long MostGroupsOfBlock = 256;

        /// <summary>Whether the kernels are called for each block, on the same workspace.</summary>
        public bool AreCalledApart => Calls > 1;

        /// <summary>The tasks of a block for each panel.</summary>
        public long Parts => DimMath.CeilDiv(GroupsPerBlock, GroupsPerTask);

        /// <summary>
        /// Where all weights stay in the second cache, a block takes a quarter of it; else the weights come from memory
        /// for each block, so a block takes what two panels leave.
        /// </summary>
        public static TileBlocks Choose(WinogradConvolutionLowering of)
        {
            long cache = of._target.Caches.SecondLevelInBytes;
            long panel = of.WeightsInBytes / of.Panels;
            long room = of.WeightsInBytes <= cache / 2 ? cache / 4 : Math.Max(cache / 4, (cache * 7 / 8) - (2 * panel));
            long most = Math.Clamp(room / (of.GroupSize * sizeof(float)), 1, MostGroupsOfBlock);
            long flops = 2L * of._transform.Positions * of._rows * of._inputs * of._width;
            long fewest = Math.Max(1, FlopsPerTask / Math.Max(1, flops));
            if (!of.Groups.IsStatic)
            {
                return new TileBlocks(most, Math.Min(most, fewest), 1);
            }
            long groups = Math.Max(1, of.Groups.Value);
            long blocks = DimMath.CeilDiv(groups, most);
            long perBlock = DimMath.CeilDiv(groups, blocks);
            long parts = Math.Clamp(DimMath.CeilDiv(EnoughTasks, of.Panels), 1, Math.Max(1, perBlock / fewest));
            return new TileBlocks(perBlock, DimMath.CeilDiv(perBlock, parts), DimMath.CeilDiv(groups, perBlock));
        }
    }
}
