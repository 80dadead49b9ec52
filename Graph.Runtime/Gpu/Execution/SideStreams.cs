namespace Graphene.Runtime;

/// <summary>Queues beside the one of a frame, for work that does not wait for each other.</summary>
/// <param name="device">The device.</param>
internal sealed class SideStreams(GpuDevice device) : IDisposable
{
    // More would not fill the device better: a batch is for kernels that are too small for it alone.
    private const int Count = 3;
    private readonly List<GpuStream> _streams = [];
    private readonly List<GpuEvent> _done = [];
    private GpuEvent? _begun;

    /// <summary>Does work on the frame's stream and on the others in turns; what comes later waits for all of it.</summary>
    /// <param name="stream">The frame's.</param>
    /// <param name="members">How many pieces of work there are.</param>
    /// <param name="start">Starts one.</param>
    public void Run(GpuStream stream, int members, Action<GpuStream, int> start)
    {
        int sides = Math.Min(Count, members - 1);
        Make(sides);
        stream.Record(_begun!);
        for (int i = 0; i < sides; i++)
        {
            _streams[i].Wait(_begun!);
        }
        for (int i = 0; i < members; i++)
        {
            int place = i % (sides + 1);
            start(place == 0 ? stream : _streams[place - 1], i);
        }
        for (int i = 0; i < sides; i++)
        {
            _streams[i].Record(_done[i]);
            stream.Wait(_done[i]);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _streams.ForEach(s => s.Dispose());
        _done.ForEach(e => e.Dispose());
        _begun?.Dispose();
    }

    private void Make(int sides)
    {
        _begun ??= device.CreateEvent(hasTime: false);
        while (_streams.Count < sides)
        {
            _streams.Add(device.CreateStream());
            _done.Add(device.CreateEvent(hasTime: false));
        }
    }
}
