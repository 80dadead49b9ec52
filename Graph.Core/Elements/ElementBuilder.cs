using System.Collections.Immutable;

namespace Graphene;

/// <summary>What an op's element form is written with: its operands' elements, and the making of expressions.</summary>
/// <param name="composer">Knows the expressions of the operands.</param>
/// <param name="node">The node whose element is asked for.</param>
public sealed class ElementBuilder(ElementComposer composer, Node node) : ExprFactory(composer.Pool)
{
    /// <summary>Element <paramref name="at"/> of operand <paramref name="operand"/>.</summary>
    public ScalarExpr Operand(int operand, IndexVector at) => composer.Element(node.Operands[operand], at);

    /// <summary>The only element of a scalar operand.</summary>
    public ScalarExpr Operand(int operand) => Operand(operand, IndexVector.Scalar);

    /// <summary>The type of operand <paramref name="operand"/>.</summary>
    public TensorType OperandType(int operand) => node.Operands[operand].Type;

    /// <summary>The number of operands.</summary>
    public int OperandCount => node.Operands.Length;

    /// <summary>The result types.</summary>
    public ImmutableArray<TensorType> ResultTypes => node.Types;

    /// <summary>Applies a computation over scalars, for example a reduction's body.</summary>
    public ScalarExpr[] Apply(Computation body, params ScalarExpr[] arguments) => composer.Apply(body, arguments);
}
