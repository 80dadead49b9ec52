namespace Graphene.Tests.Core.Gradients;

/// <summary>One use of an op, differentiated by all floating inputs.</summary>
/// <param name="Op">The name of the op that is under test.</param>
/// <param name="Label">What is special about this use.</param>
/// <param name="Inputs">The values of the parameters; f64 where a derivative is wanted.</param>
/// <param name="Build">Makes the results from the parameters.</param>
internal sealed record GradientCase(string Op, string Label, Literal[] Inputs, Func<GraphBuilder, Node[], Node[]> Build)
{
    /// <summary>How often it can be differentiated and compared with differences; 3 where it is smooth.</summary>
    public int Orders { get; init; } = 2;

    /// <summary>Makes a case with one result.</summary>
    public static GradientCase One(string op, string label, Literal[] inputs, Func<GraphBuilder, Node[], Node> build) =>
        new(op, label, inputs, (b, p) => [build(b, p)]);

    /// <inheritdoc/>
    public override string ToString() => $"{Op}: {Label}";
}
