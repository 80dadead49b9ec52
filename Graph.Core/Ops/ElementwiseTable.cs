namespace Graphene;

/// <summary>Every elementwise function, one row each. Printer, parser, verifier, back ends and tests read this table.</summary>
public static partial class ElementwiseTable
{
    /// <summary>Sum; integers wrap; bool: or.</summary>
    public static readonly ElementwiseFn Add = new("add", 2)
    {
        Accepts = DTypeSet.All,
        ReferenceFloating = x => x[0] + x[1],
        ReferenceInteger = (x, type) => type == DType.Bool ? x[0] | x[1] : x[0] + x[1],
        Element = (f, x) => f.Call(x[0].DType == DType.Bool ? ScalarOp.Or : ScalarOp.Add, x[0], x[1]),
        Commutative = true,
        AssociativeOnIntegers = true,
    };

    /// <summary>Product; integers wrap; bool: and.</summary>
    public static readonly ElementwiseFn Multiply = new("multiply", 2)
    {
        Accepts = DTypeSet.All,
        ReferenceFloating = x => x[0] * x[1],
        ReferenceInteger = (x, _) => x[0] * x[1],
        Element = (f, x) => f.Call(x[0].DType == DType.Bool ? ScalarOp.And : ScalarOp.Multiply, x[0], x[1]),
        Commutative = true,
        AssociativeOnIntegers = true,
    };

    /// <summary>The larger; NaN when either is NaN; bool: or.</summary>
    public static readonly ElementwiseFn Maximum = new("maximum", 2)
    {
        Accepts = DTypeSet.All,
        ReferenceFloating = x => Math.Max(x[0], x[1]), // .NET's Max propagates NaN and orders the zeros
        ReferenceInteger = (x, _) => Int128.Max(x[0], x[1]),
        Element = (f, x) => f.Call(ScalarOp.Maximum, x[0], x[1]),
        Commutative = true,
        AssociativeOnIntegers = true,
    };

    /// <summary>e^x.</summary>
    public static readonly ElementwiseFn Exponential = new("exponential", 1)
    {
        Accepts = DTypeSet.Floating,
        ReferenceFloating = x => Math.Exp(x[0]),
        Element = (f, x) => f.Call(ScalarOp.Exponential, x[0]),
        MaxUlp = 2,
        IsExpensive = true,
    };
}

/// <summary>Builds elementwise nodes.</summary>
public static partial class ElementwiseBuilder
{
    /// <summary>Applies a row of the table.</summary>
    public static Node Elementwise(this GraphBuilder b, ElementwiseFn fn, params ReadOnlySpan<Node> operands) =>
        b.Add(new ElementwiseOp(fn), operands);

    /// <summary>Sum of two tensors of one type.</summary>
    public static Node Add(this GraphBuilder b, Node x, Node y) => b.Elementwise(ElementwiseTable.Add, x, y);

    /// <summary>Product of two tensors of one type.</summary>
    public static Node Multiply(this GraphBuilder b, Node x, Node y) => b.Elementwise(ElementwiseTable.Multiply, x, y);

    /// <summary>The larger of two tensors of one type, element by element.</summary>
    public static Node Maximum(this GraphBuilder b, Node x, Node y) => b.Elementwise(ElementwiseTable.Maximum, x, y);

    /// <summary>e^x.</summary>
    public static Node Exponential(this GraphBuilder b, Node x) => b.Elementwise(ElementwiseTable.Exponential, x);
}
