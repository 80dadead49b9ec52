using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;

namespace ManagedCuda;

/// <summary>The functions of the CUDA driver that are called, under the names that its library has for them.</summary>
/// <remarks>
/// An object of pointers rather than static methods, so that a test can have a library of its own. Structs and enums are called as in
/// ManagedCuda; whoever has that package calls its <c>DriverAPINativeMethods</c> from <c>CudaDevice</c> and its neighbours instead.
/// </remarks>
internal sealed unsafe class DriverAPI
{
    private readonly nint _library;

    /// <summary>Finds the functions of a library.</summary>
    /// <param name="library">The handle of a library that is loaded, and stays loaded.</param>
    /// <exception cref="EntryPointNotFoundException">One is missing: the driver is too old.</exception>
    public DriverAPI(nint library)
    {
        _library = library;
        cuInit = (delegate* unmanaged<uint, CUResult>)Find("cuInit");
        cuDriverGetVersion = (delegate* unmanaged<int*, CUResult>)Find("cuDriverGetVersion");
        cuDeviceGetCount = (delegate* unmanaged<int*, CUResult>)Find("cuDeviceGetCount");
        cuDeviceGet = (delegate* unmanaged<CUdevice*, int, CUResult>)Find("cuDeviceGet");
        cuDeviceGetName = (delegate* unmanaged<byte*, int, CUdevice, CUResult>)Find("cuDeviceGetName");
        cuDeviceGetAttribute = (delegate* unmanaged<int*, CUDeviceAttribute, CUdevice, CUResult>)Find("cuDeviceGetAttribute");
        cuDeviceTotalMem = (delegate* unmanaged<nuint*, CUdevice, CUResult>)Find("cuDeviceTotalMem_v2");
        cuDevicePrimaryCtxRetain = (delegate* unmanaged<CUcontext*, CUdevice, CUResult>)Find("cuDevicePrimaryCtxRetain");
        cuDevicePrimaryCtxRelease = (delegate* unmanaged<CUdevice, CUResult>)Find("cuDevicePrimaryCtxRelease_v2");
        cuCtxSetCurrent = (delegate* unmanaged<CUcontext, CUResult>)Find("cuCtxSetCurrent");
        cuModuleLoadDataEx = (delegate* unmanaged<CUmodule*, void*, uint, CUJITOption*, void**, CUResult>)Find("cuModuleLoadDataEx");
        cuModuleUnload = (delegate* unmanaged<CUmodule, CUResult>)Find("cuModuleUnload");
        cuModuleGetFunction = (delegate* unmanaged<CUfunction*, CUmodule, byte*, CUResult>)Find("cuModuleGetFunction");
        cuFuncSetAttribute = (delegate* unmanaged<CUfunction, CUFunctionAttribute, int, CUResult>)Find("cuFuncSetAttribute");
        cuFuncGetAttribute = (delegate* unmanaged<int*, CUFunctionAttribute, CUfunction, CUResult>)Find("cuFuncGetAttribute");
        cuLaunchKernel = (delegate* unmanaged<CUfunction, uint, uint, uint, uint, uint, uint, uint, CUstream, void**, void**, CUResult>)
            Find("cuLaunchKernel");
        cuMemGetInfo = (delegate* unmanaged<nuint*, nuint*, CUResult>)Find("cuMemGetInfo_v2");
        cuMemAlloc = (delegate* unmanaged<CUdeviceptr*, nuint, CUResult>)Find("cuMemAlloc_v2");
        cuMemFree = (delegate* unmanaged<CUdeviceptr, CUResult>)Find("cuMemFree_v2");
        cuMemPoolCreate = (delegate* unmanaged<CUmemoryPool*, CUmemPoolProps*, CUResult>)Find("cuMemPoolCreate");
        cuMemPoolDestroy = (delegate* unmanaged<CUmemoryPool, CUResult>)Find("cuMemPoolDestroy");
        cuMemPoolTrimTo = (delegate* unmanaged<CUmemoryPool, nuint, CUResult>)Find("cuMemPoolTrimTo");
        cuMemAllocFromPoolAsync = (delegate* unmanaged<CUdeviceptr*, nuint, CUmemoryPool, CUstream, CUResult>)Find("cuMemAllocFromPoolAsync");
        cuMemFreeAsync = (delegate* unmanaged<CUdeviceptr, CUstream, CUResult>)Find("cuMemFreeAsync");
        cuMemHostAlloc = (delegate* unmanaged<void**, nuint, uint, CUResult>)Find("cuMemHostAlloc");
        cuMemFreeHost = (delegate* unmanaged<void*, CUResult>)Find("cuMemFreeHost");
        cuMemcpyHtoDAsync = (delegate* unmanaged<CUdeviceptr, void*, nuint, CUstream, CUResult>)Find("cuMemcpyHtoDAsync_v2");
        cuMemcpyDtoHAsync = (delegate* unmanaged<void*, CUdeviceptr, nuint, CUstream, CUResult>)Find("cuMemcpyDtoHAsync_v2");
        cuMemcpyDtoDAsync = (delegate* unmanaged<CUdeviceptr, CUdeviceptr, nuint, CUstream, CUResult>)Find("cuMemcpyDtoDAsync_v2");
        cuMemsetD8Async = (delegate* unmanaged<CUdeviceptr, byte, nuint, CUstream, CUResult>)Find("cuMemsetD8Async");
        cuStreamCreate = (delegate* unmanaged<CUstream*, uint, CUResult>)Find("cuStreamCreate");
        cuStreamDestroy = (delegate* unmanaged<CUstream, CUResult>)Find("cuStreamDestroy_v2");
        cuStreamSynchronize = (delegate* unmanaged<CUstream, CUResult>)Find("cuStreamSynchronize");
        cuStreamWaitEvent = (delegate* unmanaged<CUstream, CUevent, uint, CUResult>)Find("cuStreamWaitEvent");
        cuStreamBeginCapture = (delegate* unmanaged<CUstream, CUstreamCaptureMode, CUResult>)Find("cuStreamBeginCapture_v2");
        cuStreamEndCapture = (delegate* unmanaged<CUstream, CUgraph*, CUResult>)Find("cuStreamEndCapture");
        cuEventCreate = (delegate* unmanaged<CUevent*, uint, CUResult>)Find("cuEventCreate");
        cuEventDestroy = (delegate* unmanaged<CUevent, CUResult>)Find("cuEventDestroy_v2");
        cuEventRecord = (delegate* unmanaged<CUevent, CUstream, CUResult>)Find("cuEventRecord");
        cuEventSynchronize = (delegate* unmanaged<CUevent, CUResult>)Find("cuEventSynchronize");
        cuEventElapsedTime = (delegate* unmanaged<float*, CUevent, CUevent, CUResult>)Find("cuEventElapsedTime");
        cuGraphInstantiate = (delegate* unmanaged<CUgraphExec*, CUgraph, ulong, CUResult>)Find("cuGraphInstantiateWithFlags");
        cuGraphLaunch = (delegate* unmanaged<CUgraphExec, CUstream, CUResult>)Find("cuGraphLaunch");
        cuGraphExecDestroy = (delegate* unmanaged<CUgraphExec, CUResult>)Find("cuGraphExecDestroy");
        cuGraphDestroy = (delegate* unmanaged<CUgraph, CUResult>)Find("cuGraphDestroy");
        cuTensorMapEncodeTiled = NativeLibrary.TryGetExport(library, "cuTensorMapEncodeTiled", out nint encode)
            ? (delegate* unmanaged<CUtensorMap*, CUtensorMapDataType, uint, void*, ulong*, ulong*, uint*, uint*, CUtensorMapInterleave,
                CUtensorMapSwizzle, CUtensorMapL2promotion, CUtensorMapFloatOOBfill, CUResult>)encode
            : null;
        cuGetErrorName = (delegate* unmanaged<CUResult, byte**, CUResult>)Find("cuGetErrorName");
        cuGetErrorString = (delegate* unmanaged<CUResult, byte**, CUResult>)Find("cuGetErrorString");
    }

#pragma warning disable SA1600, CS1591, IDE1006 // the driver's own names and documentation
    public readonly delegate* unmanaged<uint, CUResult> cuInit;
    public readonly delegate* unmanaged<int*, CUResult> cuDriverGetVersion;
    public readonly delegate* unmanaged<int*, CUResult> cuDeviceGetCount;
    public readonly delegate* unmanaged<CUdevice*, int, CUResult> cuDeviceGet;
    public readonly delegate* unmanaged<byte*, int, CUdevice, CUResult> cuDeviceGetName;
    public readonly delegate* unmanaged<int*, CUDeviceAttribute, CUdevice, CUResult> cuDeviceGetAttribute;
    public readonly delegate* unmanaged<nuint*, CUdevice, CUResult> cuDeviceTotalMem;
    public readonly delegate* unmanaged<CUcontext*, CUdevice, CUResult> cuDevicePrimaryCtxRetain;
    public readonly delegate* unmanaged<CUdevice, CUResult> cuDevicePrimaryCtxRelease;
    public readonly delegate* unmanaged<CUcontext, CUResult> cuCtxSetCurrent;
    public readonly delegate* unmanaged<CUmodule*, void*, uint, CUJITOption*, void**, CUResult> cuModuleLoadDataEx;
    public readonly delegate* unmanaged<CUmodule, CUResult> cuModuleUnload;
    public readonly delegate* unmanaged<CUfunction*, CUmodule, byte*, CUResult> cuModuleGetFunction;
    public readonly delegate* unmanaged<CUfunction, CUFunctionAttribute, int, CUResult> cuFuncSetAttribute;
    public readonly delegate* unmanaged<int*, CUFunctionAttribute, CUfunction, CUResult> cuFuncGetAttribute;
    public readonly delegate* unmanaged<CUfunction, uint, uint, uint, uint, uint, uint, uint, CUstream, void**, void**, CUResult> cuLaunchKernel;
    public readonly delegate* unmanaged<nuint*, nuint*, CUResult> cuMemGetInfo;
    public readonly delegate* unmanaged<CUdeviceptr*, nuint, CUResult> cuMemAlloc;
    public readonly delegate* unmanaged<CUdeviceptr, CUResult> cuMemFree;
    public readonly delegate* unmanaged<CUmemoryPool*, CUmemPoolProps*, CUResult> cuMemPoolCreate;
    public readonly delegate* unmanaged<CUmemoryPool, CUResult> cuMemPoolDestroy;
    public readonly delegate* unmanaged<CUmemoryPool, nuint, CUResult> cuMemPoolTrimTo;
    public readonly delegate* unmanaged<CUdeviceptr*, nuint, CUmemoryPool, CUstream, CUResult> cuMemAllocFromPoolAsync;
    public readonly delegate* unmanaged<CUdeviceptr, CUstream, CUResult> cuMemFreeAsync;
    public readonly delegate* unmanaged<void**, nuint, uint, CUResult> cuMemHostAlloc;
    public readonly delegate* unmanaged<void*, CUResult> cuMemFreeHost;
    public readonly delegate* unmanaged<CUdeviceptr, void*, nuint, CUstream, CUResult> cuMemcpyHtoDAsync;
    public readonly delegate* unmanaged<void*, CUdeviceptr, nuint, CUstream, CUResult> cuMemcpyDtoHAsync;
    public readonly delegate* unmanaged<CUdeviceptr, CUdeviceptr, nuint, CUstream, CUResult> cuMemcpyDtoDAsync;
    public readonly delegate* unmanaged<CUdeviceptr, byte, nuint, CUstream, CUResult> cuMemsetD8Async;
    public readonly delegate* unmanaged<CUstream*, uint, CUResult> cuStreamCreate;
    public readonly delegate* unmanaged<CUstream, CUResult> cuStreamDestroy;
    public readonly delegate* unmanaged<CUstream, CUResult> cuStreamSynchronize;
    public readonly delegate* unmanaged<CUstream, CUevent, uint, CUResult> cuStreamWaitEvent;
    public readonly delegate* unmanaged<CUstream, CUstreamCaptureMode, CUResult> cuStreamBeginCapture;
    public readonly delegate* unmanaged<CUstream, CUgraph*, CUResult> cuStreamEndCapture;
    public readonly delegate* unmanaged<CUevent*, uint, CUResult> cuEventCreate;
    public readonly delegate* unmanaged<CUevent, CUResult> cuEventDestroy;
    public readonly delegate* unmanaged<CUevent, CUstream, CUResult> cuEventRecord;
    public readonly delegate* unmanaged<CUevent, CUResult> cuEventSynchronize;
    public readonly delegate* unmanaged<float*, CUevent, CUevent, CUResult> cuEventElapsedTime;
    public readonly delegate* unmanaged<CUgraphExec*, CUgraph, ulong, CUResult> cuGraphInstantiate;
    public readonly delegate* unmanaged<CUgraphExec, CUstream, CUResult> cuGraphLaunch;
    public readonly delegate* unmanaged<CUgraphExec, CUResult> cuGraphExecDestroy;
    public readonly delegate* unmanaged<CUgraph, CUResult> cuGraphDestroy;
    // Null where the driver is older than CUDA 12.0, which code for sm_90a needs and other code does not.
    public readonly delegate* unmanaged<CUtensorMap*, CUtensorMapDataType, uint, void*, ulong*, ulong*, uint*, uint*, CUtensorMapInterleave,
        CUtensorMapSwizzle, CUtensorMapL2promotion, CUtensorMapFloatOOBfill, CUResult> cuTensorMapEncodeTiled;

    public readonly delegate* unmanaged<CUResult, byte**, CUResult> cuGetErrorName;
    public readonly delegate* unmanaged<CUResult, byte**, CUResult> cuGetErrorString;
#pragma warning restore SA1600, CS1591, IDE1006

    private nint Find(string name) => NativeLibrary.GetExport(_library, name);
}
