namespace Graphene.Interop.Onnx;

/// <summary>An input or output of an imported model.</summary>
/// <param name="Name">The name in the file.</param>
/// <param name="ElementType">The element type in the file; Graphene may hold it in a wider one.</param>
/// <param name="Type">Storage type and shape, symbolic dimensions by the names in the file.</param>
public sealed record OnnxPort(string Name, OnnxDataType ElementType, TensorType Type);

/// <summary>An imported model: the program, and what the file says about its inputs and outputs.</summary>
/// <param name="Module">The program; parameter i is input i.</param>
/// <param name="Inputs">The inputs that a run must feed, in the order of the file.</param>
/// <param name="Outputs">The outputs, in the order of the file.</param>
/// <param name="SpecializedInputs">
/// Inputs whose values were taken from <see cref="OnnxImportOptions.InputValues"/> to compute shapes: the program is only right
/// when they are fed with these values.
/// </param>
/// <param name="FixedDims">Symbolic dimensions of the file that were given a size, by name.</param>
public sealed record OnnxModel(
    Module Module,
    IReadOnlyList<OnnxPort> Inputs,
    IReadOnlyList<OnnxPort> Outputs,
    IReadOnlyList<string> SpecializedInputs,
    IReadOnlyDictionary<string, long> FixedDims);
