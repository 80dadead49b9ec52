namespace Graphene.Optimizer;

/// <summary>How much of the arena is in use at each step of a plan.</summary>
internal sealed class ArenaUse
{
    private readonly MemoryPlan _plan;
    private readonly long[] _live;

    /// <summary>Plans a module, typical values standing for symbols.</summary>
    public ArenaUse(Module module)
    {
        _plan = BufferAssigner.Assign(module);
        _live = new long[_plan.StepCount];
        foreach (PlannedBuffer buffer in _plan.Buffers.Where(b => b.Kind == BufferKind.Temporary))
        {
            long size = buffer.SizeInBytes.Evaluate(ListScheduler.TypicalValue);
            for (int step = buffer.Live.First; step <= buffer.Live.Last; step++)
            {
                _live[step] += size;
            }
        }
        Bytes = _plan.Pack(ListScheduler.TypicalValue).SizeInBytes;
    }

    /// <summary>The size of the arena.</summary>
    public long Bytes { get; }

    /// <summary>The step at which the most is in use.</summary>
    public int PeakStep => Array.IndexOf(_live, _live.Max());

    /// <summary>What is in use above a limit, over all steps; 0 when the limit is met by all.</summary>
    public double Above(long limit) => _live.Sum(bytes => (double)Math.Max(0, bytes - limit));

    /// <summary>What is in use at the peak.</summary>
    public long PeakBytes => _live.Max();

    /// <summary>The node of the entry that runs, or has run last, at the peak.</summary>
    public Node? NodeAtPeak() => _plan.Entry.Steps.Where(s => s.Number <= PeakStep).MaxBy(s => s.Number) switch
    {
        RunStep run => run.Node,
        WhileStep loop => loop.Node,
        BranchStep branch => branch.Node,
        _ => null,
    };

    /// <summary>The largest values in use at the peak, with the nodes that make them.</summary>
    public IEnumerable<(Node Node, TensorType Type)> LargestAtPeak(int count)
    {
        int peak = PeakStep;
        var at = _plan.Buffers.Where(b => b.Kind == BufferKind.Temporary && b.Live.First <= peak && peak <= b.Live.Last)
            .Select(b => b.Index).ToHashSet();
        return _plan.Entry.Steps.OfType<RunStep>().Where(s => s.Number <= peak).Reverse()
            .SelectMany(s => s.Results.Select((buffer, i) => (s.Node, Type: s.Node.Types[i], buffer)))
            .Where(v => at.Remove(v.buffer))
            .OrderByDescending(v => ListScheduler.TypicalBytes(v.Type)).Take(count).Select(v => (v.Node, v.Type));
    }
}
