using System.Collections.Immutable;

namespace Graphene;

/// <summary>An op about to be applied to many elements at once: some operands have a new first dimension, which counts them.</summary>
/// <param name="builder">Where the rule builds.</param>
/// <param name="node">The op as it is for one element, in another builder: for its types only.</param>
/// <param name="operands">The operands, with the new dimension where they are mapped.</param>
/// <param name="isMapped">Which operands differ from element to element; at least one.</param>
/// <param name="size">The number of elements.</param>
public sealed class VectorizeSite(
    GraphBuilder builder, Node node, ImmutableArray<Node> operands, ImmutableArray<bool> isMapped, Dim size)
{
    /// <summary>Where the rule builds.</summary>
    public GraphBuilder Builder => builder;

    /// <summary>The op as it is for one element: for its types only.</summary>
    public Node Node => node;

    /// <summary>The number of elements.</summary>
    public Dim Size => size;

    /// <summary>The number of operands.</summary>
    public int OperandCount => operands.Length;

    /// <summary>True when an operand differs from element to element.</summary>
    public bool IsMapped(int operand) => isMapped[operand];

    /// <summary>An operand as it is: with the new dimension only when it is mapped.</summary>
    public Node Operand(int operand) => operands[operand];

    /// <summary>An operand with the new dimension, repeated along it when it is not mapped.</summary>
    public Node Mapped(int operand) =>
        isMapped[operand] ? operands[operand] : builder.Repeated(operands[operand], size);

    /// <summary>All operands from one on, with the new dimension.</summary>
    public Node[] AllMapped(int first = 0) =>
        [.. Enumerable.Range(first, operands.Length - first).Select(Mapped)];

    /// <summary>
    /// An operand that may be a scalar where others are tensors: a scalar as long as it is not mapped, repeated to a shape otherwise.
    /// </summary>
    public Node ScalarOrLike(int operand, Shape shape) => node.Operands[operand].Rank > 0 ? Mapped(operand)
        : isMapped[operand] ? builder.BroadcastInDim(operands[operand], [size, .. shape], [0])
        : operands[operand];
}
