using Graphene.Runtime;

namespace Graphene.Hosting;

/// <summary>
/// The GPUs that models of a service run on. Each is open once, however many models and versions use it, so that equal constants are
/// there once, and is closed when the last version on it is unloaded, which may be after the service stopped.
/// </summary>
/// <param name="open">Opens the GPU of a number.</param>
internal sealed class ModelGpus(Func<int, GpuDevice> open)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<int, (GpuDevice Device, int Users)> _opened = [];

    /// <summary>Uses a GPU until what is returned is disposed.</summary>
    /// <param name="number">Its number, as the driver counts them.</param>
    /// <exception cref="GraphException">GR6501: there is no driver. GR6506: there is no such GPU.</exception>
    public Use Take(int number)
    {
        lock (_lock)
        {
            (GpuDevice device, int users) = _opened.TryGetValue(number, out var known) ? known : (open(number), 0);
            _opened[number] = (device, users + 1);
            return new Use(this, number, device);
        }
    }

    private void Return(int number)
    {
        lock (_lock)
        {
            (GpuDevice device, int users) = _opened[number];
            if (users > 1)
            {
                _opened[number] = (device, users - 1);
                return;
            }
            _opened.Remove(number);
            device.Dispose();
        }
    }

    /// <summary>A GPU that is open as long as this is not disposed.</summary>
    public sealed class Use(ModelGpus gpus, int number, GpuDevice device) : IDisposable
    {
        private int _disposed;

        /// <summary>The device.</summary>
        public GpuDevice Device => device;

        /// <inheritdoc/>
        public void Dispose()
        {
            if (Interlocked.Exchange(ref _disposed, 1) == 0)
            {
                gpus.Return(number);
            }
        }
    }
}
