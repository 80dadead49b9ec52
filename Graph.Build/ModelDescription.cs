namespace Graphene.Build;

/// <summary>A symbolic dimension of a function.</summary>
/// <param name="Name">Its name in the model.</param>
/// <param name="Min">The smallest value.</param>
/// <param name="Max">The largest value.</param>
internal sealed record SymbolDescription(string Name, long Min, long Max);

/// <summary>One dimension of a tensor.</summary>
/// <param name="Text">A number, or an expression over symbols.</param>
/// <param name="Size">The number, or null.</param>
internal sealed record DimDescription(string Text, long? Size);

/// <summary>An input or output of a function.</summary>
/// <param name="Name">Its name in the model.</param>
/// <param name="DType">The element type as Graphene writes it, such as <c>f32</c>.</param>
/// <param name="Dims">The dimensions, outermost first.</param>
internal sealed record PortDescription(string Name, string DType, IReadOnlyList<DimDescription> Dims)
{
    /// <summary>Element type and shape, such as <c>f32[batch,784]</c>.</summary>
    public string Shape => $"{DType}[{string.Join(",", Dims.Select(d => d.Text))}]";

    /// <summary>Whether there is exactly one element.</summary>
    public bool IsScalar => Dims.Count == 0;

    /// <summary>The number of elements, when no symbol decides it.</summary>
    public long? Length
    {
        get
        {
            long length = 1;
            foreach (DimDescription dim in Dims)
            {
                if (dim.Size is not { } size)
                {
                    return null;
                }
                length *= size;
            }
            return length;
        }
    }
}

/// <summary>A function of a model.</summary>
/// <param name="Name">The signature's name.</param>
/// <param name="Text">What the loaded bundle must say about it.</param>
/// <param name="Symbols">Its symbolic dimensions, in the order of parameters.</param>
/// <param name="Inputs">Its inputs.</param>
/// <param name="Outputs">Its outputs.</param>
internal sealed record FunctionDescription(
    string Name,
    string Text,
    IReadOnlyList<SymbolDescription> Symbols,
    IReadOnlyList<PortDescription> Inputs,
    IReadOnlyList<PortDescription> Outputs)
{
    /// <summary>Whether lengths tell all dimensions: then methods need no parameters for symbols.</summary>
    public bool IsInferred => Inputs.All(i => i.Dims.Count(d => d.Size is null) <= 1);
}

/// <summary>A compiled model, as its signature file tells.</summary>
/// <param name="Model">The file that it was compiled from.</param>
/// <param name="Bundle">The file name of the bundle.</param>
/// <param name="Namespace">Where the class goes; may be empty.</param>
/// <param name="ClassName">The name that the project chose; empty to derive it.</param>
/// <param name="Access">The accessibility of the class.</param>
/// <param name="Functions">Its functions.</param>
internal sealed record ModelDescription(
    string Model, string Bundle, string Namespace, string ClassName, string Access, IReadOnlyList<FunctionDescription> Functions);
