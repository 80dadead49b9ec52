using Graphene.Codegen;
using Graphene.Optimizer;
using Graphene.Runtime;

namespace Graphene.Bench;

/// <summary>A compiled <see cref="OpCase"/> bound to its inputs, ready to be timed again and again.</summary>
internal sealed class OpRun : ITimedRun
{
    private readonly Session _session;
    private readonly Callable _callable;
    private readonly BoundCall _call;

    /// <summary>Compiles a case.</summary>
    /// <param name="op">What to run.</param>
    /// <param name="threads">Threads that a run may use.</param>
    /// <param name="optimizer">Choices of the optimizer; null for the defaults.</param>
    public OpRun(OpCase op, int threads, OptimizerOptions? optimizer = null)
    {
        Literal[] inputs = op.Inputs();
        _session = new Session(
            op.ToModule(inputs), GraphCompiler.Cpu(new GraphCompilerOptions { Optimizer = optimizer }), new SessionOptions { MaxThreads = threads });
        _callable = _session.MakeCallable(["y"]);
        _call = _callable.Bind([.. inputs.Select(x => x.Shape.ToStatic())]);
        for (int i = 0; i < inputs.Length; i++)
        {
            inputs[i].As<float>().CopyTo(_call.Input<float>(i));
        }
    }

    /// <inheritdoc/>
    public void Run() => _call.Run();

    /// <summary>The result of the last run.</summary>
    public ReadOnlySpan<float> Result => _call.Output<float>(0);

    /// <inheritdoc/>
    public void Dispose()
    {
        _call.Dispose();
        _callable.Dispose();
        _session.Dispose();
    }
}
