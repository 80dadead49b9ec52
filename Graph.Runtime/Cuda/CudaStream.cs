using ManagedCuda.BasicTypes;

namespace Graphene.Runtime;

/// <summary>A stream of the driver.</summary>
internal sealed unsafe class CudaStream : GpuStream
{
    /// <summary>CU_STREAM_NON_BLOCKING: waits for no work of the default stream.</summary>
    public const uint NonBlocking = 1;

    private readonly CudaDevice _device;
    private readonly CUstream _stream;
    private bool _disposed;

    /// <summary>Makes a stream.</summary>
    public CudaStream(CudaDevice device)
    {
        _device = device;
        device.MakeCurrent();
        fixed (CUstream* stream = &_stream)
        {
            device.Check(device.Driver.cuStreamCreate(stream, NonBlocking), "cuStreamCreate");
        }
    }

    /// <summary>The driver's handle.</summary>
    public CUstream Handle => _stream;

    /// <inheritdoc/>
    public override void CopyToDevice(nint to, void* from, long bytes)
    {
        _device.MakeCurrent();
        _device.Check(_device.Driver.cuMemcpyHtoDAsync(Memory(to), from, (nuint)bytes, _stream), "cuMemcpyHtoDAsync");
    }

    /// <inheritdoc/>
    public override void CopyToHost(void* to, nint from, long bytes)
    {
        _device.MakeCurrent();
        _device.Check(_device.Driver.cuMemcpyDtoHAsync(to, Memory(from), (nuint)bytes, _stream), "cuMemcpyDtoHAsync");
    }

    /// <inheritdoc/>
    public override void Copy(nint to, nint from, long bytes)
    {
        _device.MakeCurrent();
        _device.Check(_device.Driver.cuMemcpyDtoDAsync(Memory(to), Memory(from), (nuint)bytes, _stream), "cuMemcpyDtoDAsync");
    }

    /// <inheritdoc/>
    public override void Fill(nint to, byte value, long bytes)
    {
        _device.MakeCurrent();
        _device.Check(_device.Driver.cuMemsetD8Async(Memory(to), value, (nuint)bytes, _stream), "cuMemsetD8Async");
    }

    /// <inheritdoc/>
    /// <remarks>The driver takes copies of all parameters, also those of graphs that it captures.</remarks>
    public override void Launch(
        GpuFunction function, long tasks, ReadOnlySpan<long> arguments, ReadOnlySpan<long> extents, ReadOnlySpan<BoundMap> maps = default)
    {
        var kernel = (CudaFunction)function;
        _device.MakeCurrent();
        void** parameters = stackalloc void*[arguments.Length + maps.Length + 1];
        byte* memory = stackalloc byte[CudaTensorMaps.BytesOf(maps.Length)];
        CUtensorMap* encoded = CudaTensorMaps.Align(memory);
        for (int i = 0; i < maps.Length; i++)
        {
            CudaTensorMaps.Encode(_device, maps[i], encoded + i);
            parameters[arguments.Length + i] = encoded + i;
        }
        fixed (long* values = arguments)
        {
            for (int i = 0; i < arguments.Length; i++)
            {
                parameters[i] = values + i; // an entry that takes all of them as one table finds it at the first
            }
            CUResult result = _device.Driver.cuLaunchKernel(
                kernel.Handle, (uint)tasks, 1, 1, (uint)kernel.Threads, 1, 1, (uint)kernel.SharedBytes, _stream, parameters, null);
            if (result != CUResult.Success)
            {
                throw CudaErrors.Of(
                    _device.Driver, result, "cuLaunchKernel",
                    $"kernel '{kernel.Name}' with {tasks} blocks of {kernel.Threads} threads "
                        + $"and {kernel.SharedBytes} bytes of shared memory");
            }
        }
    }

    /// <inheritdoc/>
    public override void Record(GpuEvent mark)
    {
        _device.MakeCurrent();
        _device.Check(_device.Driver.cuEventRecord(((CudaEvent)mark).Handle, _stream), "cuEventRecord");
    }

    /// <inheritdoc/>
    public override void Wait(GpuEvent mark)
    {
        _device.MakeCurrent();
        _device.Check(_device.Driver.cuStreamWaitEvent(_stream, ((CudaEvent)mark).Handle, 0), "cuStreamWaitEvent");
    }

    /// <inheritdoc/>
    public override void BeginCapture()
    {
        _device.MakeCurrent();
        _device.Check(_device.Driver.cuStreamBeginCapture(_stream, CUstreamCaptureMode.ThreadLocal), "cuStreamBeginCapture");
    }

    /// <inheritdoc/>
    public override GpuGraph? EndCapture(bool discard)
    {
        _device.MakeCurrent();
        CUgraph graph;
        CUResult result = _device.Driver.cuStreamEndCapture(_stream, &graph);
        if (discard)
        {
            if (result == CUResult.Success && graph.Pointer != 0)
            {
                _ = _device.Driver.cuGraphDestroy(graph);
            }
            return null;
        }
        _device.Check(result, "cuStreamEndCapture");
        return new CudaGraph(_device, graph);
    }

    /// <inheritdoc/>
    public override void Launch(GpuGraph graph)
    {
        _device.MakeCurrent();
        _device.Check(_device.Driver.cuGraphLaunch(((CudaGraph)graph).Handle, _stream), "cuGraphLaunch");
    }

    /// <inheritdoc/>
    public override void Synchronize()
    {
        _device.MakeCurrent();
        _device.Check(_device.Driver.cuStreamSynchronize(_stream), "cuStreamSynchronize");
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _device.MakeCurrent();
            _ = _device.Driver.cuStreamDestroy(_stream);
        }
    }

    private static CUdeviceptr Memory(nint address) => new((ulong)address);
}
