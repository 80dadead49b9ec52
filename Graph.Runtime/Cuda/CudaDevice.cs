using System.Runtime.InteropServices;
using ManagedCuda;
using ManagedCuda.BasicTypes;

namespace Graphene.Runtime;

/// <summary>A GPU through the CUDA driver, and nothing else of CUDA.</summary>
/// <remarks>
/// Uses the device's primary context, which other libraries of the process use as well. Memory comes from a pool of its
/// own and goes back to the system when nothing of it is used; nothing is allocated before it is needed. A device that
/// is never disposed is freed with the process.
/// </remarks>
public sealed unsafe class CudaDevice : GpuDevice
{
    private const int NameBytes = 256;
    private const int AllocationTypePinned = 1; // CU_MEM_ALLOCATION_TYPE_PINNED: ordinary memory of a device
    private const int LocationTypeDevice = 1; // CU_MEM_LOCATION_TYPE_DEVICE
    private readonly CUdevice _device;
    private readonly CUcontext _context;
    private readonly CUmemoryPool _pool;
    private readonly CUstream _memoryStream;
    private readonly bool _hasPools;
    private int _disposed;

    private CudaDevice(DriverAPI driver, CUdevice device)
    {
        Driver = driver;
        _device = device;
        byte* name = stackalloc byte[NameBytes];
        Check(driver.cuDeviceGetName(name, NameBytes, device), "cuDeviceGetName");
        Name = Marshal.PtrToStringUTF8((nint)name) ?? "GPU";
        Architecture = (10 * Ask(CUDeviceAttribute.ComputeCapabilityMajor)) + Ask(CUDeviceAttribute.ComputeCapabilityMinor);
        Multiprocessors = Ask(CUDeviceAttribute.MultiProcessorCount);
        _hasPools = Ask(CUDeviceAttribute.MemoryPoolsSupported) != 0;
        nuint bytes;
        Check(driver.cuDeviceTotalMem(&bytes, device), "cuDeviceTotalMem");
        MemoryBytes = (long)bytes;
        fixed (CUcontext* context = &_context)
        {
            Check(driver.cuDevicePrimaryCtxRetain(context, device), "cuDevicePrimaryCtxRetain");
        }
        try
        {
            MakeCurrent();
            fixed (CUstream* stream = &_memoryStream)
            {
                Check(driver.cuStreamCreate(stream, CudaStream.NonBlocking), "cuStreamCreate");
            }
            if (_hasPools)
            {
                var properties = new CUmemPoolProps
                {
                    AllocType = AllocationTypePinned,
                    LocationType = LocationTypeDevice,
                    LocationId = device.Pointer,
                };
                fixed (CUmemoryPool* pool = &_pool)
                {
                    Check(driver.cuMemPoolCreate(pool, &properties), "cuMemPoolCreate");
                }
            }
        }
        catch
        {
            Dispose(disposing: true);
            throw;
        }
        HostMemory = new CudaHostMemory(this);
    }

    /// <inheritdoc/>
    public override string Name { get; }

    /// <inheritdoc/>
    public override int Architecture { get; }

    /// <inheritdoc/>
    public override int Multiprocessors { get; }

    /// <inheritdoc/>
    public override long MemoryBytes { get; }

    /// <inheritdoc/>
    public override long FreeBytes
    {
        get
        {
            MakeCurrent();
            nuint free, total;
            Check(Driver.cuMemGetInfo(&free, &total), "cuMemGetInfo");
            return (long)free;
        }
    }

    internal override GpuCodeForm CodeForm => GpuCodeForm.Ptx;

    internal DriverAPI Driver { get; }

    private CudaHostMemory? HostMemory { get; }

    /// <summary>Opens a device of this machine.</summary>
    /// <param name="number">Its number, as the driver counts them (<c>CUDA_VISIBLE_DEVICES</c> changes that).</param>
    /// <exception cref="GraphException">GR6501: there is no driver that can be used. GR6506: there is no such device.</exception>
    public static CudaDevice Open(int number = 0) => Open(CudaLibrary.Load(DebugOptions.FromEnvironment().CudaPath), number);

    internal static CudaDevice Open(DriverAPI driver, int number)
    {
        int count;
        CUResult result = driver.cuDeviceGetCount(&count);
        if (result != CUResult.Success)
        {
            throw CudaErrors.Of(driver, result, "cuDeviceGetCount");
        }
        if (number < 0 || number >= count)
        {
            throw NoDevice(number, count);
        }
        CUdevice device;
        result = driver.cuDeviceGet(&device, number);
        return result == CUResult.Success ? new CudaDevice(driver, device) : throw CudaErrors.Of(driver, result, "cuDeviceGet");
    }

    internal static GraphException NoDevice(int number, int count) => new(
        GpuDiagnostics.NoDevice, $"there is no GPU {number}",
        why: count == 0 ? "the driver sees none" : $"the driver counts {count}, from 0",
        fix: count == 0 ? "look at nvidia-smi and at CUDA_VISIBLE_DEVICES; containers get GPUs with --gpus all" : $"choose 0..{count - 1}");

    internal override NativeBlock AllocateHost(long bytes)
    {
        if (bytes == 0)
        {
            return NativeBlock.Allocate(0);
        }
        MakeCurrent();
        void* address;
        Check(Driver.cuMemHostAlloc(&address, (nuint)bytes, 0), "cuMemHostAlloc", $"{bytes} bytes of locked memory of the host");
        return NativeBlock.Adopt((nint)address, bytes, HostMemory!);
    }

    internal override GpuStream CreateStream() => new CudaStream(this);

    internal override GpuEvent CreateEvent(bool hasTime) => new CudaEvent(this, hasTime);

    internal override GpuCode LoadCode(string name, ReadOnlyMemory<byte> code) => new CudaCode(this, name, code.Span);

    internal override string? WhyNot(string target) => CudaTarget.WhyNot(target, Architecture);

    /// <summary>Lets the calling thread's next calls go to this device.</summary>
    internal void MakeCurrent() => Check(Driver.cuCtxSetCurrent(_context), "cuCtxSetCurrent");

    /// <summary>Throws unless a call succeeded.</summary>
    internal void Check(CUResult result, string call, string? where = null)
    {
        if (result != CUResult.Success)
        {
            throw CudaErrors.Of(Driver, result, call, where ?? Name);
        }
    }

    private protected override nint AllocateCore(long bytes, GpuStream? stream)
    {
        MakeCurrent();
        CUdeviceptr address;
        CUResult result = Take(&address, bytes, stream);
        if (result == CUResult.ErrorOutOfMemory && _hasPools)
        {
            // What the pool keeps for streams that wait for each other is free once nobody waits.
            Check(Driver.cuStreamSynchronize(_memoryStream), "cuStreamSynchronize");
            Check(Driver.cuMemPoolTrimTo(_pool, 0), "cuMemPoolTrimTo");
            result = Take(&address, bytes, stream);
        }
        if (result == CUResult.ErrorOutOfMemory)
        {
            throw new GpuMemoryException(bytes, FreeBytes);
        }
        Check(result, "cuMemAllocFromPoolAsync");
        return (nint)address.Pointer;
    }

    private protected override void FreeCore(nint address)
    {
        // Should the context be lost, so is its memory.
        if (Driver.cuCtxSetCurrent(_context) == CUResult.Success)
        {
            var memory = new CUdeviceptr((ulong)address);
            _ = _hasPools ? Driver.cuMemFreeAsync(memory, _memoryStream) : Driver.cuMemFree(memory);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0 && Driver.cuCtxSetCurrent(_context) == CUResult.Success)
        {
            if (_memoryStream.Pointer != 0)
            {
                _ = Driver.cuStreamSynchronize(_memoryStream);
                _ = Driver.cuStreamDestroy(_memoryStream);
            }
            if (_pool.Pointer != 0)
            {
                _ = Driver.cuMemPoolDestroy(_pool);
            }
            _ = Driver.cuCtxSetCurrent(default);
            _ = Driver.cuDevicePrimaryCtxRelease(_device);
        }
    }

    private CUResult Take(CUdeviceptr* address, long bytes, GpuStream? stream)
    {
        if (!_hasPools)
        {
            return Driver.cuMemAlloc(address, (nuint)bytes);
        }
        CUstream queue = stream is CudaStream own ? own.Handle : _memoryStream;
        CUResult result = Driver.cuMemAllocFromPoolAsync(address, (nuint)bytes, _pool, queue);
        if (result == CUResult.Success && stream is null)
        {
            // Whoever uses it need not know about streams.
            Check(Driver.cuStreamSynchronize(_memoryStream), "cuStreamSynchronize");
        }
        return result;
    }

    private int Ask(CUDeviceAttribute attribute)
    {
        int value;
        Check(Driver.cuDeviceGetAttribute(&value, attribute, _device), "cuDeviceGetAttribute");
        return value;
    }

    private sealed class CudaHostMemory(CudaDevice device) : GpuHostMemory
    {
        public override void Free(nint address)
        {
            if (device.Driver.cuCtxSetCurrent(device._context) == CUResult.Success)
            {
                _ = device.Driver.cuMemFreeHost((void*)address);
            }
        }
    }
}
