namespace Graphene.Interop.Onnx;

/// <summary>An operator that a model uses and the importer does not know.</summary>
/// <param name="Operator">Its name, with the domain before it and the version behind it.</param>
/// <param name="Nodes">The names of the nodes that use it.</param>
public sealed record UnsupportedOperator(string Operator, IReadOnlyList<string> Nodes);
