using System.Runtime.CompilerServices;

namespace Graphene;

/// <content>Reverse mode: gradients of results with respect to anything they depend on.</content>
public sealed partial class Graph
{
    /// <summary>The gradient of a scalar (or of the sum of a tensor's elements) with respect to one tensor.</summary>
    /// <returns>A tensor of the type of <paramref name="x"/>.</returns>
    /// <exception cref="GraphException">
    /// GR1601: an op on the way has no gradient. GR1602: there is no path. GR1603: something is not floating.
    /// </exception>
    public Tensor Gradient(Tensor y, Tensor x, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Gradients([y], [x], null, null, Unconnected.Error, file, line)[0];

    /// <summary>The gradients of a loss with respect to variables: what an optimizer needs.</summary>
    /// <param name="loss">A floating tensor; when it is no scalar, its elements are summed.</param>
    /// <param name="variables">Each may be read any number of times; all reads that the loss depends on count.</param>
    /// <param name="stopGradients">Tensors that count as constants.</param>
    /// <param name="unconnected">What to do about variables that the loss does not depend on.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    /// <returns>One tensor for each variable, of its type.</returns>
    public Tensor[] Gradients(
        Tensor loss,
        IReadOnlyList<Variable> variables,
        IReadOnlyList<Tensor>? stopGradients = null,
        Unconnected unconnected = Unconnected.Error,
        [CallerFilePath] string file = "",
        [CallerLineNumber] int line = 0)
    {
        GradientSources sources = Sources(new CallSite(file, line), [loss], [], variables);
        return Connected(sources, Reverse(sources, null, stopGradients), unconnected);
    }

    /// <summary>The gradients of results with respect to tensors: the sum over all results of cotangent times derivative.</summary>
    /// <param name="ys">What is differentiated; floating.</param>
    /// <param name="xs">What it is differentiated by: placeholders, reads of variables, or any other tensors on the way.</param>
    /// <param name="gradYs">The cotangents, one for each of <paramref name="ys"/> and of its type; null for ones.</param>
    /// <param name="stopGradients">Tensors that count as constants; those among <paramref name="xs"/> get partial derivatives.</param>
    /// <param name="unconnected">What to do about tensors that no result depends on.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    /// <returns>One tensor for each of <paramref name="xs"/>, of its type. They can be differentiated again.</returns>
    /// <exception cref="GraphException">
    /// GR1601: an op on the way has no gradient. GR1602: there is no path. GR1603: something is not floating. GR1604: a cotangent has
    /// another type than its result.
    /// </exception>
    public Tensor[] Gradients(
        IReadOnlyList<Tensor> ys,
        IReadOnlyList<Tensor> xs,
        IReadOnlyList<Tensor?>? gradYs = null,
        IReadOnlyList<Tensor>? stopGradients = null,
        Unconnected unconnected = Unconnected.Error,
        [CallerFilePath] string file = "",
        [CallerLineNumber] int line = 0)
    {
        GradientSources sources = Sources(new CallSite(file, line), ys, xs, []);
        return Connected(sources, Reverse(sources, gradYs, stopGradients), unconnected);
    }

    /// <summary>As Gradients, with null for what no result depends on.</summary>
    public Tensor?[] GradientsOrNull(
        IReadOnlyList<Tensor> ys,
        IReadOnlyList<Tensor> xs,
        IReadOnlyList<Tensor?>? gradYs = null,
        IReadOnlyList<Tensor>? stopGradients = null,
        [CallerFilePath] string file = "",
        [CallerLineNumber] int line = 0)
    {
        GradientSources sources = Sources(new CallSite(file, line), ys, xs, []);
        return Array.ConvertAll(Reverse(sources, gradYs, stopGradients), g => g is null ? null : Wrap(g));
    }

    private GradientSources Sources(
        CallSite site, IReadOnlyList<Tensor> ys, IReadOnlyList<Tensor> xs, IReadOnlyList<Variable> variables)
    {
        Enter(site);
        Node[] results = [.. ys.Select(Current.Import)];
        var names = new List<string>();
        var nodes = new List<Node[]>();
        var types = new List<TensorType>();
        foreach (Tensor x in xs)
        {
            names.Add(x.ToString());
            nodes.Add([Current.Import(x)]);
            types.Add(x.Type);
        }
        IReadOnlyList<Node> all = Traversal.PostOrder(results);
        foreach (Variable variable in variables)
        {
            names.Add(variable.ToString());
            types.Add(variable.Type);
            nodes.Add(Current.Parent is null
                ? [.. all.Where(n => n.Op is VariableReadOp read && ReferenceEquals(read.Variable, variable))]
                : [Current.Parameter(new FrameInput(null, variable))]);
        }
        var sources = new GradientSources(Current.Builder, results, names, nodes, types);
        sources.RequireFloating();
        return sources;
    }

    private Node?[] Reverse(GradientSources sources, IReadOnlyList<Tensor?>? gradYs, IReadOnlyList<Tensor>? stopGradients)
    {
        GraphBuilder b = sources.Builder;
        Node?[] cotangents = [.. sources.Ys.Select((y, i) =>
            gradYs?[i] is { } given ? sources.RequireLike(Current.Import(given), y, "cotangent") : b.Like(y, 1))];
        HashSet<Node> stops = new((stopGradients ?? []).Select(Current.Import), ReferenceEqualityComparer.Instance);
        Node[] flat = [.. sources.Xs.SelectMany(x => x)];
        Node?[] found = ReverseMode.Run(b, sources.Ys, cotangents, flat, stops);
        int next = 0;
        return [.. sources.Xs.Select(reads => reads.Aggregate(
            (Node?)null, (sum, _) => b.SumOrNull(sum, found[next++])))];
    }

    private Tensor[] Connected(GradientSources sources, Node?[] gradients, Unconnected unconnected)
    {
        var result = new Tensor[gradients.Length];
        for (int i = 0; i < result.Length; i++)
        {
            result[i] = gradients[i] is { } found ? Wrap(found)
                : unconnected == Unconnected.Zero ? Wrap(sources.Builder.Zeros(sources.Types[i]))
                : throw sources.Unconnected(i);
        }
        return result;
    }
}
