using System.Collections.Immutable;

namespace Graphene;

/// <summary>How a fusion is scheduled; decided by the optimizer, obeyed by the back ends.</summary>
public enum FusionKind
{
    /// <summary>Loops over the results' elements.</summary>
    Loop,

    /// <summary>Reductions, with what produces their inputs and what follows them.</summary>
    Reduction,

    /// <summary>A dot_general, with the elementwise work on its result.</summary>
    Dot,

    /// <summary>A convolution, with the elementwise work on its result.</summary>
    Convolution,

    /// <summary>
    /// Several fusions side by side, so that they are called and shared between threads as one. The body holds nothing but fusions that
    /// read parameters; results are those of all of them, in order.
    /// </summary>
    Batch,
}

/// <summary>
/// A computation that becomes one kernel, or one call of several in a batch: nothing inside it goes through memory.
/// </summary>
/// <param name="Kind">How it is scheduled.</param>
/// <param name="Body">What it computes.</param>
public sealed record FusionOp(FusionKind Kind, Computation Body) : Op("fusion")
{
    /// <summary>Reads the attributes that <see cref="Write"/> writes.</summary>
    public static Op Parse(AttributeReader a) => new FusionOp(a.Choice<FusionKind>("kind"), a.Computation("body"));

    /// <inheritdoc/>
    public override bool IsExpensive => true;

    /// <inheritdoc/>
    public override ImmutableArray<Computation> Computations => [Body];

    /// <inheritdoc/>
    public override Op WithComputations(ImmutableArray<Computation> computations) => this with { Body = computations[0] };

    /// <inheritdoc/>
    public override void Write(AttributeWriter w)
    {
        w.AddWord("kind", Kind.ToString().ToLowerInvariant());
        w.Add("body", Body);
    }

    /// <inheritdoc/>
    public override ImmutableArray<TensorType> InferTypes(OpSite site)
    {
        site.RequireOperands(Body.Parameters.Length);
        for (int i = 0; i < site.OperandCount; i++)
        {
            site.Require(
                site.Operand(i).Equals(Body.Parameters[i].Type), DiagnosticId.BadBody,
                $"operand {i} is {site.Operand(i)}, the body's parameter is {Body.Parameters[i].Type}");
        }
        return Body.ResultTypes;
    }

    /// <inheritdoc/>
    public override Literal[] EvaluateAll(IReadOnlyList<Literal> operands, ImmutableArray<TensorType> results) =>
        Evaluator.Evaluate(Body, operands);

    /// <inheritdoc/>
    public override GradientRule Gradient => GradientRule.Defined;

    /// <inheritdoc/>
    public override Node?[] VjpAll(VjpSite site) => ComputationVjp.Apply(site, Body, site.Node.Operands, site.Cotangents);

    /// <inheritdoc/>
    public override Node?[] JvpAll(JvpSite site) => ComputationJvp.Apply(site, Body);

    /// <inheritdoc/>
    public override Node[]? Vectorize(VectorizeSite site) => CompositeOp.VectorizeBody(site, Body);
}
