using System.Collections.Immutable;

namespace Graphene;

/// <summary>Runs one of two computations.</summary>
/// <remarks>
/// Operands: a bool scalar, then the arguments that both branches take; nothing is captured. Results: the branches' results,
/// whose types must agree. Only the chosen branch runs, its effects in order. Source: StableHLO specification, if.
/// </remarks>
/// <param name="WhenTrue">Runs when the predicate holds.</param>
/// <param name="WhenFalse">Runs otherwise.</param>
public sealed record IfOp(Computation WhenTrue, Computation WhenFalse) : Op("if")
{
    /// <summary>Reads the attributes that <see cref="Write"/> writes.</summary>
    public static Op Parse(AttributeReader a) => new IfOp(a.Computation("true"), a.Computation("false"));

    /// <inheritdoc/>
    public override bool HasSideEffects => Branches.HaveSideEffects(Computations);

    /// <inheritdoc/>
    public override bool IsExpensive => true;

    /// <inheritdoc/>
    public override ImmutableArray<Computation> Computations => [WhenTrue, WhenFalse];

    /// <inheritdoc/>
    public override Op WithComputations(ImmutableArray<Computation> computations) =>
        this with { WhenTrue = computations[0], WhenFalse = computations[1] };

    /// <inheritdoc/>
    public override void Write(AttributeWriter w)
    {
        w.Add("true", WhenTrue);
        w.Add("false", WhenFalse);
    }

    /// <inheritdoc/>
    public override ImmutableArray<TensorType> InferTypes(OpSite site)
    {
        site.Require(
            site.OperandCount > 0 && site.Operand(0).Equals(TensorType.Scalar(DType.Bool)), DiagnosticId.BadPredicate,
            $"the predicate is {(site.OperandCount > 0 ? site.Operand(0).ToString() : "missing")}, not a bool scalar",
            fix: "reduce it to one element first");
        return Branches.InferTypes(site, Computations);
    }

    /// <inheritdoc/>
    public override Literal[] EvaluateAll(IReadOnlyList<Literal> operands, ImmutableArray<TensorType> results) =>
        Evaluator.Evaluate(operands[0][0].AsBool ? WhenTrue : WhenFalse, [.. operands.Skip(1)]);

    /// <inheritdoc/>
    public override GradientRule Gradient => GradientRule.DefinedBut(
        "the chosen branch runs again for the values that derivatives need; its effects are not repeated");

    /// <inheritdoc/>
    public override Node?[] VjpAll(VjpSite site) => BranchGradients.Vjp(site, Computations, c => new IfOp(c[0], c[1]));

    /// <inheritdoc/>
    public override Node?[] JvpAll(JvpSite site) => BranchGradients.Jvp(site, Computations, c => new IfOp(c[0], c[1]));

    /// <inheritdoc/>
    public override Node[]? Vectorize(VectorizeSite site) =>
        BranchVectorization.OneChoice(site, Computations, c => new IfOp(c[0], c[1])) ??
        BranchVectorization.Both(site, WhenTrue, WhenFalse);
}

/// <summary>Runs one of several computations, by number.</summary>
/// <remarks>
/// Operands: an i32 scalar, then the arguments that all branches take; nothing is captured. A number that is no branch runs the
/// last one. Results: the branches' results, whose types must agree. Source: StableHLO specification, case.
/// </remarks>
/// <param name="Cases">The branches; computations compare by value.</param>
public sealed record CaseOp(ValueList<Computation> Cases) : Op("case")
{
    /// <summary>Reads the attributes that <see cref="Write"/> writes.</summary>
    public static Op Parse(AttributeReader a) => new CaseOp(a.Computations("cases").ToValueList());

    /// <inheritdoc/>
    public override bool HasSideEffects => Branches.HaveSideEffects(Computations);

    /// <inheritdoc/>
    public override bool IsExpensive => true;

    /// <inheritdoc/>
    public override ImmutableArray<Computation> Computations => [.. Cases];

    /// <inheritdoc/>
    public override Op WithComputations(ImmutableArray<Computation> computations) =>
        this with { Cases = computations.ToValueList() };

    /// <inheritdoc/>
    public override void Write(AttributeWriter w) => w.Add("cases", Computations);

    /// <inheritdoc/>
    public override ImmutableArray<TensorType> InferTypes(OpSite site)
    {
        site.Require(Cases.Count > 0, DiagnosticId.BadBody, $"has no branches"); // C1
        site.Require(
            site.OperandCount > 0 && site.Operand(0).Equals(TensorType.Scalar(DType.I32)), DiagnosticId.BadPredicate,
            $"the branch number is {(site.OperandCount > 0 ? site.Operand(0).ToString() : "missing")}, not an i32 scalar");
        return Branches.InferTypes(site, Computations);
    }

    /// <inheritdoc/>
    public override Literal[] EvaluateAll(IReadOnlyList<Literal> operands, ImmutableArray<TensorType> results)
    {
        Int128 number = operands[0][0].AsInteger;
        int chosen = number >= 0 && number < Cases.Count ? (int)number : Cases.Count - 1;
        return Evaluator.Evaluate(Cases[chosen], [.. operands.Skip(1)]);
    }

    /// <inheritdoc/>
    public override GradientRule Gradient => GradientRule.DefinedBut(
        "the chosen branch runs again for the values that derivatives need; its effects are not repeated");

    /// <inheritdoc/>
    public override Node?[] VjpAll(VjpSite site) => BranchGradients.Vjp(site, Computations, c => new CaseOp(c.ToValueList()));

    /// <inheritdoc/>
    public override Node?[] JvpAll(JvpSite site) => BranchGradients.Jvp(site, Computations, c => new CaseOp(c.ToValueList()));

    /// <inheritdoc/>
    public override Node[]? Vectorize(VectorizeSite site) =>
        BranchVectorization.OneChoice(site, Computations, c => new CaseOp(c.ToValueList()));
}

/// <summary>What ops that choose between computations have in common.</summary>
internal static class Branches
{
    public static bool HaveSideEffects(ImmutableArray<Computation> computations) =>
        computations.Any(c => !c.Effects.IsEmpty);

    /// <summary>Checks the arguments after the first operand, and gives the types that the branches agree on.</summary>
    public static ImmutableArray<TensorType> InferTypes(OpSite site, ImmutableArray<Computation> branches)
    {
        ImmutableArray<TensorType> arguments = site.OperandTypes.RemoveAt(0);
        foreach (Computation branch in branches)
        {
            site.Require(
                CanBe(site, arguments, branch.ParameterTypes), DiagnosticId.BadBody,
                $"branch {branch} does not take the arguments ({string.Join(", ", arguments)})");
            site.Require(
                CanBe(site, branch.ResultTypes, branches[0].ResultTypes), DiagnosticId.BadBody,
                $"branches return different types: ({string.Join(", ", branches[0].ResultTypes)}) and " +
                $"({string.Join(", ", branch.ResultTypes)})",
                fix: "convert, broadcast or pad inside the branches so that they agree");
        }
        return branches[0].ResultTypes;
    }

    /// <summary>True when values of some types may be passed for others: equal, or so if run-time checks find dims equal.</summary>
    public static bool CanBe(OpSite site, IReadOnlyList<TensorType> actual, IReadOnlyList<TensorType> expected) =>
        actual.Count == expected.Count && actual.Zip(expected).All(
            p => p.First.DType == p.Second.DType && p.First.Rank == p.Second.Rank &&
                p.First.Shape.Zip(p.Second.Shape).All(d => site.CanBeEqual(d.First, d.Second)));
}

/// <summary>Builds conditionals.</summary>
public static class IfBuilder
{
    /// <summary>Runs one of two computations over the same arguments; see <see cref="IfOp"/>.</summary>
    /// <returns>The results.</returns>
    public static Node[] If(
        this GraphBuilder b, Node predicate, IReadOnlyList<Node> arguments, Computation whenTrue, Computation whenFalse) =>
        b.Results(b.Add(new IfOp(whenTrue, whenFalse), [predicate, .. arguments]));

    /// <summary>Runs one of several computations over the same arguments; see <see cref="CaseOp"/>.</summary>
    /// <returns>The results.</returns>
    public static Node[] Case(
        this GraphBuilder b, Node number, IReadOnlyList<Node> arguments, IReadOnlyList<Computation> cases) =>
        b.Results(b.Add(new CaseOp(cases.ToValueList()), [number, .. arguments]));
}
