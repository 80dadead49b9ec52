using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Operators that old exporters wrote and the standard has dropped.</summary>
internal static class Legacy
{
    public static IReadOnlyList<OperatorRow> Rows { get; } =
    [
        new("", "ImageScaler", 1, ImageScaler),
        new("", "Affine", 1, c => c.Output(0, Affine(c))),
        new("", "ScaledTanh", 1, c => c.Output(0, c.B.Multiply(
            c.B.Like(c.Input(0), c.Float("alpha", 1)),
            c.B.HyperbolicTangent(c.B.Multiply(c.Input(0), c.B.Like(c.Input(0), c.Float("beta", 1))))))),
        new("", "ParametricSoftplus", 1, c => c.Output(0, c.B.Multiply(
            c.B.Like(c.Input(0), c.Float("alpha", 1)),
            c.B.Softplus(c.B.Multiply(c.Input(0), c.B.Like(c.Input(0), c.Float("beta", 1))))))),
        new("", "Crop", 1, c => c.Output(0, Crop(c))),
    ];

    // scale * x + one bias per channel.
    private static void ImageScaler(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        Node scaled = b.Multiply(x, b.Like(x, c.Float("scale", 1)));
        float[] bias = [.. c.Attributes.Floats("bias") ?? []];
        Node perChannel = b.Convert(b.Constant(Literal.From<float>(bias, bias.Length)), x.DType);
        c.Output(0, bias.Length == 0 ? scaled : b.Add(scaled, b.AlongAxis(perChannel, x.Shape, 1)));
    }

    private static Node Affine(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        return b.Add(b.Multiply(x, b.Like(x, c.Float("alpha", 1))), b.Like(x, c.Float("beta", 0)));
    }

    // border: left, top, right, bottom; with scale, the height and width that are kept from left and top on.
    private static Node Crop(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        IReadOnlyList<long> border = c.Ints("border") ?? [];
        IReadOnlyList<long>? scale = c.Ints("scale");
        if (x.Rank != 4 || border.Count != 4 || (scale is not null && scale.Count != 2))
        {
            throw c.Bad($"Crop of {x.Type} has {border.Count} borders", "it takes images of rank 4 and four borders");
        }
        (Dim height, Dim width) = scale is not null
            ? (scale[0], scale[1])
            : (x.Shape[2] - border[1] - border[3], x.Shape[3] - border[0] - border[2]);
        return Slicing.Range(b, Slicing.Range(b, x, 2, border[1], height), 3, border[0], width);
    }
}
