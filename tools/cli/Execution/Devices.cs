using Graphene.Codegen;
using Graphene.Runtime;
using Microsoft.Extensions.Logging;

namespace Graphene.Cli.Execution;

/// <summary>The devices by name.</summary>
internal static class Devices
{
    /// <summary>Machine code for the processor that runs now.</summary>
    public const string Cpu = "cpu";

    /// <summary>The reference evaluator: slow and obvious, op by op.</summary>
    public const string Reference = "reference";

    /// <summary>All names, the default first.</summary>
    public static string[] Names { get; } = [Cpu, Reference];

    /// <summary>The compiler of a device.</summary>
    /// <param name="device">One of <see cref="Names"/>.</param>
    /// <param name="logger">Receives what the disk cache has to say.</param>
    /// <param name="useCache">False to compile even what is in the disk cache.</param>
    public static IGraphCompiler Compiler(string device, ILogger logger, bool useCache = true) => device switch
    {
        Cpu => new CachedGraphCompiler(
            GraphCompiler.Cpu(), Cpu, useCache ? DiskCache.FromEnvironment(DebugOptions.FromEnvironment(), logger) : null),
        Reference => new ReferenceCompiler(),
        _ => throw new UsageException($"there is no device '{device}'; devices are {string.Join(", ", Names)}"),
    };
}
