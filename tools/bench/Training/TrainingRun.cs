using Graphene.Cli.Execution;
using Graphene.Codegen;
using Graphene.Runtime;
using Graphene.Train;

namespace Graphene.Bench.Training;

/// <summary>A whole training step, compiled and bound to one batch: forward, loss, backward and the optimizer's update.</summary>
internal sealed class TrainingRun : ITimedRun
{
    private readonly Graph _graph;
    private readonly Tensor[] _feeds;
    private readonly Tensor _loss;
    private readonly Operation _step;
    private readonly Literal[] _batch;
    private readonly (Variable Variable, Literal Value)[] _start;
    private readonly Session _session;
    private readonly Callable _callable;
    private readonly BoundCall _call;

    /// <summary>Builds the model's step and compiles it.</summary>
    /// <param name="workload">What to train.</param>
    /// <param name="threads">Threads that a step may use.</param>
    public TrainingRun(TrainingWorkload workload, int threads)
    {
        _batch = [workload.Input(), workload.Target()];
        _graph = new Graph(workload.Name);
        Tensor x = _graph.Placeholder(_batch[0].DType, _batch[0].Shape, "x");
        Tensor y = _graph.Placeholder(_batch[1].DType, _batch[1].Shape, "y");
        Layer model = workload.CreateModel();
        var context = new LayerContext(_graph, training: true, seed: 1);
        _loss = new SparseCategoricalCrossentropy(fromLogits: true).Call(y, model.Call(context, x));
        _step = workload.CreateOptimizer().Minimize(_loss, model.TrainableWeights);
        _feeds = [x, y];
        _session = new Session(_graph, GraphCompiler.Cpu(), new SessionOptions { MaxThreads = threads });
        _start = [.. _graph.Variables.Select(v => (v, _session.ValueOf(v)))];
        _callable = _session.MakeCallable([_loss], _feeds, [_step]);
        _call = _callable.Bind();
        _batch[0].As<float>().CopyTo(_call.Input<float>(0));
        _batch[1].As<long>().CopyTo(_call.Input<long>(1));
    }

    /// <summary>The loss of the first step; NaN before it.</summary>
    public double FirstLoss { get; private set; } = double.NaN;

    /// <summary>The loss of the last step.</summary>
    public double LastLoss { get; private set; }

    /// <inheritdoc/>
    public void Run()
    {
        _call.Run();
        LastLoss = _call.Output<float>(0)[0];
        FirstLoss = double.IsNaN(FirstLoss) ? LastLoss : FirstLoss;
    }

    /// <summary>Takes the first weights and the optimizer's first state again.</summary>
    public void Restart()
    {
        _session.Assign(_start);
        FirstLoss = double.NaN;
    }

    /// <summary>Where the time of a step goes.</summary>
    public KernelReport Profile(int threads, int warmup, int runs)
    {
        LoweredGraph step = _graph.Lower([_loss], _feeds, [_step]);
        Literal[] inputs =
        [
            .. _batch,
            .. step.Variables.Where(b => b.Input >= 0).OrderBy(b => b.Input).Select(b => _start.First(s => s.Variable == b.Variable).Value),
        ];
        return KernelReport.Measure(step.Module, inputs, new Dictionary<string, long>(), threads, warmup, runs);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _call.Dispose();
        _callable.Dispose();
        _session.Dispose();
    }
}
