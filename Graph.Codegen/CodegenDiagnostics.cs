namespace Graphene.Codegen;

/// <summary>Errors that a user can meet while machine code is generated.</summary>
public static class CodegenDiagnostics
{
    /// <summary>A native library that the compiler needs is missing or unsuitable.</summary>
    public static readonly DiagnosticId NativeLibrary = new("GR5001", "native library missing or unsuitable");

    /// <summary>There is no code generator for the wanted target.</summary>
    public static readonly DiagnosticId UnsupportedTarget = new("GR5002", "target not supported");

    /// <summary>No target has a given name.</summary>
    public static readonly DiagnosticId UnknownTarget = new("GR5010", "unknown target");

    /// <summary>A processor or features were given for a target that has several variants.</summary>
    public static readonly DiagnosticId AmbiguousVariant = new("GR5011", "a processor for several variants");

    /// <summary>The program that links WebAssembly is missing.</summary>
    public static readonly DiagnosticId WasmLinkerMissing = new("GR5060", "WebAssembly linker missing");

    /// <summary>A graph for WebAssembly calls its host.</summary>
    public static readonly DiagnosticId WasmHostCall = new("GR5061", "host call in WebAssembly");

    /// <summary>A GPU is older than those that code is generated for.</summary>
    public static readonly DiagnosticId GpuTooOld = new("GR5070", "GPU too old");

    /// <summary>Code of a processor's form was asked for a GPU.</summary>
    public static readonly DiagnosticId NotForGpus = new("GR5071", "no such code for a GPU");

    /// <summary>PTX was asked for a processor.</summary>
    public static readonly DiagnosticId NotAGpu = new("GR5072", "PTX for a processor");

    /// <summary>A record of measured products cannot be read.</summary>
    public static readonly DiagnosticId BadTuning = new("GR5080", "tuning record not usable");

    /// <summary>A record of measured products names tiles that the compiler does not have.</summary>
    public static readonly DiagnosticId UnknownTile = new("GR5081", "tuning record of another compiler");

    /// <summary>A graph takes more memory than WebAssembly can address.</summary>
    public static readonly DiagnosticId WasmTooLarge = new("GR5062", "too large for WebAssembly");
}
