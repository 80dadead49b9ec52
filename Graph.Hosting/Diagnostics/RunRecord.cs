using System.Diagnostics;

namespace Graphene.Hosting;

/// <summary>What is remembered of a run until it ends.</summary>
internal struct RunRecord
{
    /// <summary>A time stamp; 0 when nobody wants to know how long the run takes.</summary>
    public long Started;

    /// <summary>The trace of the run, when somebody listens.</summary>
    public Activity? Activity;

    /// <summary>Why it failed.</summary>
    public string? Error;
}
