using Graphene.Runtime;

namespace Graphene.Train;

/// <summary>
/// Saves everything after epochs, and goes on from the last save when a training is started again: with equal settings it ends with
/// the bits of a training that was never interrupted.
/// </summary>
/// <param name="folder">Where the checkpoints are.</param>
/// <param name="everyEpochs">The epochs between two saves.</param>
public sealed class ResumableTraining(CheckpointFolder folder, int everyEpochs = 1) : Callback
{
    private const string EpochName = "training/epoch";
    private Saver? _saver;
    private int _epoch;

    /// <summary>How many epochs were done before, when a training was continued; else null.</summary>
    public int? ResumedAfter { get; private set; }

    /// <inheritdoc/>
    public override void OnTrainBegin(TrainingRun run)
    {
        _saver = new Saver(run.Model.Session);
        _saver.Track(EpochName, () => Literal.From([(long)_epoch]), epoch => _epoch = (int)epoch.As<long>()[0]);
        ResumedAfter = null;
        if (folder.RestoreLatest(_saver) is not null)
        {
            ResumedAfter = _epoch;
            run.Epoch = _epoch;
        }
    }

    /// <inheritdoc/>
    public override void OnEpochEnd(TrainingRun run, int epoch, IReadOnlyDictionary<string, double> numbers)
    {
        _epoch = epoch + 1;
        if (_epoch % everyEpochs == 0)
        {
            folder.Save(_saver!, _epoch);
        }
    }
}
