namespace Graphene;

/// <summary>Values with another gradient than what they are computed by.</summary>
public static class GradientMarks
{
    /// <summary>The same value, which counts as a constant for gradients.</summary>
    public static Node StopGradient(this GraphBuilder b, Node x)
    {
        var inner = new GraphBuilder(b.Provenance);
        return b.Composite(
            CompositeOp.StopGradient, inner.Build(CompositeOp.StopGradient, [inner.Parameter(0, x.Type)]), x)[0];
    }
}
