using System.Runtime.CompilerServices;

namespace Graphene;

/// <content>Forward mode, and what both modes together give.</content>
public sealed partial class Graph
{
    /// <summary>Derivatives along a direction: for each result the sum over <paramref name="xs"/> of derivative times tangent.</summary>
    /// <param name="ys">What is differentiated; floating.</param>
    /// <param name="xs">What it is differentiated by.</param>
    /// <param name="tangents">The direction: one for each of <paramref name="xs"/>, of its type.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    /// <returns>One tensor for each of <paramref name="ys"/>, of its type; zeros where it does not depend on any.</returns>
    /// <exception cref="GraphException">GR1601, GR1603, GR1604; as for gradients.</exception>
    public Tensor[] Jvp(
        IReadOnlyList<Tensor> ys,
        IReadOnlyList<Tensor> xs,
        IReadOnlyList<Tensor> tangents,
        [CallerFilePath] string file = "",
        [CallerLineNumber] int line = 0)
    {
        GradientSources sources = Sources(new CallSite(file, line), ys, xs, []);
        GraphBuilder b = sources.Builder;
        Node[] nodes = [.. sources.Xs.Select(x => x[0])];
        Node?[] given = [.. nodes.Select((x, i) => sources.RequireLike(Current.Import(tangents[i]), x, "tangent"))];
        Node?[] found = ForwardMode.Run(b, sources.Ys, nodes, given);
        return [.. found.Select((t, i) => Wrap(t ?? b.Like(sources.Ys[i], 0)))];
    }

    /// <summary>The Hessian of a scalar times a vector, without the Hessian: forward mode over reverse mode.</summary>
    /// <param name="y">A floating tensor; when it is no scalar, its elements are summed.</param>
    /// <param name="xs">What it is differentiated by, twice.</param>
    /// <param name="vectors">One for each of <paramref name="xs"/>, of its type.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    /// <returns>One tensor for each of <paramref name="xs"/>, of its type.</returns>
    public Tensor[] HessianVectorProduct(
        Tensor y,
        IReadOnlyList<Tensor> xs,
        IReadOnlyList<Tensor> vectors,
        [CallerFilePath] string file = "",
        [CallerLineNumber] int line = 0) =>
        Jvp(Gradients([y], xs, null, null, Graphene.Unconnected.Zero, file, line), xs, vectors, file, line);

    /// <summary>All derivatives of all elements of a tensor by all elements of another.</summary>
    /// <param name="y">What is differentiated; floating.</param>
    /// <param name="x">What it is differentiated by.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    /// <returns>Shape [shape of y.., shape of x..].</returns>
    /// <remarks>One backward pass, mapped over the elements of y: takes as much memory as that many passes side by side.</remarks>
    public Tensor Jacobian(Tensor y, Tensor x, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        GradientSources sources = Sources(new CallSite(file, line), [y], [x], []);
        return Wrap(JacobianRows.Build(sources.Builder, sources.Ys[0], sources.Xs[0][0]));
    }

    /// <summary>All second derivatives of a scalar by the elements of a tensor: shape [shape of x.., shape of x..].</summary>
    public Tensor Hessian(Tensor y, Tensor x, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Jacobian(Gradient(y, x, file, line), x, file, line);
}
