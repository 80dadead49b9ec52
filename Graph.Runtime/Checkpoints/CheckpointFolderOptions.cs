using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Graphene.Runtime;

/// <summary>Which checkpoints of a folder are kept.</summary>
public sealed record CheckpointFolderOptions
{
    /// <summary>How many of the last checkpoints are kept.</summary>
    public int Keep { get; init; } = 5;

    /// <summary>Checkpoints whose step is a multiple of this are kept for ever; 0 for none.</summary>
    public long KeepEvery { get; init; }

    /// <summary>Receives what is deleted, and what could not be used.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;

    internal CheckpointFolderOptions Checked()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Keep, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(KeepEvery);
        return this;
    }
}
