using System.Collections.Immutable;

namespace Graphene;

/// <summary>What the host does when a graph calls it.</summary>
public enum HostCallKind
{
    /// <summary>Writes the message and the operands' values to the log of the run.</summary>
    Print,

    /// <summary>Stops the run with the message and the other operands' values unless operand 0, a bool scalar, is true.</summary>
    Assert,

    /// <summary>Hands operand 0 to whoever listens, under the name that the message is.</summary>
    Tap,
}

/// <summary>An effect that the host carries out while the graph runs. No results.</summary>
/// <remarks>
/// Any operands. Calls happen in the order of the computation's effects. Each has its own ordinal, so two calls with equal
/// operands stay two calls, also in text and in the key of a computation.
/// </remarks>
/// <param name="Kind">What the host does.</param>
/// <param name="Message">Text for the reader.</param>
/// <param name="Ordinal">A number that no other host call of the graph has.</param>
public sealed record HostCallOp(HostCallKind Kind, string Message, long Ordinal) : Op("host_call")
{
    /// <summary>Reads the attributes that <see cref="Write"/> writes.</summary>
    public static Op Parse(AttributeReader a) =>
        new HostCallOp(a.Choice<HostCallKind>("kind"), a.Text("message"), a.Long("ordinal"));

    /// <inheritdoc/>
    public override bool HasSideEffects => true;

    /// <inheritdoc/>
    public override void Write(AttributeWriter w)
    {
        w.AddWord("kind", Kind.ToString().ToLowerInvariant());
        w.AddText("message", Message);
        w.Add("ordinal", Ordinal);
    }

    /// <inheritdoc/>
    public override ImmutableArray<TensorType> InferTypes(OpSite site)
    {
        site.Require(
            Kind != HostCallKind.Assert ||
            (site.OperandCount > 0 && site.Operand(0) is { DType: DType.Bool, Rank: 0 }),
            DiagnosticId.BadPredicate, $"an assertion needs a bool scalar as its first operand",
            fix: "reduce the condition with and first");
        site.Require(
            Kind != HostCallKind.Tap || site.OperandCount == 1, DiagnosticId.OperandCount,
            $"a tap has one operand, not {site.OperandCount}");
        return [];
    }

    /// <summary>Assertions are checked; what is printed or tapped goes nowhere, the reference has no log.</summary>
    /// <exception cref="GraphException">An assertion does not hold.</exception>
    public override Literal[] EvaluateAll(IReadOnlyList<Literal> operands, ImmutableArray<TensorType> results)
    {
        if (Kind == HostCallKind.Assert && !operands[0][0].AsBool)
        {
            throw new GraphException(
                DiagnosticId.AssertionFailed, $"assertion failed: {Message}",
                why: operands.Count > 1 ? string.Join("; ", operands.Skip(1).Select(LiteralText.Elide)) : null);
        }
        return [];
    }

    /// <inheritdoc/>
    public override GradientRule Gradient =>
        GradientRule.Zero("it has no results; the tensor that Tensor.Print gives back passes gradients on");
}

/// <summary>Builds host calls.</summary>
public static class HostCallBuilder
{
    /// <summary>A call to the host, to be listed among the computation's effects.</summary>
    public static Node HostCall(
        this GraphBuilder b, HostCallKind kind, string message, long ordinal, params ReadOnlySpan<Node> operands) =>
        b.Add(new HostCallOp(kind, message, ordinal), operands);
}
