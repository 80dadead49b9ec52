using System.Globalization;
using System.Runtime.InteropServices;
using ManagedCuda;
using ManagedCuda.BasicTypes;

namespace Graphene.Runtime;

/// <summary>What the driver's results mean, and what to do about them.</summary>
internal static unsafe class CudaErrors
{
    private const string Report = "report it: with the graph it is a bug of this compiler, without one a fault of the device or its driver";

    /// <summary>The error of a call.</summary>
    /// <param name="driver">Knows the names of results.</param>
    /// <param name="result">How the call ended.</param>
    /// <param name="call">The function.</param>
    /// <param name="where">What was being done; null when the function says it.</param>
    public static GraphException Of(DriverAPI? driver, CUResult result, string call, string? where = null)
    {
        (string why, string fix) = Explain(result);
        return new GraphException(GpuDiagnostics.CallFailed, $"{call} failed with {Name(driver, result)}", where, why, fix);
    }

    /// <summary>What the driver calls a result, with its number.</summary>
    public static string Name(DriverAPI? driver, CUResult result)
    {
        byte* name = null;
        string? text = driver is not null && driver.cuGetErrorName(result, &name) == CUResult.Success && name is not null
            ? Marshal.PtrToStringUTF8((nint)name)
            : null;
        return string.Create(CultureInfo.InvariantCulture, $"{text ?? result.ToString()} ({(int)result})");
    }

    /// <summary>Why, and what to do.</summary>
    public static (string Why, string Fix) Explain(CUResult result) => result switch
    {
        CUResult.ErrorInvalidValue =>
            ("the driver was passed a value that it does not allow",
            Report),
        CUResult.ErrorOutOfMemory =>
            ("the memory of the device, or what the driver may lock of the host's, does not suffice",
            "free what is not needed any more"),
        CUResult.ErrorNotInitialized or CUResult.ErrorDeinitialized =>
            ("the driver shuts down with the process",
            "end runs before the process ends"),
        CUResult.ErrorStubLibrary =>
            ("the library is the stub that programs are linked against, not the driver",
            "take the stubs' folder out of the library path"),
        CUResult.ErrorDeviceUnavailable =>
            ("the device is in exclusive mode and another process has it, or it is being reset",
            "wait, or change the mode: nvidia-smi -c 0"),
        CUResult.ErrorNoDevice =>
            ("the driver is there and sees no GPU",
            "look at nvidia-smi and at CUDA_VISIBLE_DEVICES; containers get GPUs with --gpus all"),
        CUResult.ErrorInvalidDevice =>
            ("there is no device of that number",
            "choose one of nvidia-smi -L"),
        CUResult.ErrorInvalidImage or CUResult.ErrorInvalidPtx =>
            ("the driver does not understand the code",
            "compile the graph again with this version of Graphene"),
        CUResult.ErrorNoBinaryForGPU =>
            ("the code is for another architecture than this GPU",
            "compile the graph for this GPU"),
        CUResult.ErrorUnsupportedPtxVersion =>
            ("the code uses a version of PTX that the driver does not know yet",
            "install a newer driver"),
        CUResult.ErrorJitCompilerNotFound =>
            ("the driver's compiler of PTX (libnvidia-ptxjitcompiler) is missing",
            "install all of NVIDIA's driver"),
        CUResult.ErrorECCUncorrectable =>
            ("the device's memory has an error that cannot be corrected",
            "look at nvidia-smi -q -d ECC, and have the device replaced"),
        CUResult.ErrorIllegalAddress =>
            ("a kernel accessed memory that it does not have; the context is lost",
            Report),
        CUResult.ErrorMisalignedAddress =>
            ("a kernel accessed memory that is not aligned as it says; the context is lost",
            Report),
        CUResult.ErrorIllegalInstruction or CUResult.ErrorLaunchFailed or CUResult.ErrorAssert =>
            ("a kernel failed; the context is lost",
            Report),
        CUResult.ErrorLaunchOutOfResources =>
            ("a kernel needs more registers or shared memory than the device has for its threads",
            Report),
        CUResult.ErrorLaunchTimeout =>
            ("a kernel ran longer than the system lets it where a display is attached",
            "feed smaller tensors, or use a device without a display"),
        CUResult.ErrorNotSupported =>
            ("the device or its driver cannot do this",
            "install a newer driver"),
        CUResult.ErrorSystemNotReady =>
            ("the driver's services are not running yet",
            "start them (nvidia-fabricmanager on machines with NVSwitch), and try again"),
        CUResult.ErrorSystemDriverMismatch =>
            ("the driver's library and its kernel module are of different versions",
            "restart the machine after the driver was updated; in containers mount the host's library"),
        CUResult.ErrorCompatNotSupportedOnDevice =>
            ("the compatibility library does not support this GPU",
            "take it out of the library path"),
        CUResult.ErrorStreamCaptureUnsupported or CUResult.ErrorStreamCaptureInvalidated =>
            ("work cannot be captured",
            Report),
        CUResult.ErrorNotFound =>
            ("the code has no kernel of that name",
            "compile the graph again with this version of Graphene"),
        CUResult.ErrorInvalidContext =>
            ("the context of the device is gone",
            "end runs before whoever resets the device"),
        _ => ("the driver says no more", Report),
    };
}
