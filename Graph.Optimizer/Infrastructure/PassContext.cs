namespace Graphene.Optimizer;

/// <summary>One run of a pipeline: its options, what is left of its budgets, and its log.</summary>
/// <param name="options">What the caller chose.</param>
public sealed class PassContext(OptimizerOptions options)
{
    private readonly List<PassTiming> _timings = [];
    private readonly List<PassDecision> _decisions = [];
    private TimeSpan _foldingTime;
    private long _foldedBytes;

    /// <summary>What the caller chose.</summary>
    public OptimizerOptions Options { get; } = options;

    /// <summary>True when rules may treat floating-point arithmetic as if it were real.</summary>
    public bool FastMath => Options.FastMath;

    /// <summary>The name of the pass that is running.</summary>
    public string CurrentPass { get; internal set; } = "";

    /// <summary>Rewrites done so far in this run.</summary>
    public long Rewrites { get; private set; }

    /// <summary>What the rewrite that used up the limit did; null while the limit is not reached.</summary>
    public string? LastRewrite { get; private set; }

    /// <summary>What each pass took, in order.</summary>
    public IReadOnlyList<PassTiming> Timings => _timings;

    /// <summary>Asks to do one more rewrite. Every change to a graph asks, so that a limit can find the guilty one.</summary>
    /// <param name="what">Describes the change; only formatted for the last one.</param>
    /// <returns>False when the limit is reached: the change must not be made.</returns>
    public bool TryTakeRewrite(Func<string> what)
    {
        long limit = Options.Debug.StopAfter ?? long.MaxValue;
        if (Rewrites >= limit)
        {
            return false;
        }
        Rewrites++;
        if (Rewrites == limit)
        {
            LastRewrite = $"rewrite {Rewrites}, {CurrentPass}: {what()}";
            Log(LastRewrite);
        }
        return true;
    }

    /// <summary>Says something about this run, one line.</summary>
    public void Log(string line) => Options.Log?.Invoke(line);

    /// <summary>Why things were not done, when <see cref="OptimizerOptions.Explain"/> asks for it.</summary>
    public IReadOnlyList<PassDecision> Decisions => _decisions;

    /// <summary>Records why something was not done.</summary>
    /// <param name="what">The reason; only formatted when somebody wants to know.</param>
    public void Explain(Func<string> what)
    {
        if (Options.Explain)
        {
            _decisions.Add(new PassDecision(CurrentPass, what()));
        }
    }

    /// <summary>Asks to make a constant.</summary>
    /// <param name="sizeInBytes">The new constant less the constants it replaces; may be negative.</param>
    /// <param name="estimate">
    /// How long it should take. Estimates are summed, not the time that passes, so that the same graph is always folded alike.
    /// </param>
    /// <returns>False when the byte or time budget of folding does not allow it.</returns>
    public bool TryTakeFolding(long sizeInBytes, TimeSpan estimate)
    {
        if (_foldingTime + estimate > Options.FoldingTime || _foldedBytes + sizeInBytes > Options.FoldingBudgetInBytes)
        {
            return false;
        }
        _foldingTime += estimate;
        _foldedBytes += Math.Max(0, sizeInBytes);
        return true;
    }

    internal void AddTiming(PassTiming timing) => _timings.Add(timing);
}

/// <summary>What one run of one pass took and did.</summary>
/// <param name="Pass">The name of the pass.</param>
/// <param name="Elapsed">Time, without verification and dumps.</param>
/// <param name="Rewrites">Changes it made.</param>
/// <param name="NodesBefore">Nodes of the entry computation before it.</param>
/// <param name="NodesAfter">Nodes of the entry computation after it.</param>
public sealed record PassTiming(string Pass, TimeSpan Elapsed, long Rewrites, int NodesBefore, int NodesAfter);

/// <summary>Something that a pass did not do, and why.</summary>
/// <param name="Pass">The name of the pass.</param>
/// <param name="Reason">What was not done and why.</param>
public sealed record PassDecision(string Pass, string Reason);
