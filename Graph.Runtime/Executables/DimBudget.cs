namespace Graphene.Runtime;

/// <summary>What the dimensions of a file that is not trusted may cost to compute; honest ones use a small fraction of it.</summary>
internal sealed class DimBudget
{
    private const int MaxText = 1024;
    private long _left = 64L << 20;

    /// <summary>Pays for an operation, which costs about the product of its operands' lengths.</summary>
    /// <returns>Whether there was enough left.</returns>
    /// <exception cref="OverflowException">An operand has numbers that leave 64 bits.</exception>
    public bool Spend(Dim left, Dim right)
    {
        int leftLength = left.IsStatic ? 1 : left.TextLength;
        int rightLength = right.IsStatic ? 1 : right.TextLength;
        _left -= (long)leftLength * rightLength;
        return leftLength <= MaxText && rightLength <= MaxText && _left >= 0;
    }
}
