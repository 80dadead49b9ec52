using System.Diagnostics;

namespace Graphene.Runtime;

/// <summary>How long each kernel call of a program took, summed over runs.</summary>
/// <remarks>
/// Only code that was compiled to be profiled reports its calls; for other code the profile stays empty. A call is counted from
/// the entry function's view: with the work of all threads that shared it, and with waking them. Reporting costs some tens of
/// nanoseconds a call. One run at a time may use a profile.
/// </remarks>
/// <param name="maxEvents">How many calls are kept one by one, for <see cref="ChromeTrace"/>; later ones are only summed.</param>
public sealed class KernelProfile(int maxEvents = 0)
{
    private readonly List<KernelEvent> _events = [];
    private long _origin;
    private int _run;
    private long[] _ticks = [];
    private long[] _calls = [];
    private long _started;

    /// <summary>The number of kernel calls in the program that were reached so far, by the highest place.</summary>
    public int Count { get; private set; }

    /// <summary>How often a call was made.</summary>
    /// <param name="kernel">Its place in <see cref="ExecutablePlan.Kernels"/>.</param>
    public long Calls(int kernel) => kernel < _calls.Length ? _calls[kernel] : 0;

    /// <summary>How long the call took, all times together.</summary>
    /// <param name="kernel">Its place in <see cref="ExecutablePlan.Kernels"/>.</param>
    public TimeSpan Elapsed(int kernel) =>
        kernel < _ticks.Length ? Stopwatch.GetElapsedTime(0, _ticks[kernel]) : TimeSpan.Zero;

    /// <summary>The first calls, one by one.</summary>
    public IReadOnlyList<KernelEvent> Events => _events;

    /// <summary>Forgets everything, for a new series of runs.</summary>
    public void Clear()
    {
        _events.Clear();
        _run = 0;
        Array.Clear(_ticks);
        Array.Clear(_calls);
    }

    internal void BeginRun() => _run++;

    // The native side: -1 - 2k when call k begins, -2 - 2k when it has ended; no other host call has a negative id.
    internal void Mark(long id)
    {
        long now = Stopwatch.GetTimestamp();
        long mark = -1 - id;
        int kernel = (int)(mark >> 1);
        if ((mark & 1) == 0)
        {
            _started = now;
            return;
        }
        Grow(kernel);
        _ticks[kernel] += now - _started;
        _calls[kernel]++;
        if (_events.Count < maxEvents)
        {
            if (_events.Count == 0)
            {
                _origin = _started;
            }
            _events.Add(new KernelEvent(
                kernel, _run, Stopwatch.GetElapsedTime(_origin, _started), Stopwatch.GetElapsedTime(_started, now)));
        }
    }

    /// <summary>Adds a call whose times somebody else measured.</summary>
    /// <param name="kernel">Its place in <see cref="ExecutablePlan.Kernels"/>.</param>
    /// <param name="start">When it began, from some moment of the run on.</param>
    /// <param name="duration">How long it took.</param>
    internal void Add(int kernel, TimeSpan start, TimeSpan duration)
    {
        Grow(kernel);
        _ticks[kernel] += (long)(duration.TotalSeconds * Stopwatch.Frequency);
        _calls[kernel]++;
        if (_events.Count < maxEvents)
        {
            _events.Add(new KernelEvent(kernel, _run, start, duration));
        }
    }

    private void Grow(int kernel)
    {
        if (kernel >= _ticks.Length)
        {
            Array.Resize(ref _ticks, Math.Max(kernel + 1, 2 * _ticks.Length));
            Array.Resize(ref _calls, _ticks.Length);
        }
        Count = Math.Max(Count, kernel + 1);
    }
}

/// <summary>One kernel call.</summary>
/// <param name="Kernel">Its place in <see cref="ExecutablePlan.Kernels"/>.</param>
/// <param name="Run">The number of the run, from 1.</param>
/// <param name="Start">When it began, from the first event on.</param>
/// <param name="Duration">How long it took.</param>
public readonly record struct KernelEvent(int Kernel, int Run, TimeSpan Start, TimeSpan Duration);
