namespace Graphene.Optimizer;

/// <summary>Errors that a user can meet while a graph is optimized.</summary>
public static class OptimizerDiagnostics
{
    /// <summary>No order of computing things again meets the memory budget.</summary>
    public static readonly DiagnosticId ArenaBudget = new("GR3001", "memory budget cannot be met");
}
