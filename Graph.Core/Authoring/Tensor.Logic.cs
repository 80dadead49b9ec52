using System.Runtime.CompilerServices;

namespace Graphene;

/// <content>Comparisons and logic.</content>
public sealed partial class Tensor
{
    /// <summary>True where equal.</summary>
    public Tensor Equal(Tensor y, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Compared(y, CompareDirection.EQ, file, line);

    /// <summary>True where equal.</summary>
    public Tensor Equal(double y, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Compared(y, CompareDirection.EQ, file, line);

    /// <summary>True where different; NaN differs from everything.</summary>
    public Tensor NotEqual(Tensor y, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Compared(y, CompareDirection.NE, file, line);

    /// <summary>True where different; NaN differs from everything.</summary>
    public Tensor NotEqual(double y, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Compared(y, CompareDirection.NE, file, line);

    /// <summary>True where smaller.</summary>
    public Tensor Less(Tensor y, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Compared(y, CompareDirection.LT, file, line);

    /// <summary>True where smaller.</summary>
    public Tensor Less(double y, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Compared(y, CompareDirection.LT, file, line);

    /// <summary>True where smaller or equal.</summary>
    public Tensor LessEqual(Tensor y, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Compared(y, CompareDirection.LE, file, line);

    /// <summary>True where smaller or equal.</summary>
    public Tensor LessEqual(double y, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Compared(y, CompareDirection.LE, file, line);

    /// <summary>True where larger.</summary>
    public Tensor Greater(Tensor y, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Compared(y, CompareDirection.GT, file, line);

    /// <summary>True where larger.</summary>
    public Tensor Greater(double y, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Compared(y, CompareDirection.GT, file, line);

    /// <summary>True where larger or equal.</summary>
    public Tensor GreaterEqual(Tensor y, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Compared(y, CompareDirection.GE, file, line);

    /// <summary>True where larger or equal.</summary>
    public Tensor GreaterEqual(double y, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Compared(y, CompareDirection.GE, file, line);

    /// <summary>True where NaN.</summary>
    public Tensor IsNan([CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.NotEqual(x, x), file, line);

    /// <summary>True where neither NaN nor infinite.</summary>
    public Tensor IsFinite([CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.IsFinite(x), file, line);

    /// <summary>Both; bit by bit for integers.</summary>
    public Tensor LogicalAnd(Tensor y, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Operate(ElementwiseTable.And, this, y, new CallSite(file, line));

    /// <summary>Either; bit by bit for integers.</summary>
    public Tensor LogicalOr(Tensor y, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Operate(ElementwiseTable.Or, this, y, new CallSite(file, line));

    /// <summary>Exactly one; bit by bit for integers.</summary>
    public Tensor LogicalXor(Tensor y, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Operate(ElementwiseTable.Xor, this, y, new CallSite(file, line));

    /// <summary>The opposite; bit by bit for integers.</summary>
    public Tensor LogicalNot([CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.Not(x), file, line);

    /// <summary>One of two tensors where this one, a bool, is true or false; all broadcast.</summary>
    public Tensor Where(
        Tensor whenTrue, Tensor whenFalse, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply(whenTrue, whenFalse, (b, c, x, y) => b.Where(c, x, y), file, line);

    private Tensor Compared(Tensor y, CompareDirection direction, string file, int line) => Apply(
        y,
        (b, left, right) =>
        {
            (Node l, Node r) = b.Broadcast(left, right);
            return b.Compare(l, r, direction);
        },
        file, line);

    private Tensor Compared(double y, CompareDirection direction, string file, int line) => Apply(
        (b, x) => b.Compare(x, b.BroadcastTo(Number(b, x.Type, y), x.Shape), direction), file, line);
}
