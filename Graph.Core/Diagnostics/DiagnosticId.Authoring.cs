namespace Graphene;

public sealed partial record DiagnosticId
{
    /// <summary>A tensor made inside a branch or loop body was used outside of it.</summary>
    public static readonly DiagnosticId TensorOutOfScope = new("GR1501", "tensor used outside of its branch or loop");

    /// <summary>Tensors of different graphs were used together.</summary>
    public static readonly DiagnosticId OtherGraph = new("GR1502", "tensor of another graph");

    /// <summary>Something was added to a graph that was frozen.</summary>
    public static readonly DiagnosticId GraphFrozen = new("GR1503", "graph is frozen");

    /// <summary>A fetch needs a placeholder that is not fed and has no default.</summary>
    public static readonly DiagnosticId MissingFeed = new("GR1504", "placeholder is not fed");

    /// <summary>A name is empty or not there.</summary>
    public static readonly DiagnosticId BadName = new("GR1505", "name cannot be used");

    /// <summary>A C# number cannot be an element of the tensor it stands beside.</summary>
    public static readonly DiagnosticId LiteralDoesNotFit = new("GR1506", "number does not fit the element type");

    /// <summary>A variable was given a value of another type.</summary>
    public static readonly DiagnosticId BadAssignment = new("GR1507", "value does not fit the variable");

    /// <summary>A loop's condition has an effect.</summary>
    public static readonly DiagnosticId EffectInCondition = new("GR1508", "condition assigns a variable");

    /// <summary>A function calls itself.</summary>
    public static readonly DiagnosticId RecursiveFunction = new("GR1531", "function calls itself");

    /// <summary>A function was called with other arguments than it takes, or has other results than are used.</summary>
    public static readonly DiagnosticId BadArguments = new("GR1532", "arguments do not fit the function");

    /// <summary>A function was traced too often.</summary>
    public static readonly DiagnosticId RetraceLimit = new("GR1533", "function traced too often");

    /// <summary>A variable was made inside a function.</summary>
    public static readonly DiagnosticId MadeInFunction = new("GR1534", "variable made inside a function");
}
