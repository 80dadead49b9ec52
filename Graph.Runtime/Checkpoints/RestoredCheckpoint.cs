using System.Collections.Immutable;

namespace Graphene.Runtime;

/// <summary>What was restored from a folder.</summary>
/// <param name="Step">How far the training was.</param>
/// <param name="Path">The file.</param>
/// <param name="Report">What was restored.</param>
/// <param name="Damaged">Younger checkpoints that could not be used, and why.</param>
public sealed record RestoredCheckpoint(
    long Step, string Path, RestoreReport Report, ImmutableArray<(string Path, string Reason)> Damaged);
