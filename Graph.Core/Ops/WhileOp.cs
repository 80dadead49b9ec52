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
public sealed partial record WhileOp(Computation Condition, Computation Body) : Op("while")
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
            Branches.CanBe(site, site.OperandTypes, Condition.ParameterTypes) &&
            Condition.ResultTypes.SequenceEqual([TensorType.Scalar(DType.Bool)]),
            DiagnosticId.BadBody, $"the condition is {Condition}",
            why: $"it must take ({string.Join(", ", site.OperandTypes)}) and return one bool");
        site.Require( // C2
            Branches.CanBe(site, site.OperandTypes, Body.ParameterTypes) && Branches.CanBe(site, Body.ResultTypes, Body.ParameterTypes),
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

    /// <inheritdoc/>
    public override Node[]? Vectorize(VectorizeSite site) => LoopVectorization.Build(site, this);
}

/// <summary>Builds loops.</summary>
public static class WhileBuilder
{
    /// <summary>Repeats <paramref name="body"/> for as long as <paramref name="condition"/> holds; see <see cref="WhileOp"/>.</summary>
    /// <returns>The final values of what is carried.</returns>
    public static Node[] While(
        this GraphBuilder b, IReadOnlyList<Node> initial, Computation condition, Computation body) =>
        b.Results(b.Add(new WhileOp(condition, body), [.. initial]));

    /// <summary>Repeats a body for as long as a condition holds, both given as functions of the carried values.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="initial">The initial values of what is carried.</param>
    /// <param name="condition">Gives a bool scalar.</param>
    /// <param name="body">Gives the next values.</param>
    /// <returns>The final values of what is carried.</returns>
    public static Node[] While(
        this GraphBuilder b,
        IReadOnlyList<Node> initial,
        Func<GraphBuilder, Node[], Node> condition,
        Func<GraphBuilder, Node[], Node[]> body) =>
        b.While(initial, b.Nested("condition", initial, (inner, p) => [condition(inner, p)]), b.Nested("body", initial, body));

    /// <summary>Runs a body a number of times.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="count">How often; may be symbolic.</param>
    /// <param name="initial">The initial values of what is carried.</param>
    /// <param name="invariants">What the body reads besides; carried along unchanged.</param>
    /// <param name="body">Gives the next values from the round (an i64 scalar from 0), the carried values and the invariants.</param>
    /// <returns>The final values of what is carried.</returns>
    public static Node[] Repeat(
        this GraphBuilder b,
        Dim count,
        IReadOnlyList<Node> initial,
        IReadOnlyList<Node> invariants,
        Func<GraphBuilder, Node, Node[], Node[], Node[]> body)
    {
        int n = initial.Count;
        Node[] results = b.While(
            [b.Constant(DType.I64, 0), .. initial, .. invariants],
            (inner, p) => inner.Less(p[0], inner.DimValue(count)),
            (inner, p) =>
            [
                inner.Add(p[0], inner.Constant(DType.I64, 1)),
                .. body(inner, p[0], p[1..(n + 1)], p[(n + 1)..]),
                .. p[(n + 1)..],
            ]);
        return results[1..(n + 1)];
    }

    /// <summary>A computation over parameters of the types of some values, with its own builder and the outer one's provenance.</summary>
    /// <param name="b">The builder of the values.</param>
    /// <param name="name">A name for dumps.</param>
    /// <param name="like">Values whose types the parameters have.</param>
    /// <param name="body">Gives the results from the parameters.</param>
    public static Computation Nested(
        this GraphBuilder b, string name, IReadOnlyList<Node> like, Func<GraphBuilder, Node[], Node[]> body)
    {
        var inner = new GraphBuilder(b.Provenance) { CurrentOrigin = b.CurrentOrigin };
        Node[] parameters = [.. like.Select((node, i) => inner.Parameter(i, node.Type))];
        return inner.Build(name, body(inner, parameters));
    }
}
