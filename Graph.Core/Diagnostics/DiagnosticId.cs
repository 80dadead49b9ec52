namespace Graphene;

/// <summary>The identity of an error a user can meet; docs/errors has one page for each.</summary>
/// <param name="Code">For example <c>GR1203</c>.</param>
/// <param name="Title">The rule that was broken, in a few words.</param>
public sealed partial record DiagnosticId(string Code, string Title)
{
    /// <summary>An op got a wrong number of operands.</summary>
    public static readonly DiagnosticId OperandCount = new("GR1001", "wrong number of operands");

    /// <summary>An op does not accept an element type.</summary>
    public static readonly DiagnosticId DTypeNotAccepted = new("GR1002", "element type not accepted");

    /// <summary>Operands must have the same element type.</summary>
    public static readonly DiagnosticId DTypeMismatch = new("GR1003", "element types differ");

    /// <summary>Operands must have the same shape.</summary>
    public static readonly DiagnosticId ShapeMismatch = new("GR1004", "shapes differ");

    /// <summary>An operand has the wrong number of dimensions.</summary>
    public static readonly DiagnosticId RankMismatch = new("GR1005", "wrong rank");

    /// <summary>An axis is out of range or listed twice.</summary>
    public static readonly DiagnosticId BadAxis = new("GR1006", "axis out of range or repeated");

    /// <summary>Shapes cannot be broadcast together.</summary>
    public static readonly DiagnosticId NotBroadcastable = new("GR1007", "shapes do not broadcast");

    /// <summary>A nested computation has the wrong parameters or results.</summary>
    public static readonly DiagnosticId BadBody = new("GR1008", "nested computation does not fit");

    /// <summary>An attribute has a value outside its range.</summary>
    public static readonly DiagnosticId BadAttribute = new("GR1009", "attribute out of range");

    /// <summary>A dimension is symbolic where a number is needed.</summary>
    public static readonly DiagnosticId StaticDimRequired = new("GR1010", "a static dimension is needed");

    /// <summary>A dimension or element count does not fit into 64 bits.</summary>
    public static readonly DiagnosticId DimOverflow = new("GR1011", "dimension too large");

    /// <summary>Computations carry computations beyond any reasonable depth.</summary>
    public static readonly DiagnosticId NestedTooDeep = new("GR1012", "computations nested too deep");

    /// <summary>A permutation does not list each dimension exactly once.</summary>
    public static readonly DiagnosticId BadPermutation = new("GR1203", "not a permutation");

    /// <summary>A reshape changes the number of elements.</summary>
    public static readonly DiagnosticId ElementCountMismatch = new("GR1204", "element counts differ");

    /// <summary>A slice, pad or concatenation reaches outside its operand.</summary>
    public static readonly DiagnosticId OutOfBounds = new("GR1205", "outside of the operand");

    /// <summary>Contracted or batched dimensions differ.</summary>
    public static readonly DiagnosticId ContractionMismatch = new("GR1301", "contracted dimensions differ");

    /// <summary>A convolution's shapes or attributes do not fit together.</summary>
    public static readonly DiagnosticId BadConvolution = new("GR1302", "convolution does not fit");

    /// <summary>A window (pooling, convolution) does not fit its operand.</summary>
    public static readonly DiagnosticId BadWindow = new("GR1303", "window does not fit");

    /// <summary>A scatter's shapes or dimension numbers do not fit together.</summary>
    public static readonly DiagnosticId BadScatter = new("GR1304", "scatter does not fit");

    /// <summary>A gather's shapes or dimension numbers do not fit together.</summary>
    public static readonly DiagnosticId BadGather = new("GR1305", "gather does not fit");

    /// <summary>An einsum equation cannot be read, or does not fit its operands.</summary>
    public static readonly DiagnosticId BadEquation = new("GR1306", "equation does not fit");

    /// <summary>What decides about control flow is not a scalar of the right type.</summary>
    public static readonly DiagnosticId BadPredicate = new("GR1401", "predicate is not a scalar");

    /// <summary>A custom call names something that nobody here implements.</summary>
    public static readonly DiagnosticId UnknownCustomCall = new("GR1402", "unknown custom call");

    /// <summary>An assertion in the graph does not hold.</summary>
    public static readonly DiagnosticId AssertionFailed = new("GR1403", "assertion failed");

    /// <summary>An environment variable of ours has a value that cannot be used.</summary>
    public static readonly DiagnosticId BadSwitch = new("GR1950", "switch has an unusable value");

    /// <summary>A pass was asked for that does not exist.</summary>
    public static readonly DiagnosticId UnknownPass = new("GR1951", "no such pass");
}
