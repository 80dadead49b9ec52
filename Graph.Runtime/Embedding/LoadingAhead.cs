using System.Security.Cryptography;

namespace Graphene.Runtime;

/// <summary>What the first load in a process needs besides its file, done on two threads at once.</summary>
/// <remarks>
/// The library that computes SHA-256 takes 6 ms to load, asking the processor what it can do as long on a virtual machine, where each
/// question is answered by the host, and the pool of threads a few more. All of that together is most of a small model's start.
/// </remarks>
internal static class LoadingAhead
{
    private static readonly bool Began = Start();

    /// <summary>Does it once.</summary>
    public static void Begin() => _ = Began;

    private static bool Start()
    {
        if (Environment.ProcessorCount > 1)
        {
            new Thread(Others) { IsBackground = true, Name = "graphene load" }.Start();
        }
        _ = HostProcessor.Has("");
        return true;
    }

    private static void Others()
    {
        SHA256.HashData([], stackalloc byte[SHA256.HashSizeInBytes]);
        _ = ComputePool.Shared;
    }
}
