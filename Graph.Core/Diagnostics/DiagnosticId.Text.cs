namespace Graphene;

public sealed partial record DiagnosticId
{
    /// <summary>IR text could not be read.</summary>
    public static readonly DiagnosticId TextSyntax = new("GR1901", "IR text could not be read");

    /// <summary>IR text uses an op, value, symbol or computation that is not there.</summary>
    public static readonly DiagnosticId TextUnknownName = new("GR1902", "unknown name in IR text");

    /// <summary>IR text defines a name twice.</summary>
    public static readonly DiagnosticId TextDuplicateName = new("GR1903", "name defined twice in IR text");

    /// <summary>A type written in IR text is not the one that follows from the op.</summary>
    public static readonly DiagnosticId TextTypeMismatch = new("GR1904", "type in IR text does not fit the op");

    /// <summary>An attribute in IR text is missing, unknown or given twice.</summary>
    public static readonly DiagnosticId TextBadAttribute = new("GR1905", "attribute missing or unknown in IR text");
}
