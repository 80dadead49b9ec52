namespace Graphene.Interop.Onnx.Reading;

/// <summary>Words the errors about a file as such; errors about nodes are worded where the node is imported.</summary>
internal static class OnnxErrors
{
    public static GraphException CannotOpen(string file, string why, string? fix = null) =>
        new(OnnxDiagnosticIds.CannotOpen, "onnx: the model cannot be opened", file, why, fix ?? "pass the path of an .onnx file");

    public static GraphException NotOnnx(string file, string why, string? fix = null) =>
        new(OnnxDiagnosticIds.NotOnnx, "onnx: the file is not an ONNX model", file, why, fix ?? "pass the path of an .onnx file");

    public static GraphException Damaged(string file, string why) =>
        new(OnnxDiagnosticIds.Damaged, "onnx: the file is damaged or not an ONNX model", file, why, "copy or export the file again");

    public static GraphException TooLarge(string file, string why) =>
        new(OnnxDiagnosticIds.TooLarge, "onnx: the model exceeds a limit", file, why,
            "if the file is genuine, raise the limit in OnnxLoadOptions or keep weights as external data");

    public static GraphException BadVersion(string file, string what, string why, string fix) =>
        new(OnnxDiagnosticIds.BadVersion, what, file, why, fix);

    public static GraphException BadTensor(string tensor, string what, string why) =>
        new(OnnxDiagnosticIds.BadTensor, $"onnx: {what}", tensor, why, "export the model again");

    public static GraphException BadExternalData(string tensor, string what, string why, string fix) =>
        new(OnnxDiagnosticIds.BadExternalData, $"onnx: {what}", tensor, why, fix);
}
