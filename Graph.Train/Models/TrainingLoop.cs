namespace Graphene.Train;

/// <summary>The epochs and steps of one training.</summary>
internal sealed class TrainingLoop(Model model, CompileOptions compiled, FitOptions options, int? batchCount)
{
    public History Run(Func<long, IEnumerable<Literal[]>> batches)
    {
        var history = new History();
        var run = new TrainingRun(model, options.Epochs, batchCount);
        Callback[] callbacks = options.Progress is { } writer ? [new ProgressBar(writer), .. options.Callbacks] : [.. options.Callbacks];
        Array.ForEach(callbacks, c => c.OnTrainBegin(run));
        for (int epoch = options.InitialEpoch; epoch < options.Epochs && !run.IsStopped; epoch++)
        {
            Array.ForEach(callbacks, c => c.OnEpochBegin(run, epoch));
            Dictionary<string, double> numbers = Train(batches(epoch), run, callbacks);
            if (options.Validation is { } validation)
            {
                foreach ((string name, double value) in model.Evaluate(validation.Inputs, validation.Targets))
                {
                    numbers.Add($"val_{name}", value);
                }
            }
            history.Add(numbers);
            Array.ForEach(callbacks, c => c.OnEpochEnd(run, epoch, numbers));
        }
        Array.ForEach(callbacks, c => c.OnTrainEnd(run));
        return history;
    }

    private Dictionary<string, double> Train(IEnumerable<Literal[]> batches, TrainingRun run, Callback[] callbacks)
    {
        var sums = new RunningSums(compiled.Metrics);
        long? fullBatch = null;
        int step = 0;
        foreach (Literal[] batch in batches)
        {
            options.Cancellation.ThrowIfCancellationRequested();
            fullBatch ??= batch[0].Shape[0].Value;
            sums.Add(model.RunBatch(PassKind.Train, batch, fullBatch, options.Cancellation));
            var progress = new BatchProgress(step, sums);
            Array.ForEach(callbacks, c => c.OnBatchEnd(run, progress));
            step++;
            if (run.IsStopped)
            {
                break;
            }
        }
        return new Dictionary<string, double>(sums.Results(""));
    }
}
