using Microsoft.Extensions.Logging;

namespace Graphene.Runtime;

/// <summary>Runs graphs with the reference evaluator: needs no compiler, is slow, and shows what the right answer
/// is.</summary>
public sealed class ReferenceCompiler : IGraphCompiler
{
    /// <inheritdoc/>
    public string Device => "reference";

    /// <inheritdoc/>
    public GraphProgram Compile(Module module, ILogger logger, CancellationToken cancellation) =>
        new ReferenceProgram(module);
}
