namespace Graphene.Codegen;

/// <summary>What the threads of a task do with two tiles in shared memory: they add products to sums in their registers.</summary>
internal abstract class ProductCore
{
    /// <summary>In how many steps a tile is worked through; what a step needs is read from shared memory during the step before.</summary>
    public abstract int Steps { get; }

    /// <summary>Whether the first step's operands are read during the last step of the tile before.</summary>
    public abstract bool ReadsAhead { get; }

    /// <summary>Reads what a step needs.</summary>
    /// <param name="left">Where the left operand's tile begins in the ring.</param>
    /// <param name="right">Where the right operand's tile begins.</param>
    /// <param name="step">The step.</param>
    public abstract KExpr[] Read(KExpr left, KExpr right, int step);

    /// <summary>Adds the products of a step.</summary>
    public abstract void Multiply(KExpr[] operands);

    /// <summary>Into how many parts the rows of each warp can be cut, for sums to leave one after the other; a power of two.</summary>
    public abstract int Parts { get; }

    /// <summary>Hands out the thread's sums of a part of each warp's rows.</summary>
    /// <param name="part">The part.</param>
    /// <param name="parts">Of how many.</param>
    /// <param name="take">Takes neighbouring sums of a row: the row within the warp's, the first column within the warp's, and the sums.</param>
    public abstract void Give(int part, int parts, Action<KExpr, KExpr, KExpr> take);
}
