namespace Graphene.Optimizer;

/// <summary>Pads the input of a convolution whose features come last in a step of its own.</summary>
/// <remarks>
/// <code>
/// convolution(x, w), padded   =>   convolution(pad(x, 0), w)
/// </code>
/// Such a convolution is a matrix product that reads its input where it lies, so the zeros must lie there too. Writing them costs one
/// pass over a tensor that is read once per kernel position and panel of features, and tiles that would read nothing else leave
/// them out. Depthwise convolutions read so little that they rather look where the border is; they need their padding left out,
/// which is exact for finite weights only. Those that Winograd's filtering is chosen for copy their input into tiles anyway, and
/// write the zeros there. Where kernels look for the border as they
/// copy (<see cref="MachineTraits.ReadsBorders"/>) nothing but depthwise inputs is padded. Exact.
/// </remarks>
public sealed class ConvolutionPadding() : RewritePass("convolution-padding")
{
    /// <inheritdoc/>
    protected override bool LooksFor(Op op) => op is ConvolutionOp;

    /// <inheritdoc/>
    protected override Node? TryRewrite(GraphBuilder b, Node node)
    {
        if (node.Op is not ConvolutionOp { BatchGroups: 1 } op || op.Dimensions.ResultFeature != node.Rank - 1 ||
            op.Window.Any(w => w.BaseDilation != 1 || w.Reversed) || !op.Window.Any(WindowPadding.IsPadded) || LooksForTheBorder(op, node) ||
            (Context.Options.Machine.ReadsBorders && !op.IsDepthwise(node.Operands[1].Type)))
        {
            return null;
        }
        (Node padded, op) = WindowPadding.MoveOut(b, op, node.Operands[0], Scalar.Zero(node.Operands[0].DType));
        return b.Add(op, padded, node.Operands[1]);
    }

    private bool LooksForTheBorder(ConvolutionOp op, Node node) =>
        WinogradForm.IsChosen(node, Context.Options.Winograd) ||
        (op.IsDepthwise(node.Operands[1].Type) && node.Operands[1].Op is ConstantOp constant && constant.Value.IsFinite());
}
