using Graphene.Codegen;
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
    public OpRun(OpCase op, int threads)
    {
        var b = new GraphBuilder();
        Literal[] inputs = op.Inputs();
        Node[] parameters = [.. inputs.Select((x, i) => b.Parameter(i, x.Type))];
        Computation entry = b.Build("op", [op.Build(b, parameters)], []);
        var module = new Module(op.Name, entry, [.. inputs.Select((_, i) => $"x{i}")], ["y"], b.Provenance);
        _session = new Session(module, GraphCompiler.Cpu(), new SessionOptions { MaxThreads = threads });
        _callable = _session.MakeCallable(["y"]);
        _call = _callable.Bind([.. inputs.Select(x => x.Shape.ToStatic())]);
        for (int i = 0; i < inputs.Length; i++)
        {
            inputs[i].As<float>().CopyTo(_call.Input<float>(i));
        }
    }

    /// <inheritdoc/>
    public void Run() => _call.Run();

    /// <inheritdoc/>
    public void Dispose()
    {
        _call.Dispose();
        _callable.Dispose();
        _session.Dispose();
    }
}
