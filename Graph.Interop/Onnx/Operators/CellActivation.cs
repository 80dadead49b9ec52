using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>An activation of a recurrent layer, by name, with the parameters that the layer's attributes give it.</summary>
/// <param name="Name">The name, in lower case.</param>
/// <param name="Alpha">The first parameter.</param>
/// <param name="Beta">The second parameter.</param>
internal sealed record CellActivation(string Name, double Alpha, double Beta)
{
    // Defaults of those that take parameters; alpha and beta lists hold values only for these, in order.
    private static readonly Dictionary<string, (double? Alpha, double? Beta)> Known = new(StringComparer.Ordinal)
    {
        ["relu"] = (null, null),
        ["tanh"] = (null, null),
        ["sigmoid"] = (null, null),
        ["softsign"] = (null, null),
        ["softplus"] = (null, null),
        ["affine"] = (1, 0),
        ["leakyrelu"] = (0.01, null),
        ["thresholdedrelu"] = (1, null),
        ["scaledtanh"] = (1, 1),
        ["hardsigmoid"] = (0.2, 0.5),
        ["elu"] = (1, null),
    };

    /// <summary>The activations of a layer: those of the attribute, or the usual ones for each direction.</summary>
    public static CellActivation[] Read(OperatorCall c, string[] usual)
    {
        int directions = c.Text("direction", "forward") == "bidirectional" ? 2 : 1;
        IReadOnlyList<string> names = c.Attributes.Texts("activations") ?? [.. Enumerable.Repeat(usual, directions).SelectMany(n => n)];
        if (names.Count != usual.Length * directions)
        {
            throw c.Bad($"{c.Proto.OpType} has {names.Count} activations", $"it takes {usual.Length} in each direction");
        }
        var alphas = new Queue<float>(c.Attributes.Floats("activation_alpha") ?? []);
        var betas = new Queue<float>(c.Attributes.Floats("activation_beta") ?? []);
        return [.. names.Select(name =>
        {
            string lower = name.ToLowerInvariant();
            if (!Known.TryGetValue(lower, out (double? Alpha, double? Beta) usualParameters))
            {
                throw c.Bad(
                    $"{c.Proto.OpType} has the activation '{GraphOrder.Shorten(name)}'",
                    $"known are {string.Join(", ", Known.Keys)}");
            }
            return new CellActivation(lower, Next(alphas, usualParameters.Alpha), Next(betas, usualParameters.Beta));
        })];
    }

    /// <summary>Applies it.</summary>
    public Node Apply(GraphBuilder b, Node x) => Name switch
    {
        "relu" => b.Relu(x),
        "tanh" => b.HyperbolicTangent(x),
        "sigmoid" => b.Logistic(x),
        "softsign" => b.Softsign(x),
        "softplus" => b.Softplus(x),
        "affine" => b.Add(b.Multiply(x, b.Like(x, Alpha)), b.Like(x, Beta)),
        "leakyrelu" => b.LeakyRelu(x, Alpha),
        "thresholdedrelu" => b.ThresholdedRelu(x, Alpha),
        "scaledtanh" => b.Multiply(b.Like(x, Alpha), b.HyperbolicTangent(b.Multiply(x, b.Like(x, Beta)))),
        "hardsigmoid" => b.HardSigmoid(x, Alpha, Beta),
        _ => b.Elu(x, Alpha),
    };

    private static double Next(Queue<float> given, double? usual) =>
        usual is null ? 0 : given.TryDequeue(out float value) ? value : usual.Value;
}
