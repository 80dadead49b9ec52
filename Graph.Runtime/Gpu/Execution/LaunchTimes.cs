namespace Graphene.Runtime;

/// <summary>Times of starts, measured by marks in the stream before and after each; read when the stream was waited for.</summary>
/// <param name="device">Makes marks.</param>
/// <param name="profile">Receives the times.</param>
internal sealed class LaunchTimes(GpuDevice device, KernelProfile profile) : IDisposable
{
    private readonly List<(GpuEvent Begin, GpuEvent End, int Call)> _pending = [];
    private readonly Stack<GpuEvent> _idle = new();
    private GpuEvent? _first;

    /// <summary>Marks the beginning of a call.</summary>
    public void Begin(GpuStream stream, int call)
    {
        _first ??= Keep(stream);
        GpuEvent begin = Take();
        stream.Record(begin);
        _pending.Add((begin, Take(), call));
    }

    /// <summary>Marks the end of the call that began last.</summary>
    public void End(GpuStream stream) => stream.Record(_pending[^1].End);

    /// <summary>Hands the times over; everything that was marked has ended.</summary>
    public void Collect()
    {
        foreach ((GpuEvent begin, GpuEvent end, int call) in _pending)
        {
            profile.Add(
                call, TimeSpan.FromMilliseconds(begin.MillisecondsSince(_first!)),
                TimeSpan.FromMilliseconds(end.MillisecondsSince(begin)));
            _idle.Push(begin);
            _idle.Push(end);
        }
        _pending.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach ((GpuEvent begin, GpuEvent end, int _) in _pending)
        {
            begin.Dispose();
            end.Dispose();
        }
        while (_idle.TryPop(out GpuEvent? idle))
        {
            idle.Dispose();
        }
        _first?.Dispose();
    }

    private GpuEvent Take() => _idle.TryPop(out GpuEvent? idle) ? idle : device.CreateEvent(hasTime: true);

    private GpuEvent Keep(GpuStream stream)
    {
        GpuEvent first = device.CreateEvent(hasTime: true);
        stream.Record(first);
        return first;
    }
}
