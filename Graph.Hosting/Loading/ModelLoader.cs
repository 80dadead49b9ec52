using System.Diagnostics;
using Graphene.Runtime;

namespace Graphene.Hosting;

/// <summary>Makes a version that is ready to answer requests from a file, or says why that cannot be.</summary>
internal sealed class ModelLoader<TModel>(
    string name, Func<CompiledGraph, TModel> create, IReadOnlyList<Action<TModel>> samples, ModelGpus gpus)
    where TModel : class, IDisposable
{
    /// <summary>Loads, verifies and warms up.</summary>
    /// <param name="file">What to load.</param>
    /// <param name="options">How.</param>
    /// <param name="number">The number that the version gets.</param>
    /// <param name="unloaded">Told when the version is gone.</param>
    /// <param name="cancellation">Stops the warm-up run.</param>
    /// <exception cref="GraphException">
    /// The file is no bundle for this machine and class, its first run failed, or there is no such GPU.
    /// </exception>
    public LoadedVersion<TModel> Load(
        SettledFile file, GrapheneModelOptions options, int number, Action<LoadedVersion<TModel>> unloaded,
        CancellationToken cancellation)
    {
        long start = Stopwatch.GetTimestamp();
        ModelGpus.Use? gpu = options.Gpu is { } gpuNumber ? gpus.Take(gpuNumber) : null;
        CompiledGraph? graph = null;
        TModel? model = null;
        try
        {
            graph = CompiledGraph.Load(file.File, new CompiledGraphOptions { Gpu = gpu?.Device });
            model = create(graph);
            if (options.WarmUp)
            {
                WarmUp(graph, model, options, cancellation);
            }
            VersionMemory memory = ZeroRun.Predict(graph, options.WarmUpDims);
            IDisposable? copy = file.Hide();
            var version = new ModelVersion(
                name, number, file.Hash, file.Source, file.Fingerprint.Length, DateTimeOffset.UtcNow, Stopwatch.GetElapsedTime(start));
            return new LoadedVersion<TModel>(model, version, memory, v =>
            {
                gpu?.Dispose(); // after everything that was made from it
                copy?.Dispose();
                unloaded(v);
            });
        }
        catch
        {
            model?.Dispose();
            graph?.Dispose();
            gpu?.Dispose();
            throw;
        }
    }

    private void WarmUp(CompiledGraph graph, TModel model, GrapheneModelOptions options, CancellationToken cancellation)
    {
        try
        {
            if (samples.Count == 0)
            {
                ZeroRun.Run(graph, options.WarmUpDims, cancellation);
            }
            foreach (Action<TModel> run in samples)
            {
                run(model);
            }
        }
        catch (Exception e) when (e is not OperationCanceledException
            && (e as GraphException)?.Id != HostingDiagnostics.WarmUpFailed)
        {
            throw new GraphException(
                HostingDiagnostics.WarmUpFailed,
                $"model '{name}': its first run {(samples.Count == 0 ? "on zeros" : "on the samples of the service")} failed",
                why: e.Message.ReplaceLineEndings("\n       "),
                fix: "set WarmUpDims to sizes that the model takes, or warm it up with samples of your own (WarmUpWith)",
                inner: e);
        }
    }
}
