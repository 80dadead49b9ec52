using System.Runtime.InteropServices;

namespace ManagedCuda.BasicTypes;

/// <summary>A device, by its number.</summary>
internal readonly record struct CUdevice(int Pointer);

/// <summary>A context.</summary>
internal readonly record struct CUcontext(nint Pointer);

/// <summary>Code that was loaded.</summary>
internal readonly record struct CUmodule(nint Pointer);

/// <summary>A kernel of a module.</summary>
internal readonly record struct CUfunction(nint Pointer);

/// <summary>A queue of work.</summary>
internal readonly record struct CUstream(nint Pointer);

/// <summary>A mark in a queue.</summary>
internal readonly record struct CUevent(nint Pointer);

/// <summary>Memory of a device.</summary>
internal readonly record struct CUdeviceptr(ulong Pointer);

/// <summary>Memory from which streams allocate.</summary>
internal readonly record struct CUmemoryPool(nint Pointer);

/// <summary>Work that was captured.</summary>
internal readonly record struct CUgraph(nint Pointer);

/// <summary>Captured work, ready to be started.</summary>
internal readonly record struct CUgraphExec(nint Pointer);

/// <summary>How a call ended. Those that have an explanation in <c>CudaErrors</c>; others are numbers.</summary>
internal enum CUResult
{
    Success = 0,
    ErrorInvalidValue = 1,
    ErrorOutOfMemory = 2,
    ErrorNotInitialized = 3,
    ErrorDeinitialized = 4,
    ErrorStubLibrary = 34,
    ErrorDeviceUnavailable = 46,
    ErrorNoDevice = 100,
    ErrorInvalidDevice = 101,
    ErrorInvalidImage = 200,
    ErrorInvalidContext = 201,
    ErrorNoBinaryForGPU = 209,
    ErrorECCUncorrectable = 214,
    ErrorInvalidPtx = 218,
    ErrorJitCompilerNotFound = 221,
    ErrorUnsupportedPtxVersion = 222,
    ErrorNotFound = 500,
    ErrorNotReady = 600,
    ErrorIllegalAddress = 700,
    ErrorLaunchOutOfResources = 701,
    ErrorLaunchTimeout = 702,
    ErrorAssert = 710,
    ErrorIllegalInstruction = 715,
    ErrorMisalignedAddress = 716,
    ErrorLaunchFailed = 719,
    ErrorNotSupported = 801,
    ErrorSystemNotReady = 802,
    ErrorSystemDriverMismatch = 803,
    ErrorCompatNotSupportedOnDevice = 804,
    ErrorStreamCaptureUnsupported = 900,
    ErrorStreamCaptureInvalidated = 901,
}

/// <summary>What can be asked of a device.</summary>
internal enum CUDeviceAttribute
{
    MultiProcessorCount = 16,
    ComputeCapabilityMajor = 75,
    ComputeCapabilityMinor = 76,
    MemoryPoolsSupported = 115,
}

/// <summary>What can be asked of, or set for, a kernel.</summary>
internal enum CUFunctionAttribute
{
    MaxThreadsPerBlock = 0,
    SharedSizeBytes = 1,
    LocalSizeBytes = 3,
    NumRegs = 4,
    MaxDynamicSharedSizeBytes = 8,
}

/// <summary>Options of the translation of PTX.</summary>
internal enum CUJITOption
{
    InfoLogBuffer = 3,
    InfoLogBufferSizeBytes = 4,
    ErrorLogBuffer = 5,
    ErrorLogBufferSizeBytes = 6,
}

/// <summary>Whose calls a capture forbids.</summary>
internal enum CUstreamCaptureMode
{
    ThreadLocal = 1,
}

/// <summary>A tensor map, as the driver encodes it.</summary>
[StructLayout(LayoutKind.Sequential, Size = 128)]
internal struct CUtensorMap
{
    private ulong _first;
}

/// <summary>The type of a tensor's elements.</summary>
internal enum CUtensorMapDataType
{
    UInt8 = 0,
    UInt16 = 1,
    UInt32 = 2,
    UInt64 = 4,
    Float16 = 6,
    Float32 = 7,
    Float64 = 8,
    BFloat16 = 9,
    TFloat32 = 11,
}

/// <summary>Whether elements lie in groups of channels.</summary>
internal enum CUtensorMapInterleave
{
    None = 0,
}

/// <summary>How pieces of 16 bytes change places in shared memory.</summary>
internal enum CUtensorMapSwizzle
{
    None = 0,
    Swizzle128B = 3,
}

/// <summary>How much the second cache fetches at once.</summary>
internal enum CUtensorMapL2promotion
{
    L2Bytes256 = 3,
}

/// <summary>What lies outside of the tensor.</summary>
internal enum CUtensorMapFloatOOBfill
{
    None = 0,
}

/// <summary>Properties of a pool: memory of one device that is not shared with other processes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct CUmemPoolProps
{
    public int AllocType;
    public int HandleTypes;
    public int LocationType;
    public int LocationId;
    public void* Win32SecurityAttributes;
    public nuint MaxSize;
    public fixed byte Reserved[56];
}
