namespace Graphene.Codegen;

/// <summary>How many elements at both ends of each dimension of a value are known to be zero, because a pad put them there.</summary>
/// <remarks>
/// <code>
/// y = fusion(..., pad(v, 0, low, high))            y's last operation says it, wherever y is used
/// </code>
/// Convolutions leave out the products with them, see <see cref="BorderTaps"/>.
/// </remarks>
internal static class ZeroBorder
{
    /// <summary>The amounts, low and high for each dimension; null when nothing is known.</summary>
    /// <param name="value">The value.</param>
    public static ValueList<(long Low, long High)>? Of(Node value)
    {
        int result = 0;
        if (value.Op is GetTupleElementOp element)
        {
            (result, value) = (element.Index, value.Operands[0]);
        }
        Node last = value.Op is FusionOp fusion ? fusion.Body.Results[result] : value;
        return last.Op is PadOp { IsBorder: true } pad && pad.Low.Concat(pad.High).All(amount => amount.IsStatic)
            && IsZero(last.Operands[1].Op is ParameterOp outer ? value.Operands[outer.Number] : last.Operands[1])
            ? [.. pad.Low.Zip(pad.High, (low, high) => (low.Value, high.Value))]
            : null;
    }

    private static bool IsZero(Node value) => value.Op is ConstantOp { Value: { Type.Rank: 0 } scalar } && scalar[0].AsDouble == 0;
}
