using System.Diagnostics;
using Graphene.Runtime;
using Microsoft.Extensions.Logging;

namespace Graphene.Cli.Execution;

/// <summary>Passes compilations on and remembers the last one, for reports about it.</summary>
internal sealed class RecordingCompiler(IGraphCompiler compiler) : IGraphCompiler
{
    /// <inheritdoc/>
    public string Device => compiler.Device;

    /// <summary>The program made last; it belongs to the session.</summary>
    public GraphProgram? Program { get; private set; }

    /// <summary>How long making it took.</summary>
    public TimeSpan Elapsed { get; private set; }

    /// <inheritdoc/>
    public GraphProgram Compile(Module module, ILogger logger, CancellationToken cancellation)
    {
        long start = Stopwatch.GetTimestamp();
        Program = compiler.Compile(module, logger, cancellation);
        Elapsed = Stopwatch.GetElapsedTime(start);
        return Program;
    }
}
