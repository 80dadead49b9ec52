namespace Graphene.Codegen;

/// <summary>What an entry function may ask of its host.</summary>
public sealed record EntryOptions
{
    /// <summary>Shares work between threads and looks for cancellation.</summary>
    public static EntryOptions Default { get; } = new();

    /// <summary>
    /// True to tell the host when each kernel call begins and ends: host calls -1 - 2k and -2 - 2k for the k-th call in the text.
    /// </summary>
    public bool IsProfiled { get; init; }

    /// <summary>
    /// A function <c>void (ptr to, ptr from, i64 bytes)</c> that copies; null for LLVM's, which may become a call of the C library.
    /// </summary>
    public string? CopySymbol { get; init; }

    /// <summary>
    /// False where there is one thread: kernels are called one after the other, and nothing asks how
    /// many threads there are.
    /// </summary>
    public bool IsParallel { get; init; } = true;

    /// <summary>
    /// False where the function that shares work between threads may not be called by the work itself: loops side by side
    /// run one after the other.
    /// </summary>
    public bool NestsCalls { get; init; } = true;

    /// <summary>False where nobody can ask a run to stop: neither the entry function nor kernels look for it.</summary>
    public bool IsCancellable { get; init; } = true;
}
