namespace Graphene.Codegen;

/// <summary>Tells what the threads of tasks have done before one another, by counting the barriers that they passed.</summary>
/// <remarks>
/// A block barrier begins an epoch. Inside an epoch the barriers of each warp are counted, which order the accesses of its own threads.
/// Epochs count on from task to task, so what an earlier task did is known by its number alone.
/// </remarks>
internal sealed class RaceClock(int threads)
{
    private readonly uint[] _warpEpochs = new uint[(threads + KThreads.WarpSize - 1) / KThreads.WarpSize];
    private readonly List<(uint Epoch, long Task)> _tasks = [];

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
    }

    /// <summary>The threads of a warp pass one.</summary>
    public void PassWarpBarrier(int warp) => _warpEpochs[warp]++;

    /// <summary>The task of an epoch.</summary>
    public long TaskOf(uint epoch)
    {
        int at = _tasks.BinarySearch((epoch, long.MaxValue));
        return _tasks[at < 0 ? Math.Max(0, ~at - 1) : at].Task;
    }
}
