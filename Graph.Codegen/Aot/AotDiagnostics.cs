namespace Graphene.Codegen.Aot;

/// <summary>Errors that a user can meet while a native library is made.</summary>
public static class AotDiagnostics
{
    /// <summary>A name that C does not accept, or one that is there twice.</summary>
    public static readonly DiagnosticId BadName = new("GR5030", "name not possible in C");

    /// <summary>The graph asks its host for what a native library cannot do.</summary>
    public static readonly DiagnosticId HostCall = new("GR5031", "host call in a native library");

    /// <summary>Code that must need nothing from outside needs something.</summary>
    public static readonly DiagnosticId UndefinedSymbol = new("GR5032", "undefined symbol in freestanding code");

    /// <summary>The linker is missing, or it failed.</summary>
    public static readonly DiagnosticId Linker = new("GR5033", "linker missing or failed");

    /// <summary>The weights file cannot be extended.</summary>
    public static readonly DiagnosticId WeightsFile = new("GR5034", "weights file not usable");

    /// <summary>A feature of the processor that native libraries cannot use.</summary>
    public static readonly DiagnosticId Feature = new("GR5035", "processor feature not possible in a native library");
}
