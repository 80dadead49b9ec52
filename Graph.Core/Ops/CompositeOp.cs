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
/// <param name="CustomVjp">
/// The gradient, when it is not that of the decomposition: takes the first operands, the results, the results' cotangents and the
/// other operands; returns the cotangents of the first operands. The others count as constants.
/// </param>
public sealed record CompositeOp(string Kind, Computation Decomposition, Computation? CustomVjp = null) : Op("composite")
{
    /// <summary>The kind of the identity that ends gradients.</summary>
    public const string StopGradient = "stop_gradient";

    /// <summary>The kind of what is computed again for its gradient instead of being kept.</summary>
    public const string Checkpoint = "checkpoint";

    /// <summary>Reads the attributes that <see cref="Write"/> writes.</summary>
    public static Op Parse(AttributeReader a) => new CompositeOp(
        a.Word("kind"), a.Computation("decomposition"), a.Has("custom_vjp") ? a.Computation("custom_vjp") : null);

    /// <inheritdoc/>
    public override bool IsExpensive => true;

    /// <inheritdoc/>
    public override ImmutableArray<Computation> Computations => CustomVjp is null ? [Decomposition] : [Decomposition, CustomVjp];

    /// <inheritdoc/>
    public override Op WithComputations(ImmutableArray<Computation> computations) => this with
    {
        Decomposition = computations[0],
        CustomVjp = CustomVjp is null ? null : computations[1],
    };

    /// <inheritdoc/>
    public override void Write(AttributeWriter w)
    {
        w.AddWord("kind", Kind);
        w.Add("decomposition", Decomposition);
        if (CustomVjp is not null)
        {
            w.Add("custom_vjp", CustomVjp);
        }
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
        if (CustomVjp is not null)
        {
            int first = CustomVjp.Results.Length;
            ImmutableArray<TensorType> results = Decomposition.ResultTypes;
            TensorType[] taken =
                [.. site.OperandTypes.Take(first), .. results, .. results, .. site.OperandTypes.Skip(first)];
            site.Require(
                first <= site.OperandCount && CustomVjp.ParameterTypes.SequenceEqual(taken) &&
                CustomVjp.ResultTypes.SequenceEqual(site.OperandTypes.Take(first)),
                DiagnosticId.BadBody, $"the gradient is {CustomVjp}",
                why: $"it must take ({string.Join(", ", taken.AsEnumerable())}) and return the cotangents of the first operands");
        }
        return Decomposition.ResultTypes;
    }

    /// <inheritdoc/>
    public override Literal[] EvaluateAll(IReadOnlyList<Literal> operands, ImmutableArray<TensorType> results) =>
        Evaluator.Evaluate(Decomposition, operands);

    /// <inheritdoc/>
    public override GradientRule Gradient => Kind == StopGradient
        ? GradientRule.Zero("gradients end at a stop_gradient")
        : GradientRule.DefinedBut("that of the decomposition, unless it has its own or is a stop_gradient");

    /// <inheritdoc/>
    public override Node?[] VjpAll(VjpSite site)
    {
        GraphBuilder b = site.Builder;
        ImmutableArray<Node> operands = site.Node.Operands;
        if (CustomVjp is not null)
        {
            Node[] cotangents = [.. Enumerable.Range(0, site.Node.Types.Length).Select(site.Cotangent)];
            Node?[] found = [.. ApplyCustom(b, site.Node, cotangents)];
            return [.. found, .. new Node?[operands.Length - found.Length]];
        }
        if (Kind != Checkpoint)
        {
            return ComputationVjp.Apply(site, Decomposition, operands, site.Cotangents);
        }

        // Behind a barrier nothing is merged with the first computation, and nothing can run before the cotangents are there.
        // Results are there anyway; all else is computed again.
        Node[] behind = b.OptimizationBarrier([.. operands, .. b.Results(site.Node), .. site.Cotangents.OfType<Node>()]);
        int results = operands.Length + site.Node.Types.Length;
        int next = results;
        Node?[] given = [.. site.Cotangents.Select(c => c is null ? null : behind[next++])];
        return ComputationVjp.Apply(
            site, Decomposition, behind[..operands.Length], given, behind[operands.Length..results]);
    }

    /// <inheritdoc/>
    public override Node?[] JvpAll(JvpSite site)
    {
        if (CustomVjp is null)
        {
            return ComputationJvp.Apply(site, Decomposition);
        }

        // The gradient is linear in the cotangents; transposing it once more gives the derivative itself.
        GraphBuilder b = site.Builder;
        Node[] given = [.. site.Node.Types.Select(
            (type, i) => b.OptimizationBarrier(b.Zeros(type), b.Constant(DType.I64, i))[0])];
        ImmutableArray<Node> cotangents = ApplyCustom(b, site.Node, given);
        return ReverseMode.Run(b, cotangents, [.. site.Tangents.Take(cotangents.Length)], given);
    }

    private ImmutableArray<Node> ApplyCustom(GraphBuilder b, Node self, IReadOnlyList<Node> cotangents)
    {
        int first = CustomVjp!.Results.Length;
        Node[] arguments = [.. self.Operands.Take(first), .. b.Results(self), .. cotangents, .. self.Operands.Skip(first)];
        return ComputationCloner.Inline(CustomVjp, b, arguments).Results;
    }

    /// <inheritdoc/>
    public override Node[]? Vectorize(VectorizeSite site)
    {
        GraphBuilder b = site.Builder;
        if (CustomVjp is null && Kind != Checkpoint && Kind != StopGradient)
        {
            return VectorizeBody(site, Decomposition);
        }

        // With all operands mapped, what the composite means for gradients is mapped as it is.
        Computation mapped = AllMapped(Decomposition);
        return b.Results(b.Add(
            new CompositeOp(Kind, mapped, CustomVjp is null ? null : AllMapped(CustomVjp)), [.. site.AllMapped()]));

        Computation AllMapped(Computation computation)
        {
            bool[] all = [.. Enumerable.Repeat(true, computation.Parameters.Length)];
            bool[] returned = [.. Enumerable.Repeat(true, computation.Results.Length)];
            return VectorizedComputation.Close(computation, all, site.Size, returned, b.Provenance).Computation;
        }
    }

    /// <summary>For ops that are nothing but a computation.</summary>
    internal static Node[] VectorizeBody(VectorizeSite site, Computation body)
    {
        Node[] operands = [.. Enumerable.Range(0, site.OperandCount).Select(site.Operand)];
        bool[] flags = [.. Enumerable.Range(0, site.OperandCount).Select(site.IsMapped)];
        (Node[] results, bool[] mapped) = VectorizedComputation.Apply(site.Builder, body, operands, flags, site.Size);
        return [.. results.Select((r, i) => mapped[i] ? r : site.Builder.Repeated(r, site.Size))];
    }
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
