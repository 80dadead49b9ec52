namespace Graphene.Optimizer;

/// <summary>Writes out a repeated scalar where a dot or a convolution multiplies by it.</summary>
/// <remarks>
/// <code>
/// dot(x, broadcast 0.5)   =>   dot(x, constant [0.5, 0.5, ...])
/// </code>
/// Those schedules read their right operand from memory, packed; a scalar in its place would send them back to plain loops. Models
/// whose weights are made by a fill (for tests, or before training) have such operands. Exact.
/// </remarks>
public sealed class OperandMaterialization() : RewritePass("operand-materialization")
{
    // As much as a large layer's weights; more would rather be a mistake than a model.
    private const long MostBytes = 512L << 20;

    /// <inheritdoc/>
    protected override bool LooksFor(Op op) => op is DotGeneralOp or ConvolutionOp;

    /// <inheritdoc/>
    protected override Node? TryRewrite(GraphBuilder b, Node node)
    {
        if (node.Op is not (DotGeneralOp or ConvolutionOp) || node.Operands[1] is not { Op: not ConstantOp } weights ||
            Splats.ValueOf(weights) is not { } value || weights.Type.SizeInBytes is not { IsStatic: true, Value: <= MostBytes and > 0 })
        {
            return null;
        }
        return b.Add(node.Op, node.Operands[0], b.Constant(Literal.Splat(weights.Type, value)));
    }
}
