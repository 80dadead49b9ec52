namespace Graphene.Runtime;

/// <summary>Errors about bundles: who signed them, what is in them, what goes into them.</summary>
public static class BundleDiagnostics
{
    /// <summary>A bundle that must be signed is not.</summary>
    public static readonly DiagnosticId Unsigned = new("GR6110", "bundle is not signed");

    /// <summary>A bundle is signed by nobody who is trusted.</summary>
    public static readonly DiagnosticId WrongSigner = new("GR6111", "bundle has no trusted signature");

    /// <summary>A key cannot be read.</summary>
    public static readonly DiagnosticId BadKey = new("GR6112", "key cannot be read");

    /// <summary>A bundle has no such function.</summary>
    public static readonly DiagnosticId UnknownSignature = new("GR6113", "bundle has no such signature");

    /// <summary>A function has state, and is asked for without any.</summary>
    public static readonly DiagnosticId NeedsState = new("GR6114", "function has state");

    /// <summary>The parts of a bundle do not fit together.</summary>
    public static readonly DiagnosticId Conflict = new("GR6115", "parts of a bundle contradict each other");

    /// <summary>A value does not fit a state.</summary>
    public static readonly DiagnosticId BadState = new("GR6116", "state does not fit");
}
