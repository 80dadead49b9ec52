using System.Collections.Immutable;

namespace Graphene;

/// <summary>Applies an elementwise function: element i of the result comes from element i of each operand.</summary>
/// <remarks>All operands have one shape and one dtype; broadcasting is explicit (<see cref="BroadcastInDimOp"/>).</remarks>
/// <param name="Fn">The row of the table.</param>
public sealed record ElementwiseOp(ElementwiseFn Fn) : Op(Fn.Name)
{
    /// <inheritdoc/>
    public override bool IsElementwise => true;

    /// <inheritdoc/>
    public override bool IsExpensive => Fn.IsExpensive;

    /// <inheritdoc/>
    public override bool HasElementForm => true;

    /// <inheritdoc/>
    protected override TensorType InferType(OpSite site)
    {
        site.RequireOperands(Fn.Arity);
        TensorType type = site.RequireDType(0, Fn.Accepts);
        for (int i = 1; i < Fn.Arity; i++)
        {
            site.RequireSameDType(0, i);
            site.RequireSameShape(0, i);
        }
        return new TensorType(Fn.Result ?? type.DType, type.Shape);
    }

    /// <inheritdoc/>
    protected override Literal Evaluate(IReadOnlyList<Literal> operands, TensorType result)
    {
        long position = 0;
        bool floating = operands[0].DType.IsFloating();
        return Literal.Generate(result, _ =>
        {
            Scalar value = floating ? EvaluateFloating(operands, position, result) : EvaluateInteger(operands, position, result);
            position++;
            return value;
        });
    }

    /// <inheritdoc/>
    public override ScalarExpr Element(ElementBuilder e, IndexVector at, int result)
    {
        var arguments = new ScalarExpr[Fn.Arity];
        for (int i = 0; i < arguments.Length; i++)
        {
            arguments[i] = e.Operand(i, at);
        }
        return Fn.Element(e, arguments);
    }

    /// <inheritdoc/>
    public override GradientRule Gradient => Fn switch
    {
        { Partials: not null } => new GradientRule(GradientKind.Defined, Fn.GradientNote),
        { GradientNote: { } why } => GradientRule.Zero(why),
        _ => GradientRule.Missing,
    };

    /// <inheritdoc/>
    protected override Node?[] Vjp(GraphBuilder b, Node self, Node cotangent) => Fn.Partials!(b, self, cotangent);

    /// <inheritdoc/>
    protected override Node? Jvp(GraphBuilder b, Node self, ImmutableArray<Node?> tangents)
    {
        Node? sum = null;
        for (int i = 0; i < tangents.Length; i++)
        {
            sum = tangents[i] is { } tangent ? b.SumOrNull(sum, Fn.Partials!(b, self, tangent)[i]) : sum;
        }
        return sum;
    }

    private Scalar EvaluateFloating(IReadOnlyList<Literal> operands, long position, TensorType result)
    {
        double value = Fn.ReferenceFloating!([.. operands.Select(o => o[position].AsDouble)]);
        return result.DType == DType.Bool ? Scalar.FromBool(value != 0) : Scalar.FromDouble(result.DType, value);
    }

    private Scalar EvaluateInteger(IReadOnlyList<Literal> operands, long position, TensorType result) =>
        Scalar.FromInteger(
            result.DType, Fn.ReferenceInteger!([.. operands.Select(o => o[position].AsInteger)], operands[0].DType));

    /// <inheritdoc/>
    public override Node[]? Vectorize(VectorizeSite site) => [site.Builder.Add(this, [.. site.AllMapped()])];
}
