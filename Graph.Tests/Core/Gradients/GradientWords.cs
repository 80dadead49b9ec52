namespace Graphene.Tests.Core.Gradients;

/// <summary>Words that the tests of gradients are written with.</summary>
internal static class GradientWords
{
    /// <summary>A number in every element of the type of a value.</summary>
    public static Node Like(this GraphBuilder b, Node x, double value) => b.Splat(x.DType, x.Shape, value);
}
