namespace Graphene.Codegen;

/// <summary>How products of narrow elements are computed: which types the instruction is given, and how the operands become that.</summary>
/// <remarks>
/// An instruction for u8 by i8 serves every combination: moving the left operand by 128 changes its sign type, and what that adds to a
/// sum is 128 times the sum of the right operand's column, which is known when the constant is packed. So does one for equal signs.
/// Integer products are exact in any form. For bf16 there is one form per machine, whatever the number of rows, because bits depend on it.
/// </remarks>
/// <param name="Left">The element type of the left operand as the instruction sees it.</param>
/// <param name="Right">That of the right operand.</param>
/// <param name="MovesLeft">Whether the left operand is moved by 128.</param>
internal sealed record NarrowForm(DType Left, DType Right, bool MovesLeft = false)
{
    /// <summary>Whether matrices are multiplied tile by tile, or else vectors by repeated groups.</summary>
    public bool UsesTiles { get; init; }

    /// <summary>Neighbours along k that one lane takes at once.</summary>
    public int Group => KDot.Group(Left);

    /// <summary>
    /// What the sum of a right operand's column is multiplied by to make up for a moved left operand; 0 when
    /// it is not moved.
    /// </summary>
    public int Correction => !MovesLeft ? 0 : Left == DType.U8 ? -128 : 128;

    /// <summary>The form for operands of given types, or null when a multiply-add of wider elements is as good.</summary>
    public static NarrowForm? Choose(DType left, DType right, DType sum, DotInstructions instructions)
    {
        if (left == DType.BF16 && right == DType.BF16 && sum == DType.F32)
        {
            return instructions.HasFlag(DotInstructions.TilesOfBrain) ? new NarrowForm(left, right) { UsesTiles = true }
                : instructions.HasFlag(DotInstructions.Brain) ? new NarrowForm(left, right)
                : null;
        }
        if (KDot.Group(left) != 4 || KDot.Group(right) != 4 || sum != DType.I32)
        {
            return null;
        }
        DotInstructions direct = left == right ? DotInstructions.BytesOfSameSign : DotInstructions.BytesOfDifferentSign;
        DotInstructions moved = left == right ? DotInstructions.BytesOfDifferentSign : DotInstructions.BytesOfSameSign;
        return instructions.HasFlag(DotInstructions.TilesOfBytes) ? new NarrowForm(left, right) { UsesTiles = true }
            : instructions.HasFlag(direct) ? new NarrowForm(left, right)
            : instructions.HasFlag(moved) ? new NarrowForm(left == DType.I8 ? DType.U8 : DType.I8, right, MovesLeft: true)
            : instructions.HasFlag(DotInstructions.Words) ? new NarrowForm(DType.I16, DType.I16)
            : null;
    }
}
