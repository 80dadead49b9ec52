using System.Runtime.CompilerServices;

namespace Graphene;

/// <content>Moving elements.</content>
public sealed partial class Tensor
{
    /// <summary>The same elements under another shape; one size may be -1 and follows from the others.</summary>
    public Tensor Reshape(Shape shape, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.ReshapeInferred(x, shape), file, line);

    /// <summary>
    /// Reordered dimensions: result dimension i is dimension permutation[i]; reversed when null.
    /// </summary>
    public Tensor Transpose(
        Axes? permutation = null, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.Transpose(x, permutation ?? Axes.From(Enumerable.Range(0, x.Rank).Reverse())), file, line);

    /// <summary>A new dimension of size 1.</summary>
    public Tensor ExpandDims(int axis, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.ExpandDims(x, axis), file, line);

    /// <summary>Without dimensions of size 1: the given ones, or all.</summary>
    public Tensor Squeeze(Axes? axis = null, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.Squeeze(x, axis), file, line);

    /// <summary>Repeated to a shape, as NumPy broadcasts.</summary>
    public Tensor BroadcastTo(Shape shape, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.BroadcastTo(x, shape), file, line);

    /// <summary>The whole tensor repeated, so often along each dimension.</summary>
    public Tensor Tile(Shape multiples, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.Tile(x, multiples), file, line);

    /// <summary>
    /// A box: size elements along each dimension, from begin on; a size of -1 reaches to the end.
    /// </summary>
    public Tensor Slice(Shape begin, Shape size, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.SliceBox(x, begin, size), file, line);

    /// <summary>Elements start to limit - 1 along one axis, every stride-th.</summary>
    public Tensor SliceAxis(
        int axis, Dim start, Dim limit, long stride = 1, [CallerFilePath] string file = "",
        [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.SliceDimension(x, b.Site("slice", x).Axis(axis, x.Rank), start, limit, stride), file, line);

    /// <summary>Consecutive parts of given sizes along an axis.</summary>
    public Tensor[] Split(
        Shape sizes, int axis = 0, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        ApplyMany((b, x) => b.Split(x, sizes, axis), file, line);

    /// <summary>Framed by a number: so many elements in front of and behind each dimension.</summary>
    public Tensor Pad(
        Shape low, Shape high, double value = 0, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.Pad(x, Number(b, x.Type, value), low.ToValueList(), high.ToValueList()), file, line);

    /// <summary>Back to front along axes.</summary>
    public Tensor Reverse(Axes axes, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.Reverse(x, b.Site("reverse", x).AxesOrAll(axes, x.Rank)), file, line);

    /// <summary>Slices by number along an axis; numbers outside take the nearest slice.</summary>
    public Tensor Gather(
        Tensor indices, int axis = 0, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply(indices, (b, x, i) => b.Take(x, i, b.Site("gather", x, i).Axis(axis, x.Rank)), file, line);

    /// <summary>A new axis that is 1 at the index and 0 elsewhere.</summary>
    public Tensor OneHot(
        Dim depth, DType type = DType.F32, int axis = -1, [CallerFilePath] string file = "",
        [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.OneHot(x, depth, b.Constant(type, 1), b.Constant(type, 0), axis), file, line);

    /// <summary>The triangle of the last two dimensions on and below a diagonal, 0 elsewhere.</summary>
    public Tensor Tril(long diagonal = 0, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.Triangle(x, upper: false, b.Constant(DType.I64, diagonal)), file, line);

    /// <summary>The triangle of the last two dimensions on and above a diagonal, 0 elsewhere.</summary>
    public Tensor Triu(long diagonal = 0, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Apply((b, x) => b.Triangle(x, upper: true, b.Constant(DType.I64, diagonal)), file, line);
}
