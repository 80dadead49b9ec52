using System.Runtime.CompilerServices;

namespace Graphene;

/// <content>What takes a list of tensors.</content>
public sealed partial class Graph
{
    /// <summary>Tensors joined along an axis.</summary>
    public Tensor Concat(
        Tensor[] tensors, int axis, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) => Wrap(Build(
        new CallSite(file, line), tensors,
        (b, x) => [b.Concatenate(x, b.Site("concat", x).Axis(axis, x.Length > 0 ? x[0].Rank : 0))])[0]);

    /// <summary>Tensors of one shape joined along a new axis.</summary>
    public Tensor Stack(
        Tensor[] tensors, int axis = 0, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Wrap(Build(new CallSite(file, line), tensors, (b, x) => [b.Stack(x, axis)])[0]);

    /// <summary>An Einstein summation such as <c>bij,bjk->bik</c>.</summary>
    public Tensor Einsum(
        string equation, Tensor[] tensors, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Wrap(Build(new CallSite(file, line), tensors, (b, x) => [b.Einsum(equation, x)])[0]);
}
