using Graphene.Data;

namespace Graphene.Train;

/// <summary>The epochs and steps of one training.</summary>
internal sealed class TrainingLoop(Model model, CompileOptions compiled, FitOptions options, Dataset data)
{
    public History Run()
    {
        var history = new History();
        var run = new TrainingRun(model, options.Epochs, data.Count) { Epoch = options.InitialEpoch };
        Callback[] callbacks = options.Progress is { } writer ? [new ProgressBar(writer), .. options.Callbacks] : [.. options.Callbacks];
        Array.ForEach(callbacks, c => c.OnTrainBegin(run));
        for (; run.Epoch < options.Epochs && !run.IsStopped; run.Epoch++)
        {
            Array.ForEach(callbacks, c => c.OnEpochBegin(run, run.Epoch));
            Dictionary<string, double> numbers = Train(run, callbacks);
            if (options.Validation is { } validation)
            {
                foreach ((string name, double value) in model.Evaluate(validation.Inputs, validation.Targets))
                {
                    numbers.Add($"val_{name}", value);
                }
            }
            history.Add(numbers);
            Array.ForEach(callbacks, c => c.OnEpochEnd(run, run.Epoch, numbers));
        }
        Array.ForEach(callbacks, c => c.OnTrainEnd(run));
        return history;
    }

    private Dictionary<string, double> Train(TrainingRun run, Callback[] callbacks)
    {
        var sums = new RunningSums(compiled.Metrics);
        long? fullBatch = null;
        int step = 0;
        using DatasetIterator batches = data.Iterate(run.Epoch);
        while (!run.IsStopped && batches.MoveNext())
        {
            options.Cancellation.ThrowIfCancellationRequested();
            Literal[] batch = batches.Current;
            fullBatch ??= batch[0].Shape[0].Value;
            sums.Add(model.RunBatch(PassKind.Train, batch, fullBatch, options.Cancellation));
            var progress = new BatchProgress(step++, sums);
            Array.ForEach(callbacks, c => c.OnBatchEnd(run, progress));
        }
        return new Dictionary<string, double>(sums.Results(""));
    }
}
