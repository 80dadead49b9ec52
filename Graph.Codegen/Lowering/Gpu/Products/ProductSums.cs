namespace Graphene.Codegen;

/// <summary>The finished sums of a tile in the registers of the threads that computed them.</summary>
internal abstract class ProductSums
{
    /// <summary>How many threads of the task, behind those of the tile, have no sums.</summary>
    public virtual int OtherThreads => 0;

    /// <summary>Into how many parts the rows of each warp can be cut, for sums to leave one after the other; a power of two.</summary>
    public abstract int Parts { get; }

    /// <summary>Hands out the thread's sums of a part of each warp's rows.</summary>
    /// <param name="part">The part.</param>
    /// <param name="parts">Of how many.</param>
    /// <param name="take">
    /// Takes neighbouring sums of a row: the row within the warp's, the first column within the warp's, and the sums.
    /// </param>
    public abstract void Give(int part, int parts, Action<KExpr, KExpr, KExpr> take);
}
