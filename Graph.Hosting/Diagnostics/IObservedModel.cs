namespace Graphene.Hosting;

/// <summary>What metrics and the health check see of a model.</summary>
internal interface IObservedModel
{
    /// <summary>The name of the model.</summary>
    string Name { get; }

    /// <summary>The present version; null before the first.</summary>
    ModelVersion? Version { get; }

    /// <summary>The number of leases that have not ended, of all versions.</summary>
    long ActiveRuns { get; }

    /// <summary>The number of versions in memory.</summary>
    long LoadedVersions { get; }

    /// <summary>The memory of all versions that are loaded.</summary>
    VersionMemory Memory { get; }

    /// <summary>How the last attempt to replace the present version ended; null when there is nothing to complain about.</summary>
    ReloadFailure? LastFailure { get; }
}
