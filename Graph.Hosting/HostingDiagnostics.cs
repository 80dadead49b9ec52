namespace Graphene.Hosting;

/// <summary>Errors of models in services.</summary>
public static class HostingDiagnostics
{
    /// <summary>The settings of a model contradict themselves or leave something out.</summary>
    public static readonly DiagnosticId BadOptions = new("GR8001", "model settings cannot be used");

    /// <summary>A model is asked for before it was loaded.</summary>
    public static readonly DiagnosticId NotLoaded = new("GR8002", "model is not loaded yet");

    /// <summary>The file of a model is not there, or cannot be read or copied.</summary>
    public static readonly DiagnosticId FileNotReadable = new("GR8003", "model file cannot be read");

    /// <summary>The run that tries a model before it answers requests failed.</summary>
    public static readonly DiagnosticId WarmUpFailed = new("GR8004", "warm-up run failed");

    /// <summary>Two models of different types were given the same name.</summary>
    public static readonly DiagnosticId NameTaken = new("GR8005", "model name is taken");
}
