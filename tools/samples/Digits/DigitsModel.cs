using Graphene.Runtime;

namespace Graphene.Samples.Digits;

/// <summary>Reads handwritten digits: <c>image</c> u8[batch,28,28,1] goes in, <c>logits</c> f32[batch,10] comes out.</summary>
/// <remarks>Thread-safe; running allocates nothing.</remarks>
public sealed class DigitsModel : ICompiledModel<DigitsModel>
{
    /// <summary>The side of an image.</summary>
    public const int Side = 28;

    /// <summary>The number of classes.</summary>
    public const int Classes = 10;

    /// <summary>The bytes of one image: white ink on black, row by row.</summary>
    public const int ImageBytes = Side * Side;

    private readonly CompiledGraph _graph;
    private readonly Callable _run;

    private DigitsModel(CompiledGraph graph)
    {
        _graph = graph;
        _run = graph.Program().MakeCallable();
    }

    /// <inheritdoc/>
    public static string BundleName => "digits.graphene";

    /// <inheritdoc/>
    public static DigitsModel Create(CompiledGraph graph)
    {
        GraphProgram program = graph.Program();
        return program.Inputs is [{ Type: { DType: DType.U8, Shape: { Rank: 4 } image } }]
            && (image[1], image[2], image[3]) == ((Dim)Side, (Dim)Side, (Dim)1)
            && program.Outputs is [{ Type: { DType: DType.F32, Shape: { Rank: 2 } logits } }] && logits[1] == Classes
            ? new DigitsModel(graph)
            : throw new GraphException(
                RuntimeDiagnostics.BadFeed, $"'{graph.Name}' reads no digits: u8[batch,28,28,1] in and f32[batch,10] out are expected",
                why: $"it takes {string.Join(", ", program.Inputs.Select(i => i.Type))} "
                + $"and gives {string.Join(", ", program.Outputs.Select(o => o.Type))}",
                fix: "compile tools/cli/demo/digits.onnx");
    }

    /// <summary>Computes the logits of one image or several.</summary>
    /// <param name="images">784 bytes for each image.</param>
    /// <param name="logits">Receives 10 numbers for each image.</param>
    public void Run(ReadOnlySpan<byte> images, Span<float> logits) => _run.Run(images, logits);

    /// <inheritdoc/>
    public void Dispose()
    {
        _run.Dispose();
        _graph.Dispose();
    }
}
