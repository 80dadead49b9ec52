using System.Runtime.InteropServices;
using ManagedCuda;
using ManagedCuda.BasicTypes;

namespace Graphene.Runtime;

/// <summary>Finds, loads and initializes the CUDA driver, and says clearly when it cannot.</summary>
/// <remarks><c>GRAPHENE_CUDA_PATH</c> (a file) replaces the search. The library stays loaded until the process ends.</remarks>
internal static unsafe class CudaLibrary
{
    /// <summary>Names the driver's library instead of the usual places.</summary>
    public const string OverrideVariable = "GRAPHENE_CUDA_PATH";

    // 470 is the first branch with everything that is called: CUDA 11.4.
    private const string OldestDriver = "a driver of the branch 470 (CUDA 11.4) or newer";

    /// <summary>Loads the driver.</summary>
    /// <param name="path">Its library; null to search.</param>
    /// <exception cref="GraphException">GR6501: there is none, or it cannot be used.</exception>
    public static DriverAPI Load(string? path)
    {
        string[] candidates = path is null ? Candidates() : [path];
        foreach (string candidate in candidates)
        {
            if (NativeLibrary.TryLoad(candidate, out nint library))
            {
                return Initialize(library, candidate);
            }
        }
        throw Missing(
            $"the CUDA driver was not found: {string.Join(", ", candidates)} cannot be loaded", null,
            "a GPU is used through the library that NVIDIA's driver brings; nothing else of CUDA is needed",
            path is null
                ? "install NVIDIA's driver (Debian, Ubuntu: apt-get install nvidia-driver; "
                    + $"containers: start them with --gpus all), or let {OverrideVariable} name its library"
                : $"let {OverrideVariable} name the driver's library, or unset it to search the usual places");
    }

    private static DriverAPI Initialize(nint library, string path)
    {
        DriverAPI driver;
        try
        {
            driver = new DriverAPI(library);
        }
        catch (EntryPointNotFoundException e)
        {
            throw Missing($"the CUDA driver is too old, or {path} is none", e, e.Message, $"install {OldestDriver}");
        }
        CUResult result = driver.cuInit(0);
        return result == CUResult.Success
            ? driver
            : throw Missing(
                $"the CUDA driver cannot be initialized: cuInit gives {CudaErrors.Name(driver, result)}", null,
                CudaErrors.Explain(result).Why, CudaErrors.Explain(result).Fix);
    }

    private static GraphException Missing(string what, Exception? inner, string why, string fix) =>
        new(GpuDiagnostics.NoDriver, what, why: why, fix: fix, inner: inner);

    private static string[] Candidates() => OperatingSystem.IsWindows()
        ? ["nvcuda.dll"]
        : ["libcuda.so.1", "libcuda.so", "/usr/lib/wsl/lib/libcuda.so.1", "/usr/local/nvidia/lib64/libcuda.so.1"];
}
