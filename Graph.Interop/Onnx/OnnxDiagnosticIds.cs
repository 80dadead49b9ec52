namespace Graphene.Interop.Onnx;

/// <summary>The errors that reading, importing and exporting an ONNX model can give.</summary>
public static class OnnxDiagnosticIds
{
    /// <summary>The path does not lead to a file that can be read.</summary>
    public static readonly DiagnosticId CannotOpen = new("GR4001", "model file cannot be opened");

    /// <summary>The file holds something other than an ONNX model.</summary>
    public static readonly DiagnosticId NotOnnx = new("GR4002", "not an ONNX model");

    /// <summary>The file is cut off or its bytes make no sense.</summary>
    public static readonly DiagnosticId Damaged = new("GR4003", "model file is damaged");

    /// <summary>The file asks for more than the limits allow.</summary>
    public static readonly DiagnosticId TooLarge = new("GR4004", "model exceeds a limit");

    /// <summary>The format or operator set version is missing or not known.</summary>
    public static readonly DiagnosticId BadVersion = new("GR4005", "version not supported");

    /// <summary>A stored tensor contradicts itself.</summary>
    public static readonly DiagnosticId BadTensor = new("GR4006", "stored tensor is invalid");

    /// <summary>A tensor's external data is missing, too short, or outside of the model's folder.</summary>
    public static readonly DiagnosticId BadExternalData = new("GR4007", "external data refused");

    /// <summary>The graph's names do not form a graph: a cycle, a duplicate, a value that nothing produces.</summary>
    public static readonly DiagnosticId BadGraph = new("GR4008", "graph structure is invalid");

    /// <summary>The model uses operators that the importer does not know.</summary>
    public static readonly DiagnosticId UnsupportedOperators = new("GR4009", "operators not supported");

    /// <summary>A node's attributes or inputs break the rules of its operator.</summary>
    public static readonly DiagnosticId BadNode = new("GR4010", "node is invalid");

    /// <summary>An element type or kind of value that Graphene does not have.</summary>
    public static readonly DiagnosticId UnsupportedType = new("GR4011", "type not supported");

    /// <summary>A known operator is used in a way that the importer does not handle.</summary>
    public static readonly DiagnosticId UnsupportedUse = new("GR4012", "use of an operator not supported");

    /// <summary>A dimension given for the import does not fit the model.</summary>
    public static readonly DiagnosticId BadDimension = new("GR4013", "dimension does not fit the model");

    /// <summary>An operator's result shape depends on values that only a run knows.</summary>
    public static readonly DiagnosticId ValueNeeded = new("GR4014", "value needed at import");

    /// <summary>A graph holds what no ONNX operators compute.</summary>
    public static readonly DiagnosticId NoOnnxForm = new("GR4015", "no ONNX form");

    /// <summary>A model file cannot be written.</summary>
    public static readonly DiagnosticId CannotWrite = new("GR4016", "model file cannot be written");

    /// <summary>A value given for an export is for no input, or not of its type.</summary>
    public static readonly DiagnosticId BadExportValue = new("GR4017", "value does not fit the graph");
}
