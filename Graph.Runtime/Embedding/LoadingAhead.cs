namespace Graphene.Runtime;

/// <summary>What the first run in a process needs, done on another thread when its code is loaded.</summary>
/// <remarks>The pool of threads asks the system for affinities and quotas, and starts threads, which takes milliseconds.</remarks>
internal static class LoadingAhead
{
    private static readonly bool Began = Start();

    /// <summary>Does it once, on a thread of its own.</summary>
    public static void Begin() => _ = Began;

    /// <summary>Does it on this thread.</summary>
    public static void Do()
    {
        try
        {
            ComputePool.Shared.StartWorkers();
        }
        catch (GraphException)
        {
            // A switch has a value that cannot be used: the first run says so, to somebody who can be told.
        }
    }

    private static bool Start()
    {
        if (Environment.ProcessorCount > 1)
        {
            new Thread(Do) { IsBackground = true, Name = "graphene load" }.UnsafeStart();
        }
        return true;
    }
}
