using Graphene.Build.Naming;

namespace Graphene.Build.Writing;

/// <summary>
/// The constants that a model's class has: a type for each input and output, and a number of elements where
/// no symbol decides it.
/// </summary>
/// <remarks>
/// A constant that the project declares in its own part of the class is checked instead, see
/// <see cref="ConstantCheck"/>.
/// </remarks>
internal static class ConstantWriter
{
    /// <summary>The ends of the constants' names.</summary>
    public const string Shape = "Shape";

    /// <summary>The ends of the constants' names.</summary>
    public const string Length = "Length";

    /// <summary>All constants of a function: what each is called, what it says, and which port it is about.</summary>
    public static IEnumerable<(string Name, object Value, PortDescription Port)> Constants(
        FunctionDescription function, FunctionNames names)
    {
        List<PortDescription> ports = [.. function.Inputs, .. function.Outputs];
        for (int i = 0; i < ports.Count; i++)
        {
            yield return (names.Constants[i] + Shape, ports[i].Shape, ports[i]);
            if (ports[i].Length is { } length and <= int.MaxValue)
            {
                yield return (names.Constants[i] + Length, (int)length, ports[i]);
            }
        }
    }

    /// <summary>Writes those that the project does not declare itself.</summary>
    public static void Write(CodeWriter code, FunctionDescription function, FunctionNames names, IReadOnlyCollection<string> declared)
    {
        foreach ((string name, object value, PortDescription port) in Constants(function, names).Where(c => !declared.Contains(c.Name)))
        {
            string text = value is string shape ? CodeWriter.Literal(shape) : value.ToString();
            string what = value is string ? "Element type and shape" : "The number of elements";
            code.Line($"/// <summary>{what} of <c>{CodeWriter.Xml(port.Name)}</c>.</summary>");
            code.Line($"public const {(value is string ? "string" : "int")} {name} = {text};");
            code.Line();
        }
    }
}
