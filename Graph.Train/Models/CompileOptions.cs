using Graphene.Runtime;

namespace Graphene.Train;

/// <summary>How a model is trained and run.</summary>
/// <param name="Compiler">Compiles the steps, for example <c>GraphCompiler.Cpu()</c>.</param>
/// <param name="Optimizer">Changes the weights.</param>
/// <param name="Loss">What the optimizer makes small.</param>
public sealed record CompileOptions(IGraphCompiler Compiler, Optimizer Optimizer, Loss Loss)
{
    /// <summary>What is reported besides the loss.</summary>
    public IReadOnlyList<Metric> Metrics { get; init; } = [];

    /// <summary>Decides first weights, dropout and the order of examples.</summary>
    public long Seed { get; init; }

    /// <summary>How the session works.</summary>
    public SessionOptions? Session { get; init; }
}
