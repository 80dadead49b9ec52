using System.Collections.Immutable;
using System.Text;

namespace Graphene.Runtime;

/// <summary>What a generated class must know about a function, in a form that can be compared.</summary>
public static class ModelSignature
{
    /// <summary>Names and types of all inputs and outputs, for example <c>(x: f32[batch,784]) -> (y: f32[batch,10])</c>.</summary>
    /// <param name="inputs">The inputs.</param>
    /// <param name="outputs">The outputs.</param>
    public static string Describe(ImmutableArray<InputSpec> inputs, ImmutableArray<OutputSpec> outputs)
    {
        var text = new StringBuilder("(");
        foreach (InputSpec input in inputs)
        {
            text.Append(text.Length > 1 ? ", " : "").Append(input.Name).Append(": ").Append(input.Type);
        }
        text.Append(") -> (");
        for (int i = 0; i < outputs.Length; i++)
        {
            text.Append(i > 0 ? ", " : "").Append(outputs[i].Name).Append(": ").Append(outputs[i].Type);
        }
        return text.Append(')').ToString();
    }

    /// <summary>The symbolic dimensions in the order in which the inputs name them: the order of a generated method's parameters.</summary>
    /// <param name="inputs">The inputs.</param>
    public static IReadOnlyList<DimSymbol> Symbols(ImmutableArray<InputSpec> inputs)
    {
        var found = new List<DimSymbol>();
        foreach (InputSpec input in inputs)
        {
            foreach (Dim dim in input.Type.Shape)
            {
                foreach (DimSymbol symbol in dim.Symbols)
                {
                    if (!found.Contains(symbol))
                    {
                        found.Add(symbol);
                    }
                }
            }
        }
        return found;
    }
}
