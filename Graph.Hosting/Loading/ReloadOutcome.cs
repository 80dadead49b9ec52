namespace Graphene.Hosting;

/// <summary>What became of a file that was loaded.</summary>
internal enum ReloadOutcome
{
    /// <summary>It is the present version.</summary>
    Loaded,

    /// <summary>It is the version that was there before.</summary>
    Unchanged,

    /// <summary>It is not usable, and will not be until it changes.</summary>
    Failed,

    /// <summary>It could not be read, which may be different in a moment.</summary>
    Unreadable,
}
