namespace Graphene.Interop.Idx;

/// <summary>The errors that reading an IDX file can give.</summary>
public static class IdxDiagnosticIds
{
    /// <summary>The path does not lead to a file that can be read or written.</summary>
    public static readonly DiagnosticId CannotOpen = new("GR4201", "IDX file cannot be opened");

    /// <summary>The file holds something other than an array in the IDX format, or not all of it.</summary>
    public static readonly DiagnosticId Damaged = new("GR4202", "IDX file is damaged");

    /// <summary>The array takes more memory than it may.</summary>
    public static readonly DiagnosticId TooLarge = new("GR4203", "IDX file too large");
}
