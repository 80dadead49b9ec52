namespace Graphene.Tests.Core;

/// <summary>One use of an op, from which the table-driven tests are made.</summary>
/// <param name="Op">The name of the op that is under test.</param>
/// <param name="Label">What is special about this use.</param>
/// <param name="Inputs">The values of the parameters.</param>
/// <param name="Build">Makes the node from the parameters.</param>
internal sealed record OpCase(string Op, string Label, Literal[] Inputs, Func<GraphBuilder, Node[], Node> Build)
{
    /// <summary>How far reference and element form may be apart, relatively; 0 for the same bits.</summary>
    public double Tolerance { get; init; }

    /// <summary>False when the reference cannot evaluate it.</summary>
    public bool Runs { get; init; } = true;

    /// <summary>The computation and the node under test.</summary>
    public (Computation Computation, Node Node) Make()
    {
        var b = new GraphBuilder();
        Node[] parameters = [.. Inputs.Select((x, i) => b.Parameter(i, x.Type))];
        Node node = Build(b, parameters);
        return (b.Build("case", b.Results(node), node.Op.HasSideEffects ? [node] : []), node);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Op}: {Label}";
}
