namespace Graphene.Runtime;

/// <summary>Errors that a user can meet while compiled graphs are loaded and run.</summary>
public static partial class RuntimeDiagnostics
{
    /// <summary>Machine code cannot be loaded.</summary>
    public static readonly DiagnosticId ObjectCode = new("GR6001", "machine code cannot be loaded");
}
