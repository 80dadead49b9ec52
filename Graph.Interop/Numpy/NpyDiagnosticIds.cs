namespace Graphene.Interop.Numpy;

/// <summary>The errors that reading an array file can give.</summary>
public static class NpyDiagnosticIds
{
    /// <summary>The path does not lead to a file that can be read or written.</summary>
    public static readonly DiagnosticId CannotOpen = new("GR4101", "array file cannot be opened");

    /// <summary>The file holds something other than a NumPy array.</summary>
    public static readonly DiagnosticId NotNpy = new("GR4102", "not a .npy file");

    /// <summary>The header or the amount of data makes no sense.</summary>
    public static readonly DiagnosticId Damaged = new("GR4103", "array file is damaged");

    /// <summary>The array's elements are of a type that Graphene does not have.</summary>
    public static readonly DiagnosticId UnsupportedType = new("GR4104", "array element type not supported");

    /// <summary>The array is larger than a value may be.</summary>
    public static readonly DiagnosticId TooLarge = new("GR4105", "array too large");

    /// <summary>The file is no archive of arrays, or its content is not what its list says.</summary>
    public static readonly DiagnosticId NotNpz = new("GR4106", "not a .npz file");

    /// <summary>The arrays of a compressed file take more memory than they may.</summary>
    public static readonly DiagnosticId InflatedTooLarge = new("GR4107", "array archive too large");
}
