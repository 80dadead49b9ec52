using System.Runtime.CompilerServices;

namespace Graphene;

/// <content>Arithmetic operators, with broadcasting, between tensors and with C# numbers.</content>
public sealed partial class Tensor
{
    /// <summary>Sum.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static Tensor operator +(Tensor x, Tensor y) => Operate(ElementwiseTable.Add, x, y, CallSite.OfOperator());

    /// <summary>Sum.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static Tensor operator +(Tensor x, double y) => Operate(ElementwiseTable.Add, x, y, CallSite.OfOperator());

    /// <summary>Sum.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static Tensor operator +(double x, Tensor y) => Operate(ElementwiseTable.Add, x, y, CallSite.OfOperator());

    /// <summary>Difference.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static Tensor operator -(Tensor x, Tensor y) => Operate(ElementwiseTable.Subtract, x, y, CallSite.OfOperator());

    /// <summary>Difference.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static Tensor operator -(Tensor x, double y) => Operate(ElementwiseTable.Subtract, x, y, CallSite.OfOperator());

    /// <summary>Difference.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static Tensor operator -(double x, Tensor y) => Operate(ElementwiseTable.Subtract, x, y, CallSite.OfOperator());

    /// <summary>Product, element by element.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static Tensor operator *(Tensor x, Tensor y) => Operate(ElementwiseTable.Multiply, x, y, CallSite.OfOperator());

    /// <summary>Product.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static Tensor operator *(Tensor x, double y) => Operate(ElementwiseTable.Multiply, x, y, CallSite.OfOperator());

    /// <summary>Product.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static Tensor operator *(double x, Tensor y) => Operate(ElementwiseTable.Multiply, x, y, CallSite.OfOperator());

    /// <summary>Quotient, element by element; truncated for integers.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static Tensor operator /(Tensor x, Tensor y) => Operate(ElementwiseTable.Divide, x, y, CallSite.OfOperator());

    /// <summary>Quotient.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static Tensor operator /(Tensor x, double y) => Operate(ElementwiseTable.Divide, x, y, CallSite.OfOperator());

    /// <summary>Quotient.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static Tensor operator /(double x, Tensor y) => Operate(ElementwiseTable.Divide, x, y, CallSite.OfOperator());

    /// <summary>Remainder with the sign of the dividend, as in C#.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static Tensor operator %(Tensor x, Tensor y) => Operate(ElementwiseTable.Remainder, x, y, CallSite.OfOperator());

    /// <summary>Remainder with the sign of the dividend, as in C#.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static Tensor operator %(Tensor x, double y) => Operate(ElementwiseTable.Remainder, x, y, CallSite.OfOperator());

    /// <summary>Negation.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static Tensor operator -(Tensor x)
    {
        CallSite site = CallSite.OfOperator();
        return x.Graph.Wrap(x.Graph.Build(site, [x], (b, n) => [b.Negate(n[0])])[0]);
    }

    internal static Tensor Operate(ElementwiseFn fn, Tensor x, Tensor y, CallSite site) =>
        x.Graph.Wrap(x.Graph.Build(site, [x, y], (b, n) => [b.ElementwiseBroadcast(fn, n)])[0]);

    private static Tensor Operate(ElementwiseFn fn, Tensor x, double y, CallSite site) => x.Graph.Wrap(x.Graph.Build(
        site, [x], (b, n) => [b.ElementwiseBroadcast(fn, n[0], Number(b, n[0].Type, y))])[0]);

    private static Tensor Operate(ElementwiseFn fn, double x, Tensor y, CallSite site) => y.Graph.Wrap(y.Graph.Build(
        site, [y], (b, n) => [b.ElementwiseBroadcast(fn, Number(b, n[0].Type, x), n[0])])[0]);

    // A number takes the element type of the tensor beside it, when it is one of its values.
    private static Node Number(GraphBuilder b, TensorType type, double value)
    {
        bool fits = type.DType.IsFloating() || (type.DType.IsInteger() && Math.Floor(value) == value &&
            (Int128)value >= Scalar.Lowest(type.DType).AsInteger && (Int128)value <= Scalar.Highest(type.DType).AsInteger);
        return fits
            ? b.Constant(type.DType, value)
            : throw new GraphException(
                DiagnosticId.LiteralDoesNotFit,
                FormattableString.Invariant($"{value} is no {type.DType.Name()}, the element type of {type}"),
                b.CurrentOrigin is { } origin ? $"built in {origin}" : null,
                "a C# number takes the element type of the tensor beside it", "cast the tensor first");
    }
}
