namespace Graphene.Runtime;

/// <summary>The identities of the errors that the runtime reports; docs/errors has one page for each.</summary>
public static class RuntimeDiagnostics
{
    /// <summary>An environment variable has a value that cannot be used.</summary>
    public static readonly DiagnosticId BadEnvironment = new("GR4001", "environment variable has an unusable value");
}
