using Microsoft.CodeAnalysis;

namespace Graphene.Build;

/// <summary>The errors that the generator reports; docs/errors has a page for each.</summary>
internal static class BuildDiagnostics
{
    /// <summary>Two items make the same class.</summary>
    public static readonly DiagnosticDescriptor SameClass = new(
        "GRPH008", "Two models make the same class",
        "'{0}' is made from '{1}' and from '{2}'; fix: give one of the GrapheneModel items a ClassName or a Namespace",
        "Graphene", DiagnosticSeverity.Error, isEnabledByDefault: true);

    /// <summary>A signature file cannot be read.</summary>
    public static readonly DiagnosticDescriptor BadSignature = new(
        "GRPH009", "The signature of a model cannot be read",
        "'{0}': {1}; fix: build again, with generator and compiler from one version of Graphene.Build",
        "Graphene", DiagnosticSeverity.Error, isEnabledByDefault: true);

    /// <summary>A constant in the project's part of the class says something else than the model.</summary>
    public static readonly DiagnosticDescriptor WrongConstant = new(
        "GRPH010", "A constant disagrees with the model",
        "'{0}' is {1}, but '{2}' of {3} is {4}: it must be {5}",
        "Graphene", DiagnosticSeverity.Error, isEnabledByDefault: true);
}
