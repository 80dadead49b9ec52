namespace Graphene;

public sealed partial record DiagnosticId
{
    /// <summary>A size for a symbolic dimension names no dimension, or is outside its bounds.</summary>
    public static readonly DiagnosticId BadDimensionValue = new("GR1060", "size does not fit a symbolic dimension");

    /// <summary>The file that holds a constant changed between two looks at it.</summary>
    public static readonly DiagnosticId ConstantChanged = new("GR1061", "constant changed while it was used");
}
