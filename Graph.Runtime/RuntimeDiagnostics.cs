namespace Graphene.Runtime;

/// <summary>Errors that a user can meet while compiled graphs are loaded and run.</summary>
public static partial class RuntimeDiagnostics
{
    /// <summary>Machine code cannot be loaded.</summary>
    public static readonly DiagnosticId ObjectCode = new("GR6001", "machine code cannot be loaded");

    /// <summary>A file is not an executable of this format, or is damaged.</summary>
    public static readonly DiagnosticId BadExecutable = new("GR6102", "executable file cannot be used");

    /// <summary>Code needs another processor.</summary>
    public static readonly DiagnosticId WrongProcessor = new("GR6103", "code needs another processor");

    /// <summary>A bundle is not where it is looked for.</summary>
    public static readonly DiagnosticId BundleNotFound = new("GR6150", "bundle not found");

    /// <summary>A compiled graph is not the one that a class was generated for.</summary>
    public static readonly DiagnosticId WrongModel = new("GR6151", "class and bundle do not fit");

    /// <summary>What is fed has a shape that does not fit.</summary>
    public static readonly DiagnosticId ShapeMismatch = new("GR6201", "fed shape does not fit");

    /// <summary>A symbolic dimension has no value that follows from the inputs.</summary>
    public static readonly DiagnosticId UnboundSymbol = new("GR6202", "symbolic dimension cannot be computed");

    /// <summary>A check inside compiled code failed.</summary>
    public static readonly DiagnosticId RunTimeCheck = new("GR6203", "run-time check failed");

    /// <summary>What is fed does not fit by name or element type, or is missing.</summary>
    public static readonly DiagnosticId BadFeed = new("GR6205", "feed does not fit");

    /// <summary>What is fetched does not exist or is named twice.</summary>
    public static readonly DiagnosticId UnknownFetch = new("GR6206", "fetch does not exist");

    /// <summary>A value became NaN or infinite, and the session looks for that.</summary>
    public static readonly DiagnosticId NotFinite = new("GR6210", "value is not finite");
}
