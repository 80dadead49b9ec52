namespace Graphene.Optimizer;

/// <summary>Moves reshapes behind the elementwise work that follows a dot or convolution, so that fusion finds it at once.</summary>
/// <remarks>
/// <code>
/// d = dot(x, w);  r = reshape d;  y = r + broadcast(bias) + residual
///   =>  d = dot(x, w);  z = d + broadcast'(bias) + reshape(residual);  y = reshape z
/// </code>
/// Exact. Reshapes of what lies in memory cost nothing; broadcasts are rebuilt in the other shape where their dimensions allow.
/// </remarks>
public sealed class ReshapeSinking() : RewritePass("reshape-sinking")
{
    /// <inheritdoc/>
    protected override Node? TryRewrite(GraphBuilder b, Node node)
    {
        if (!node.Op.IsElementwise || node.Operands.FirstOrDefault(o => IsReshapedHero(o, node)) is not { } first)
        {
            return null;
        }
        Shape shape = first.Operands[0].Shape;
        var operands = new Node[node.Operands.Length];
        for (int i = 0; i < operands.Length; i++)
        {
            Node operand = node.Operands[i];
            if (operand.Rank == 0)
            {
                operands[i] = operand;
            }
            else if (TryReshape(b, operand, shape) is { } reshaped)
            {
                operands[i] = reshaped;
            }
            else
            {
                return null;
            }
        }
        return b.Reshape(b.Add(node.Op, operands), node.Shape);
    }

    private static bool IsReshapedHero(Node operand, Node user) =>
        operand is { Op: ReshapeOp, Operands: [var x] } && operand.Shape.Equals(user.Shape) && HeroChain.Contains(x);

    // The operand under another shape, without work for anybody: null when that would put index arithmetic into a kernel.
    private static Node? TryReshape(GraphBuilder b, Node operand, Shape shape) => operand switch
    {
        { Op: ReshapeOp, Operands: [var x] } => b.Reshape(x, shape),
        { Op: ParameterOp or ConstantOp } when Splats.ValueOf(operand) is null => b.Reshape(operand, shape),
        _ when Splats.ValueOf(operand) is { } splat => Splats.Make(b, splat, shape),
        { Op: BroadcastInDimOp op, Operands: [var x] } => BroadcastRegrouping.TryRegroup(b, x, op, shape),
        _ => b.Reshape(operand, shape),
    };
}
