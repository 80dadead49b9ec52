using Graphene.Cli.Models;

namespace Graphene.Cli.Execution;

/// <summary>The devices by name.</summary>
internal static class Devices
{
    /// <summary>The reference evaluator.</summary>
    public const string Reference = "reference";

    /// <summary>All names, the default first.</summary>
    public static string[] Names { get; } = [Reference];

    /// <summary>Makes runners for a device.</summary>
    /// <param name="device">One of <see cref="Names"/>.</param>
    /// <param name="threads">Threads that a run may use; the reference evaluator uses one.</param>
    public static Func<LoadedModel, IModelRunner> Factory(string device, int threads) => device switch
    {
        Reference => model => new ReferenceRunner(model),
        _ => throw new UsageException($"there is no device '{device}'; devices are {string.Join(", ", Names)}"),
    };
}
