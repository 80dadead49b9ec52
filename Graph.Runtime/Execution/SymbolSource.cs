namespace Graphene.Runtime;

/// <summary>Where a symbol's value is read: a dimension of an input that is <c>Factor * symbol + Offset</c>.</summary>
/// <param name="Input">The input's number.</param>
/// <param name="Axis">The dimension.</param>
/// <param name="Factor">Not zero.</param>
/// <param name="Offset">Any number.</param>
internal readonly record struct SymbolSource(int Input, int Axis, long Factor, long Offset)
{
    /// <summary>Finds a source for a symbol among the inputs, a plain <c>symbol</c> if there is one; null if there is
    /// none.</summary>
    public static SymbolSource? Find(DimSymbol symbol, InputSpec[] inputs)
    {
        for (int input = 0; input < inputs.Length; input++)
        {
            Shape shape = inputs[input].Type.Shape;
            for (int axis = 0; axis < shape.Rank; axis++)
            {
                if (shape[axis].AsSymbol == symbol)
                {
                    return new SymbolSource(input, axis, 1, 0);
                }
            }
        }
        return FindSolved(symbol, inputs);
    }

    private static SymbolSource? FindSolved(DimSymbol symbol, InputSpec[] inputs)
    {
        for (int input = 0; input < inputs.Length; input++)
        {
            Shape shape = inputs[input].Type.Shape;
            for (int axis = 0; axis < shape.Rank; axis++)
            {
                if (Solve(symbol, shape[axis]) is var (factor, offset))
                {
                    return new SymbolSource(input, axis, factor, offset);
                }
            }
        }
        return null;
    }

    /// <summary>The symbol's value for an extent of the dimension; null when no value gives that extent.</summary>
    public long? Value(long extent) => Factor == 1 && Offset == 0
        ? extent >= 0 ? extent : null
        : Solved(extent);

    private long? Solved(long extent)
    {
        Int128 difference = (Int128)extent - Offset;
        Int128 value = difference / Factor;
        return value * Factor == difference && value >= 0 && value <= long.MaxValue ? (long)value : null;
    }

    // A dim is linear in its only symbol when it equals the line through its values at 0 and 1.
    private static (long Factor, long Offset)? Solve(DimSymbol symbol, Dim dim)
    {
        if (dim.IsStatic || dim.Symbols.Count() != 1 || dim.Symbols.First() != symbol)
        {
            return null;
        }
        try
        {
            long offset = dim.Evaluate(_ => 0);
            long factor = checked(dim.Evaluate(_ => 1) - offset);
            return factor != 0 && dim == (factor * (Dim)symbol) + offset ? (factor, offset) : null;
        }
        catch (Exception e) when (e is OverflowException or DivideByZeroException)
        {
            return null;
        }
    }
}
