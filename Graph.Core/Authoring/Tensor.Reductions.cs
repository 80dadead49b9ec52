using System.Runtime.CompilerServices;

namespace Graphene;

/// <content>Reductions, scans and sorting.</content>
public sealed partial class Tensor
{
    /// <summary>The sum along axes. Null for all axes.</summary>
    public Tensor ReduceSum(
        Axes? axis = null, bool keepDims = false, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.ReduceSum(x, axis, keepDims), file, line);

    /// <inheritdoc cref="ReduceSum(Axes?, bool, string, int)"/>
    public Tensor ReduceSum(
        int axis, bool keepDims = false, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        ReduceSum([axis], keepDims, file, line);

    /// <summary>The mean along axes. Null for all axes.</summary>
    public Tensor ReduceMean(
        Axes? axis = null, bool keepDims = false, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.ReduceMean(x, axis, keepDims), file, line);

    /// <inheritdoc cref="ReduceMean(Axes?, bool, string, int)"/>
    public Tensor ReduceMean(
        int axis, bool keepDims = false, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        ReduceMean([axis], keepDims, file, line);

    /// <summary>The largest along axes. Null for all axes.</summary>
    public Tensor ReduceMax(
        Axes? axis = null, bool keepDims = false, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.ReduceMax(x, axis, keepDims), file, line);

    /// <inheritdoc cref="ReduceMax(Axes?, bool, string, int)"/>
    public Tensor ReduceMax(
        int axis, bool keepDims = false, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        ReduceMax([axis], keepDims, file, line);

    /// <summary>The smallest along axes. Null for all axes.</summary>
    public Tensor ReduceMin(
        Axes? axis = null, bool keepDims = false, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.ReduceMin(x, axis, keepDims), file, line);

    /// <inheritdoc cref="ReduceMin(Axes?, bool, string, int)"/>
    public Tensor ReduceMin(
        int axis, bool keepDims = false, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        ReduceMin([axis], keepDims, file, line);

    /// <summary>The product along axes. Null for all axes.</summary>
    public Tensor ReduceProd(
        Axes? axis = null, bool keepDims = false, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.ReduceProduct(x, axis, keepDims), file, line);

    /// <inheritdoc cref="ReduceProd(Axes?, bool, string, int)"/>
    public Tensor ReduceProd(
        int axis, bool keepDims = false, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        ReduceProd([axis], keepDims, file, line);

    /// <summary>True where all are. Null for all axes.</summary>
    public Tensor ReduceAll(
        Axes? axis = null, bool keepDims = false, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.ReduceAll(x, axis, keepDims), file, line);

    /// <inheritdoc cref="ReduceAll(Axes?, bool, string, int)"/>
    public Tensor ReduceAll(
        int axis, bool keepDims = false, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        ReduceAll([axis], keepDims, file, line);

    /// <summary>True where any is. Null for all axes.</summary>
    public Tensor ReduceAny(
        Axes? axis = null, bool keepDims = false, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.ReduceAny(x, axis, keepDims), file, line);

    /// <inheritdoc cref="ReduceAny(Axes?, bool, string, int)"/>
    public Tensor ReduceAny(
        int axis, bool keepDims = false, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        ReduceAny([axis], keepDims, file, line);

    /// <summary>The mean squared distance from the mean. Null for all axes.</summary>
    public Tensor ReduceVariance(
        Axes? axis = null, bool keepDims = false, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.ReduceVariance(x, axis, keepDims), file, line);

    /// <inheritdoc cref="ReduceVariance(Axes?, bool, string, int)"/>
    public Tensor ReduceVariance(
        int axis, bool keepDims = false, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        ReduceVariance([axis], keepDims, file, line);

    /// <summary>The standard deviation. Null for all axes.</summary>
    public Tensor ReduceStd(
        Axes? axis = null, bool keepDims = false, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.ReduceStandardDeviation(x, axis, keepDims), file, line);

    /// <inheritdoc cref="ReduceStd(Axes?, bool, string, int)"/>
    public Tensor ReduceStd(
        int axis, bool keepDims = false, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        ReduceStd([axis], keepDims, file, line);

    /// <summary>log(sum(exp(x))), safe for large values. Null for all axes.</summary>
    public Tensor ReduceLogSumExp(
        Axes? axis = null, bool keepDims = false, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.ReduceLogSumExp(x, axis, keepDims), file, line);

    /// <inheritdoc cref="ReduceLogSumExp(Axes?, bool, string, int)"/>
    public Tensor ReduceLogSumExp(
        int axis, bool keepDims = false, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        ReduceLogSumExp([axis], keepDims, file, line);

    /// <summary>The Euclidean norm. Null for all axes.</summary>
    public Tensor Norm(
        Axes? axis = null, bool keepDims = false, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.ReduceL2(x, axis, keepDims), file, line);

    /// <inheritdoc cref="Norm(Axes?, bool, string, int)"/>
    public Tensor Norm(
        int axis, bool keepDims = false, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Norm([axis], keepDims, file, line);

    /// <summary>The position of the first largest element, i64.</summary>
    public Tensor ArgMax(
        int axis = -1, bool keepDims = false, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.ArgMax(x, axis, keepDims), file, line);

    /// <summary>The position of the first smallest element, i64.</summary>
    public Tensor ArgMin(
        int axis = -1, bool keepDims = false, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.ArgMin(x, axis, keepDims), file, line);

    /// <summary>Running sums along an axis.</summary>
    public Tensor CumSum(
        int axis = 0, bool exclusive = false, bool reverse = false, [CallerFilePath] string file = "",
        [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.CumSum(x, axis, exclusive, reverse), file, line);

    /// <summary>Running products along an axis.</summary>
    public Tensor CumProd(
        int axis = 0, bool exclusive = false, bool reverse = false, [CallerFilePath] string file = "",
        [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.CumProd(x, axis, exclusive, reverse), file, line);

    /// <summary>The k largest elements of the last axis and their positions (i64), best first.</summary>
    public (Tensor Values, Tensor Indices) TopK(
        Dim k, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Pair((b, x) => b.TopK(x, k), file, line);

    /// <summary>The elements along an axis in order.</summary>
    public Tensor Sort(
        int axis = -1, bool descending = false, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.SortValues(x, axis, descending), file, line);

    /// <summary>The positions (i64) that put the elements along an axis in order.</summary>
    public Tensor ArgSort(
        int axis = -1, bool descending = false, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.SortWithPositions(x, axis, descending).Positions, file, line);

    private (Tensor Values, Tensor Indices) Pair(Func<GraphBuilder, Node, (Node Values, Node Positions)> build, string file, int line)
    {
        Tensor[] both = ApplyMany(
            (b, x) =>
            {
                (Node values, Node positions) = build(b, x);
                return [values, positions];
            },
            file, line);
        return (both[0], both[1]);
    }
}
