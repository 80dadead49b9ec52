using System.Globalization;
using Graphene.Build.Writing;
using Microsoft.CodeAnalysis;

namespace Graphene.Build;

/// <summary>Compares the constants that a project declares in its part of a model's class with the model.</summary>
/// <remarks>
/// Code that relies on <c>const int ImagesLength = 784</c> should stop compiling when a new model takes other images.
/// </remarks>
internal static class ConstantCheck
{
    /// <summary>An error for each constant that disagrees.</summary>
    /// <param name="model">The model.</param>
    /// <param name="declared">The constants of its class.</param>
    public static IEnumerable<Diagnostic> Run(ModelDescription model, IReadOnlyList<DeclaredConstant> declared)
    {
        foreach ((string name, object value, PortDescription port) in ClassWriter.Constants(model))
        {
            string expected = value is string text
                ? CodeWriter.Literal(text)
                : System.Convert.ToString(value, CultureInfo.InvariantCulture);
            foreach (DeclaredConstant constant in declared.Where(c => c.Name == name && c.Value != expected))
            {
                yield return Diagnostic.Create(
                    BuildDiagnostics.WrongConstant, constant.Location, name, constant.Value, port.Name, model.Model, port.Shape, expected);
            }
        }
    }
}
