using ManagedCuda.BasicTypes;

namespace Graphene.Runtime;

/// <summary>An event of the driver.</summary>
internal sealed unsafe class CudaEvent : GpuEvent
{
    private const uint DisableTiming = 2; // CU_EVENT_DISABLE_TIMING
    private readonly CudaDevice _device;
    private readonly CUevent _event;
    private bool _disposed;

    /// <summary>Makes an event, which is reached until it is recorded.</summary>
    public CudaEvent(CudaDevice device, bool hasTime)
    {
        _device = device;
        device.MakeCurrent();
        fixed (CUevent* made = &_event)
        {
            device.Check(device.Driver.cuEventCreate(made, hasTime ? 0 : DisableTiming), "cuEventCreate");
        }
    }

    /// <summary>The driver's handle.</summary>
    public CUevent Handle => _event;

    /// <inheritdoc/>
    public override double MillisecondsSince(GpuEvent earlier)
    {
        _device.MakeCurrent();
        float milliseconds;
        _device.Check(_device.Driver.cuEventElapsedTime(&milliseconds, ((CudaEvent)earlier)._event, _event), "cuEventElapsedTime");
        return milliseconds;
    }

    /// <inheritdoc/>
    public override void Synchronize()
    {
        _device.MakeCurrent();
        _device.Check(_device.Driver.cuEventSynchronize(_event), "cuEventSynchronize");
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _device.MakeCurrent();
            _ = _device.Driver.cuEventDestroy(_event);
        }
    }
}
