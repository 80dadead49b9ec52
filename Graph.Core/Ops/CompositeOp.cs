using System.Collections.Immutable;

namespace Graphene;

/// <summary>
/// An operation that has a name of its own besides being a computation over primitives: whoever has a better kernel for the name
/// uses it, everybody else runs the computation.
/// </summary>
/// <remarks>
/// The name promises nothing that the decomposition does not say; attributes are constants inside of it. Source: StableHLO
/// specification, composite.
/// </remarks>
/// <param name="Kind">What it is, for example <c>attention</c>.</param>
/// <param name="Decomposition">What it computes.</param>
public sealed record CompositeOp(string Kind, Computation Decomposition) : Op("composite")
{
    /// <summary>Reads the attributes that <see cref="Write"/> writes.</summary>
    public static Op Parse(AttributeReader a) => new CompositeOp(a.Word("kind"), a.Computation("decomposition"));

    /// <inheritdoc/>
    public override bool IsExpensive => true;

    /// <inheritdoc/>
    public override ImmutableArray<Computation> Computations => [Decomposition];

    /// <inheritdoc/>
    public override Op WithComputations(ImmutableArray<Computation> computations) => this with { Decomposition = computations[0] };

    /// <inheritdoc/>
    public override void Write(AttributeWriter w)
    {
        w.AddWord("kind", Kind);
        w.Add("decomposition", Decomposition);
    }

    /// <inheritdoc/>
    public override ImmutableArray<TensorType> InferTypes(OpSite site)
    {
        site.RequireOperands(Decomposition.Parameters.Length);
        for (int i = 0; i < site.OperandCount; i++)
        {
            site.Require(
                site.Operand(i).Equals(Decomposition.Parameters[i].Type), DiagnosticId.BadBody,
                $"operand {i} is {site.Operand(i)}, the decomposition's parameter is {Decomposition.Parameters[i].Type}");
        }
        return Decomposition.ResultTypes;
    }

    /// <inheritdoc/>
    public override Literal[] EvaluateAll(IReadOnlyList<Literal> operands, ImmutableArray<TensorType> results) =>
        Evaluator.Evaluate(Decomposition, operands);
}

/// <summary>Builds composites.</summary>
public static class CompositeBuilder
{
    /// <summary>Applies a named computation.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="kind">What it is: one word.</param>
    /// <param name="decomposition">What it computes, without effects.</param>
    /// <param name="operands">One for each of its parameters.</param>
    /// <returns>One node per result.</returns>
    public static Node[] Composite(
        this GraphBuilder b, string kind, Computation decomposition, params ReadOnlySpan<Node> operands) =>
        b.Results(b.Add(new CompositeOp(kind, decomposition), [.. operands]));
}
