namespace Graphene.Codegen;

/// <summary>What the threads of a task do with two tiles in shared memory: they add products to sums in their registers.</summary>
internal abstract class ProductCore : ProductSums
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
}
