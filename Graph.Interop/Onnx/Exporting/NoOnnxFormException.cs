namespace Graphene.Interop.Onnx.Exporting;

/// <summary>Thrown while one node is exported, and collected, so that the user hears of all such nodes at once.</summary>
/// <param name="why">What about the node has no form in ONNX.</param>
internal sealed class NoOnnxFormException(string why) : Exception(why);
