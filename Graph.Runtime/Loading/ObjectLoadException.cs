namespace Graphene.Runtime;

/// <summary>Object code cannot be loaded: it is damaged, for another machine, or needs what is not there.</summary>
/// <param name="objectName">Which object.</param>
/// <param name="problem">What is wrong with it.</param>
public sealed class ObjectLoadException(string objectName, string problem)
    : Exception(
        $"{RuntimeDiagnostics.ObjectCode.Code} object code cannot be loaded: {problem}\n"
        + $"  at   {objectName}\n"
        + "  fix  compile the graph again for this machine, with this version")
{
    /// <summary>The identity of the error.</summary>
    public DiagnosticId Id { get; } = RuntimeDiagnostics.ObjectCode;

    /// <summary>Which object.</summary>
    public string ObjectName { get; } = objectName;

    /// <summary>What is wrong with it.</summary>
    public string Problem { get; } = problem;
}
