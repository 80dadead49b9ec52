namespace Graphene.Train;

/// <summary>Whether a number should fall or rise.</summary>
public enum MonitorMode
{
    /// <summary>By its name: accuracies and areas should rise, everything else fall.</summary>
    Auto,

    /// <summary>It should fall.</summary>
    Min,

    /// <summary>It should rise.</summary>
    Max,
}

/// <summary>The best value of a number so far.</summary>
internal sealed class Monitor(string name, MonitorMode mode, double minDelta)
{
    private readonly bool _rises = mode == MonitorMode.Max ||
        (mode == MonitorMode.Auto &&
            (name.EndsWith("accuracy", StringComparison.Ordinal) || name.EndsWith("auc", StringComparison.Ordinal)));

    public double? Best { get; private set; }

    /// <summary>Takes the number of an epoch.</summary>
    /// <returns>True when it is better than all before, by the least difference.</returns>
    public bool Improves(double value)
    {
        bool better = Best is not { } best || (_rises ? value > best + minDelta : value < best - minDelta);
        Best = better ? value : Best;
        return better;
    }
}

/// <summary>Ends a training that no longer gets better.</summary>
/// <param name="monitor">The number that counts.</param>
/// <param name="patience">The epochs without an improvement that are borne.</param>
/// <param name="minDelta">The least change that is an improvement.</param>
/// <param name="mode">Whether the number should fall or rise.</param>
/// <param name="restoreBestWeights">True to go back to the weights of the best epoch at the end.</param>
public sealed class EarlyStopping(
    string monitor = "val_loss",
    int patience = 0,
    double minDelta = 0,
    MonitorMode mode = MonitorMode.Auto,
    bool restoreBestWeights = false) : Callback
{
    private Monitor _monitor = new(monitor, mode, minDelta);
    private int _waited;
    private Literal[]? _best;

    /// <summary>The epoch after which it stopped; null when it did not.</summary>
    public int? StoppedEpoch { get; private set; }

    /// <inheritdoc/>
    public override void OnTrainBegin(TrainingRun run)
    {
        _monitor = new Monitor(monitor, mode, minDelta);
        (_waited, _best, StoppedEpoch) = (0, null, null);
    }

    /// <inheritdoc/>
    public override void OnEpochEnd(TrainingRun run, int epoch, IReadOnlyDictionary<string, double> numbers)
    {
        if (_monitor.Improves(NumberOf(numbers, monitor)))
        {
            _waited = 0;
            _best = restoreBestWeights ? run.Model.GetWeights() : null;
        }
        else if (++_waited > patience)
        {
            StoppedEpoch = epoch;
            run.Stop();
        }
    }

    /// <inheritdoc/>
    public override void OnTrainEnd(TrainingRun run)
    {
        if (_best is not null)
        {
            run.Model.SetWeights(_best);
        }
    }
}

/// <summary>Calls a function after epochs, all or those that are better than before: to save or export a model, for example.</summary>
/// <param name="save">The function; gets the model and the number of the epoch.</param>
/// <param name="monitor">The number that counts when only the best are saved.</param>
/// <param name="saveBestOnly">True to save only after an epoch that is better than all before.</param>
/// <param name="mode">Whether the number should fall or rise.</param>
public sealed class ModelCheckpoint(
    Action<Model, int> save, string monitor = "val_loss", bool saveBestOnly = false, MonitorMode mode = MonitorMode.Auto) : Callback
{
    private readonly Monitor _monitor = new(monitor, mode, 0);

    /// <inheritdoc/>
    public override void OnEpochEnd(TrainingRun run, int epoch, IReadOnlyDictionary<string, double> numbers)
    {
        if (!saveBestOnly || _monitor.Improves(NumberOf(numbers, monitor)))
        {
            save(run.Model, epoch);
        }
    }
}

/// <summary>Divides the learning rate when a number no longer gets better. The optimizer's rate must be a number, no schedule.</summary>
/// <param name="monitor">The number that counts.</param>
/// <param name="factor">What the rate is multiplied by.</param>
/// <param name="patience">The epochs without an improvement that are borne.</param>
/// <param name="minRate">The least rate.</param>
/// <param name="mode">Whether the number should fall or rise.</param>
public sealed class ReduceLROnPlateau(
    string monitor = "val_loss", double factor = 0.1, int patience = 10, double minRate = 0, MonitorMode mode = MonitorMode.Auto)
    : Callback
{
    private readonly Monitor _monitor = new(monitor, mode, 1e-4);
    private int _waited;

    /// <inheritdoc/>
    public override void OnEpochEnd(TrainingRun run, int epoch, IReadOnlyDictionary<string, double> numbers)
    {
        if (_monitor.Improves(NumberOf(numbers, monitor)))
        {
            _waited = 0;
        }
        else if (++_waited >= patience && run.Model.Compiled.Optimizer.LearningRateVariable is { } rate)
        {
            float now = run.Model.Session.ValueOf(rate).As<float>()[0];
            run.Model.Session.Assign(rate, Literal.From<float>([(float)Math.Max(now * factor, minRate)]));
            _waited = 0;
        }
    }
}

/// <summary>Ends a training whose loss is no longer a number.</summary>
public sealed class TerminateOnNaN : Callback
{
    /// <inheritdoc/>
    public override void OnBatchEnd(TrainingRun run, BatchProgress progress)
    {
        if (!double.IsFinite(progress.Numbers["loss"]))
        {
            run.Stop();
        }
    }
}
