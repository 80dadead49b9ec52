namespace Graphene.Train;

/// <summary>Is told about the course of a training, and may end it.</summary>
public abstract class Callback
{
    /// <summary>Before the first epoch.</summary>
    public virtual void OnTrainBegin(TrainingRun run)
    {
    }

    /// <summary>Before the first step of an epoch.</summary>
    public virtual void OnEpochBegin(TrainingRun run, int epoch)
    {
    }

    /// <summary>After each step.</summary>
    public virtual void OnBatchEnd(TrainingRun run, BatchProgress progress)
    {
    }

    /// <summary>After an epoch and its validation.</summary>
    /// <param name="run">The training.</param>
    /// <param name="epoch">The number of the epoch, from 0.</param>
    /// <param name="numbers">Loss and metrics, and with <c>val_</c> in front those of validation.</param>
    public virtual void OnEpochEnd(TrainingRun run, int epoch, IReadOnlyDictionary<string, double> numbers)
    {
    }

    /// <summary>After the last epoch.</summary>
    public virtual void OnTrainEnd(TrainingRun run)
    {
    }

    /// <summary>One of the numbers of an epoch.</summary>
    /// <exception cref="GraphException">GR7004: there is no such number.</exception>
    protected static double NumberOf(IReadOnlyDictionary<string, double> numbers, string name) =>
        numbers.TryGetValue(name, out double value) ? value : throw new GraphException(
            TrainDiagnostics.BadTrainingData, $"there is no '{name}' among the numbers of an epoch: {string.Join(", ", numbers.Keys)}",
            fix: "monitor one of these, or pass Validation for those that begin with val_");
}

/// <summary>A training that goes on.</summary>
/// <param name="model">What is trained.</param>
/// <param name="epochs">How many epochs are planned.</param>
/// <param name="batchCount">Batches of an epoch; null when that is not known.</param>
public sealed class TrainingRun(Model model, int epochs, long? batchCount)
{
    /// <summary>What is trained.</summary>
    public Model Model { get; } = model;

    /// <summary>How many epochs are planned.</summary>
    public int Epochs { get; } = epochs;

    /// <summary>Batches of an epoch; null when that is not known.</summary>
    public long? BatchCount { get; } = batchCount;

    /// <summary>The present epoch, from 0. Set before the first one, it is where the training begins.</summary>
    public int Epoch { get; set; }

    /// <summary>True once <see cref="Stop"/> was called.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>Ends the training after the present step.</summary>
    public void Stop() => IsStopped = true;
}

/// <summary>What is known after a step.</summary>
public sealed class BatchProgress
{
    private readonly RunningSums _sums;

    internal BatchProgress(int batch, RunningSums sums)
    {
        Batch = batch;
        _sums = sums;
    }

    /// <summary>The number of the batch in its epoch, from 0.</summary>
    public int Batch { get; }

    /// <summary>Loss and metrics of the epoch so far.</summary>
    public IReadOnlyDictionary<string, double> Numbers => new Dictionary<string, double>(_sums.Results(""));
}
