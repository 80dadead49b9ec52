namespace Graphene.Runtime;

/// <summary>Errors that a user can meet when graphs run on a GPU.</summary>
public static class GpuDiagnostics
{
    /// <summary>The driver is missing, too old, or finds no device.</summary>
    public static readonly DiagnosticId NoDriver = new("GR6501", "CUDA driver not usable");

    /// <summary>A call of the driver failed.</summary>
    public static readonly DiagnosticId CallFailed = new("GR6502", "CUDA call failed");

    /// <summary>The memory of the device does not suffice.</summary>
    public static readonly DiagnosticId OutOfMemory = new("GR6503", "GPU out of memory");

    /// <summary>Code is for another kind of device.</summary>
    public static readonly DiagnosticId WrongDevice = new("GR6504", "code needs another GPU");

    /// <summary>The device does not take the code.</summary>
    public static readonly DiagnosticId BadCode = new("GR6505", "GPU code not accepted");

    /// <summary>There is no device of a number.</summary>
    public static readonly DiagnosticId NoDevice = new("GR6506", "no such GPU");

    /// <summary>The driver cannot encode tensor maps.</summary>
    public static readonly DiagnosticId NoTensorMaps = new("GR6508", "GPU driver without tensor maps");
}
