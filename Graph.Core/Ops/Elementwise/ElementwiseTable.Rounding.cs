namespace Graphene;

public static partial class ElementwiseTable
{
    /// <summary>Rounds towards positive infinity.</summary>
    public static readonly ElementwiseFn Ceil = new("ceil", 1)
    {
        Accepts = DTypeSet.Floating,
        ReferenceFloating = x => Math.Ceiling(x[0]),
        Element = (f, x) => f.Call(ScalarOp.Ceil, x[0]),
        GradientNote = PiecewiseConstant,
    };

    /// <summary>Rounds towards negative infinity.</summary>
    public static readonly ElementwiseFn Floor = new("floor", 1)
    {
        Accepts = DTypeSet.Floating,
        ReferenceFloating = x => Math.Floor(x[0]),
        Element = (f, x) => f.Call(ScalarOp.Floor, x[0]),
        GradientNote = PiecewiseConstant,
    };

    /// <summary>True for neither NaN nor infinite.</summary>
    public static readonly ElementwiseFn IsFinite = new("is_finite", 1)
    {
        Accepts = DTypeSet.Floating,
        Result = DType.Bool,
        ReferenceFloating = x => double.IsFinite(x[0]) ? 1 : 0,
        Element = (f, x) => f.Call(ScalarOp.IsFinite, x[0]),
        GradientNote = NotFloating,
    };

    /// <summary>Rounds to nearest, ties away from zero.</summary>
    public static readonly ElementwiseFn RoundNearestAfz = new("round_nearest_afz", 1)
    {
        Accepts = DTypeSet.Floating,
        ReferenceFloating = x => Math.Round(x[0], MidpointRounding.AwayFromZero),
        Element = (f, x) => f.Call(ScalarOp.RoundNearestAfz, x[0]),
        GradientNote = PiecewiseConstant,
    };

    /// <summary>Rounds to nearest, ties to even.</summary>
    public static readonly ElementwiseFn RoundNearestEven = new("round_nearest_even", 1)
    {
        Accepts = DTypeSet.Floating,
        ReferenceFloating = x => Math.Round(x[0], MidpointRounding.ToEven),
        Element = (f, x) => f.Call(ScalarOp.RoundNearestEven, x[0]),
        GradientNote = PiecewiseConstant,
    };
}

/// <summary>Builds rounding.</summary>
public static partial class ElementwiseBuilder
{
    /// <summary>Rounds towards positive infinity.</summary>
    public static Node Ceil(this GraphBuilder b, Node x) => b.Elementwise(ElementwiseTable.Ceil, x);

    /// <summary>Rounds towards negative infinity.</summary>
    public static Node Floor(this GraphBuilder b, Node x) => b.Elementwise(ElementwiseTable.Floor, x);

    /// <summary>True for neither NaN nor infinite; result bool.</summary>
    public static Node IsFinite(this GraphBuilder b, Node x) => b.Elementwise(ElementwiseTable.IsFinite, x);

    /// <summary>Rounds to nearest, ties away from zero.</summary>
    public static Node RoundNearestAfz(this GraphBuilder b, Node x) => b.Elementwise(ElementwiseTable.RoundNearestAfz, x);

    /// <summary>Rounds to nearest, ties to even.</summary>
    public static Node RoundNearestEven(this GraphBuilder b, Node x) => b.Elementwise(ElementwiseTable.RoundNearestEven, x);
}
