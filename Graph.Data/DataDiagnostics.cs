namespace Graphene.Data;

/// <summary>The errors that reading data can give.</summary>
public static class DataDiagnostics
{
    /// <summary>A saved position belongs to other data.</summary>
    public static readonly DiagnosticId BadPosition = new("GR6401", "position does not fit the data");

    /// <summary>Tensors that should go together do not.</summary>
    public static readonly DiagnosticId BadComponents = new("GR6402", "tensors do not go together");
}
