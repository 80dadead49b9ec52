namespace Graphene;

/// <summary>Arc functions of radians, by the angle of a point. NaN outside of their domains.</summary>
public static class InverseTrigonometryComposites
{
    /// <summary>The angle in 0..pi whose cosine is x.</summary>
    public static Node ArcCosine(this GraphBuilder b, Node x) =>
        b.Widened(x, w => b.ArcTangent2(OtherLeg(b, w), w));

    /// <summary>The angle in -pi/2..pi/2 whose sine is x; keeps -0.0.</summary>
    public static Node ArcSine(this GraphBuilder b, Node x) =>
        b.Widened(x, w => b.ArcTangent2(w, OtherLeg(b, w)));

    /// <summary>The angle in -pi/2..pi/2 whose tangent is x; keeps -0.0.</summary>
    public static Node ArcTangent(this GraphBuilder b, Node x) => b.ArcTangent2(x, b.Like(x, 1));

    // sqrt(1 - x^2), as a product because 1 - x^2 cancels near 1.
    private static Node OtherLeg(GraphBuilder b, Node x)
    {
        Node one = b.Like(x, 1);
        return b.SquareRoot(b.Multiply(b.Subtract(one, x), b.Add(one, x)));
    }
}
