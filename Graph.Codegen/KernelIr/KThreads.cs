namespace Graphene.Codegen;

/// <summary>
/// The threads that run a task together: a block of a GPU. Each runs the kernel's body with a number of its own. They meet at
/// <see cref="KBarrier"/>, and share what is in <see cref="KBufferSpace.Shared"/> memory; everything else is a thread's own.
/// </summary>
/// <param name="Thread">The number of the thread, from 0, bound in the kernel's body.</param>
/// <param name="Count">How many there are: a multiple of <see cref="WarpSize"/>, at most <see cref="Most"/>.</param>
public sealed record KThreads(KVariable Thread, int Count)
{
    /// <summary>How many neighbouring threads go together and can exchange values; thread t is lane t modulo this.</summary>
    public const int WarpSize = 32;

    /// <summary>The most threads of a task.</summary>
    public const int Most = 1024;

    /// <summary>
    /// How many tasks a multiprocessor shall have registers for: what the assembler is told. 0 leaves it free to spill some of them for one
    /// task more.
    /// </summary>
    public int TasksPerMultiprocessor { get; init; }
}

/// <summary>Waits until all threads of the task are here; what any of them wrote before, all see after. All threads must come.</summary>
public sealed record KBarrier : KStmt;

/// <summary>The same among the threads of a warp, all of which must come.</summary>
public sealed record KWarpBarrier : KStmt;

/// <summary>Which thread of a warp a value comes from.</summary>
public enum KExchangeKind
{
    /// <summary>The lane whose number the operand is.</summary>
    Lane,

    /// <summary>The own lane's number xor the operand.</summary>
    Xor,

    /// <summary>The own lane's number minus the operand; the own value where there is no such lane.</summary>
    Up,

    /// <summary>The own lane's number plus the operand; the own value where there is no such lane.</summary>
    Down,
}

/// <summary>Takes a value from another thread of the warp. All threads of the warp must come.</summary>
/// <param name="Variable">The name of what was taken, of the value's type.</param>
/// <param name="Value">What each thread gives: a scalar or vector of any element type.</param>
/// <param name="Kind">How the operand names a lane.</param>
/// <param name="Operand">A scalar i64 from 0 to 31.</param>
public sealed record KExchange(KVariable Variable, KExpr Value, KExchangeKind Kind, KExpr Operand) : KStmt;

/// <summary>
/// Begins to copy consecutive elements from an argument to shared memory. They have arrived for the thread itself after a
/// <see cref="KAsyncWait"/>, and for the others after the barrier behind it. Until then nobody may touch the destination.
/// </summary>
/// <param name="To">Shared memory.</param>
/// <param name="ToIndex">Where the first element goes, i64; a multiple of <paramref name="Lanes"/>.</param>
/// <param name="From">A read-only argument of the same element type.</param>
/// <param name="FromIndex">Where the first element lies, i64; a multiple of <paramref name="Lanes"/>.</param>
/// <param name="Lanes">How many elements: 4, 8 or 16 bytes of them.</param>
/// <param name="Condition">A scalar bool: where it does not hold nothing is read, and zeros are written; null for always.</param>
public sealed record KAsyncCopy(KBuffer To, KExpr ToIndex, KBuffer From, KExpr FromIndex, int Lanes, KExpr? Condition = null) : KStmt;

/// <summary>Makes one group of the copies that the thread began since the last one; a group may be empty.</summary>
public sealed record KAsyncCommit : KStmt;

/// <summary>Waits until all groups of the thread's copies but the last few have arrived.</summary>
/// <param name="Pending">How many of the last groups may still be on their way.</param>
public sealed record KAsyncWait(int Pending) : KStmt;
