namespace Graphene.Codegen;

/// <summary>Tells what the threads of tasks have done before one another, by counting the barriers that they passed.</summary>
/// <remarks>
/// A block barrier begins an epoch. Inside an epoch the barriers of each warp are counted, which order the accesses of
/// its own threads. Epochs count on from task to task, so what an earlier task did is known by its number alone. A warp
/// that arrives at a barrier of phases passes one of its own; a warp that waits for the phase learns how many of them
/// every warp had passed, as far as those that arrived knew. What comes by bulk copies counts as the doing of one more
/// warp, which no thread is in.
/// </remarks>
internal sealed class RaceClock
{
    /// <summary>The warp that bulk copies count as.</summary>
    public const int Copier = KThreads.Most / KThreads.WarpSize;

    private readonly uint[] _warpEpochs = new uint[Copier + 1];
    private readonly List<(uint Epoch, long Task)> _tasks = [];
    private uint[][]? _known;

    /// <summary>How many block barriers were passed, of all tasks so far; at least 1.</summary>
    public uint Epoch { get; private set; }

    /// <summary>The first epoch of the task that runs.</summary>
    public uint TaskEpoch { get; private set; }

    /// <summary>How many barriers a warp has passed in the epoch.</summary>
    public uint WarpEpoch(int warp) => _warpEpochs[warp];

    /// <summary>Begins a task.</summary>
    public void BeginTask(long task)
    {
        PassBarrier();
        TaskEpoch = Epoch;
        _tasks.Add((Epoch, task));
    }

    /// <summary>All threads pass a barrier.</summary>
    public void PassBarrier()
    {
        Epoch = checked(Epoch + 1);
        Array.Clear(_warpEpochs);
        if (_known is not null)
        {
            Array.ForEach(_known, k => Array.Clear(k));
        }
    }

    /// <summary>The threads of a warp pass one.</summary>
    public void PassWarpBarrier(int warp) => _warpEpochs[warp]++;

    /// <summary>Whether phases order anything.</summary>
    public bool HasPhases => _known is not null;

    /// <summary>Whether a warp knows that another had passed more barriers of its own than some, in this epoch.</summary>
    /// <param name="warp">The warp.</param>
    /// <param name="other">The other one.</param>
    /// <param name="passed">The number of barriers.</param>
    public bool Knows(int warp, int other, uint passed) => _known is not null && passed < _known[warp][other];

    /// <summary>A warp passes a barrier of its own, and all that it knows by then is known to a phase.</summary>
    public void Release(int warp, PhaseClock phase)
    {
        _known ??= [.. Enumerable.Range(0, Copier + 1).Select(_ => new uint[Copier + 1])];
        PassWarpBarrier(warp);
        phase.Begin(Epoch);
        phase.Learn(_known[warp]);
        phase.Learn(warp, _warpEpochs[warp]);
    }

    /// <summary>A warp learns what a phase knows.</summary>
    public void Acquire(int warp, PhaseClock phase)
    {
        _known ??= [.. Enumerable.Range(0, Copier + 1).Select(_ => new uint[Copier + 1])];
        if (phase.Epoch == Epoch)
        {
            for (int other = 0; other < _known[warp].Length; other++)
            {
                _known[warp][other] = Math.Max(_known[warp][other], phase.Passed(other));
            }
        }
    }

    /// <summary>The task of an epoch.</summary>
    public long TaskOf(uint epoch)
    {
        int at = _tasks.BinarySearch((epoch, long.MaxValue));
        return _tasks[at < 0 ? Math.Max(0, ~at - 1) : at].Task;
    }
}
