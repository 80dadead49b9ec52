using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace Graphene;

/// <summary>An op about to be applied: its operands, and the words for what is wrong with them.</summary>
/// <param name="op">The op.</param>
/// <param name="operands">What it is applied to.</param>
/// <param name="builder">The builder that will own the node; gives the user's source line.</param>
public sealed class OpSite(Op op, ImmutableArray<Node> operands, GraphBuilder? builder = null)
{
    /// <summary>Collects what inference could not decide; null when nobody asks.</summary>
    internal IList<DimCheck>? Checks { get; init; }

    /// <summary>The number of operands.</summary>
    public int OperandCount => operands.Length;

    /// <summary>The type of operand <paramref name="index"/>.</summary>
    public TensorType Operand(int index) => operands[index].Type;

    /// <summary>Operand <paramref name="index"/> itself.</summary>
    public Node OperandNode(int index) => operands[index];

    /// <summary>The types of all operands.</summary>
    public ImmutableArray<TensorType> OperandTypes => [.. operands.Select(o => o.Type)];

    /// <summary>Throws unless the op has <paramref name="count"/> operands.</summary>
    public void RequireOperands(int count) => Require(
        operands.Length == count, DiagnosticId.OperandCount, $"takes {count} operands, not {operands.Length}");

    /// <summary>Throws unless operand <paramref name="index"/> has one of the accepted element types.</summary>
    public TensorType RequireDType(int index, DTypeSet accepted)
    {
        TensorType type = Operand(index);
        Require(
            accepted.Contains(type.DType), DiagnosticId.DTypeNotAccepted,
            $"does not accept {type} as operand {index}",
            why: $"accepted element types: {accepted.Describe()}",
            fix: "convert the operand first");
        return type;
    }

    /// <summary>Throws unless both operands have one element type.</summary>
    public void RequireSameDType(int left, int right) => Require(
        Operand(left).DType == Operand(right).DType, DiagnosticId.DTypeMismatch,
        $"operands {left} and {right} have different element types: {Operand(left)} and {Operand(right)}",
        fix: $"convert one of them, for example operand {right} to {Operand(left).DType.Name()}");

    /// <summary>
    /// Throws when two operands are known to have different shapes. Dims that may turn out equal pass; the runtime checks them.
    /// </summary>
    public void RequireSameShape(int left, int right)
    {
        Shape x = Operand(left).Shape;
        Shape y = Operand(right).Shape;
        bool same = x.Rank == y.Rank;
        for (int i = 0; same && i < x.Rank; i++)
        {
            same = CanBeEqual(x[i], y[i]);
        }
        Require(
            same, DiagnosticId.ShapeMismatch, $"operands {left} and {right} have different shapes: {Operand(left)} and {Operand(right)}",
            fix: "broadcast, slice or reshape one of them first");
    }

    /// <summary>False when two dims are known to differ. What the types cannot decide is noted as a run-time check.</summary>
    public bool CanBeEqual(Dim left, Dim right)
    {
        if (left == right)
        {
            return true;
        }
        if (left.ProvablyDiffers(right))
        {
            return false;
        }
        Checks?.Add(new DimCheck(left, DimRelation.Equal, right));
        return true;
    }

    /// <summary>False when one dim is known to be larger than another. What cannot be decided is noted as a run-time check.</summary>
    public bool CanBeAtMost(Dim left, Dim right)
    {
        DimRange difference = (left - right).Range;
        if (difference.Min > 0)
        {
            return false;
        }
        if (difference.Max > 0)
        {
            Checks?.Add(new DimCheck(left, DimRelation.AtMost, right));
        }
        return true;
    }

    /// <summary>Throws unless a body takes two groups of scalars of the given types and returns one such group.</summary>
    public void RequireReductionBody(Computation body, IReadOnlyList<DType> types)
    {
        TensorType[] group = [.. types.Select(TensorType.Scalar)];
        Require(
            body.ParameterTypes.SequenceEqual([.. group, .. group]) && body.ResultTypes.SequenceEqual(group), DiagnosticId.BadBody,
            $"the body is {body}",
            why: "it must take the running values and the next ones and return one of each of: "
                + string.Join(", ", types.Select(t => t.Name())));
    }

    /// <summary>Throws unless a condition holds.</summary>
    /// <param name="condition">What must hold.</param>
    /// <param name="id">The error's identity.</param>
    /// <param name="what">What is wrong, without the op's name; only formatted when needed.</param>
    /// <param name="why">The rule.</param>
    /// <param name="fix">What to do.</param>
    public void Require(
        bool condition,
        DiagnosticId id,
        [InterpolatedStringHandlerArgument(nameof(condition))] RequireMessage what,
        string? why = null,
        string? fix = null)
    {
        if (!condition)
        {
            throw Error(id, what.ToString(), why, fix);
        }
    }

    /// <summary>The error, placed at the user's line.</summary>
    public GraphException Error(DiagnosticId id, string what, string? why = null, string? fix = null)
    {
        string inputs = string.Join(", ", operands.Select(o => o.Types.Length == 1 ? o.Type.ToString() : o.Op.Name));
        string where = $"{op.Name}({inputs})";
        if (builder?.CurrentOrigin is { } origin)
        {
            where += $"   built in {origin}";
        }
        return new GraphException(id, $"{op.Name}: {what}", where, why, fix);
    }
}

/// <summary>Formats a message only when the condition it belongs to failed.</summary>
[InterpolatedStringHandler]
public ref struct RequireMessage
{
    private DefaultInterpolatedStringHandler _text;

    /// <summary>Called by the compiler.</summary>
    public RequireMessage(int literalLength, int formattedCount, bool condition, out bool enabled)
    {
        enabled = !condition;
        _text = enabled ? new DefaultInterpolatedStringHandler(literalLength, formattedCount) : default;
    }

    /// <summary>Called by the compiler.</summary>
    public void AppendLiteral(string value) => _text.AppendLiteral(value);

    /// <summary>Called by the compiler.</summary>
    public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);

    /// <inheritdoc/>
    public override string ToString() => _text.ToStringAndClear();
}
