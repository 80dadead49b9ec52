namespace Graphene.Runtime;

/// <summary>Errors that a user can meet while compiled graphs are loaded and run.</summary>
public static partial class RuntimeDiagnostics
{
    /// <summary>Machine code cannot be loaded.</summary>
    public static readonly DiagnosticId ObjectCode = new("GR6001", "machine code cannot be loaded");

    /// <summary>An environment variable has a value that cannot be used.</summary>
    public static readonly DiagnosticId BadEnvironment = new("GR6101", "environment variable has an unusable value");
}
