using System.Collections.Immutable;

namespace Graphene;

/// <summary>Repeats a computation for as long as a condition holds.</summary>
/// <remarks>
/// Operands: the initial values of what is carried; nothing is captured, invariants are carried too. Results: the final values.
/// Before each round the condition is applied to the carried values, and the body gives the next ones; effects of both happen in
/// order. Source: StableHLO specification, while; labels are the specification's.
/// </remarks>
/// <param name="Condition">Takes the carried values, returns one bool.</param>
/// <param name="Body">Takes the carried values, returns the next ones.</param>
public sealed record WhileOp(Computation Condition, Computation Body) : Op("while")
{
    /// <summary>Reads the attributes that <see cref="Write"/> writes.</summary>
    public static Op Parse(AttributeReader a) => new WhileOp(a.Computation("condition"), a.Computation("body"));

    /// <inheritdoc/>
    public override bool HasSideEffects => Branches.HaveSideEffects(Computations);

    /// <inheritdoc/>
    public override bool IsExpensive => true;

    /// <inheritdoc/>
    public override ImmutableArray<Computation> Computations => [Condition, Body];

    /// <inheritdoc/>
    public override Op WithComputations(ImmutableArray<Computation> computations) =>
        this with { Condition = computations[0], Body = computations[1] };

    /// <inheritdoc/>
    public override void Write(AttributeWriter w)
    {
        w.Add("condition", Condition);
        w.Add("body", Body);
    }

    /// <inheritdoc/>
    public override ImmutableArray<TensorType> InferTypes(OpSite site)
    {
        site.Require( // C1
            Branches.CanBe(site.OperandTypes, Condition.ParameterTypes) &&
            Condition.ResultTypes.SequenceEqual([TensorType.Scalar(DType.Bool)]),
            DiagnosticId.BadBody, $"the condition is {Condition}",
            why: $"it must take ({string.Join(", ", site.OperandTypes)}) and return one bool");
        site.Require( // C2
            Branches.CanBe(site.OperandTypes, Body.ParameterTypes) && Branches.CanBe(Body.ResultTypes, Body.ParameterTypes),
            DiagnosticId.BadBody, $"the body is {Body}",
            why: $"it must take and return ({string.Join(", ", site.OperandTypes)})",
            fix: "what is carried keeps its element type and shape from round to round");
        return Body.ParameterTypes; // C3
    }

    /// <inheritdoc/>
    public override Literal[] EvaluateAll(IReadOnlyList<Literal> operands, ImmutableArray<TensorType> results)
    {
        Literal[] carried = [.. operands];
        while (Evaluator.Evaluate(Condition, carried)[0][0].AsBool)
        {
            carried = Evaluator.Evaluate(Body, carried);
        }
        return carried;
    }
}

/// <summary>Builds loops.</summary>
public static class WhileBuilder
{
    /// <summary>Repeats <paramref name="body"/> for as long as <paramref name="condition"/> holds; see <see cref="WhileOp"/>.</summary>
    /// <returns>The final values of what is carried.</returns>
    public static Node[] While(
        this GraphBuilder b, IReadOnlyList<Node> initial, Computation condition, Computation body) =>
        b.Results(b.Add(new WhileOp(condition, body), [.. initial]));
}
