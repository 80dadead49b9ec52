using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core.Gradients;

/// <summary>
/// The gradients of all cases of an op as one module, with what is fed: what back ends are held against
/// the reference on.
/// </summary>
/// <param name="Module">One input per operand of a case, one output per gradient.</param>
/// <param name="Inputs">The values of the inputs.</param>
/// <param name="Labels">The case that each output belongs to.</param>
internal sealed record GradientModule(Module Module, IReadOnlyList<Literal> Inputs, IReadOnlyList<string> Labels)
{
    private static readonly ILookup<string, GradientCase> Cases =
        GradientCases.All.Where(c => c.Op != "fusion").ToLookup(c => c.Op);

    /// <summary>The ops that there are cases for.</summary>
    public static IEnumerable<string> Names => Cases.Select(group => group.Key);

    /// <summary>The module of an op.</summary>
    public static GradientModule Of(string name)
    {
        var b = new GraphBuilder();
        var inputs = new List<Literal>();
        var results = new List<Node>();
        var labels = new List<string>();
        foreach (GradientCase c in Cases[name])
        {
            Node[] parameters = [.. c.Inputs.Select((x, i) => b.Parameter(inputs.Count + i, x.Type))];
            inputs.AddRange(c.Inputs);
            Node[] xs = [.. parameters.Where(p => p.DType.IsFloating())];
            Node[] ys = [.. c.Build(b, parameters).Where(y => y.DType.IsFloating())];
            Node?[] cotangents = [.. ys.Select((y, i) => b.Constant(Noise(y.Shape.ToStatic(), i, y.DType)))];
            foreach (Node gradient in ReverseMode.Run(b, ys, cotangents, xs).OfType<Node>())
            {
                results.Add(gradient);
                labels.Add(c.ToString());
            }
        }
        var module = new Module(
            name, b.Build("gradients", results), [.. inputs.Select((_, i) => $"x{i}")], [.. results.Select((_, i) => $"y{i}")],
            b.Provenance);
        return new GradientModule(module, inputs, labels);
    }
}
