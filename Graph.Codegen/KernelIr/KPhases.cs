namespace Graphene.Codegen;

/// <summary>
/// Barriers in shared memory that warps need not meet at: a phase of one ends when so many warps arrived, and so many bytes were copied, as
/// it waits for; then the next begins. Phases are numbered from 0, and whoever waits names one by its parity. <c>mbarrier</c> in PTX.
/// </summary>
/// <param name="name">The name in Kernel IR text.</param>
/// <param name="count">How many barriers.</param>
/// <param name="arrivals">How many warps arrive in each phase of each.</param>
public sealed class KPhaseBarriers(string name, int count, int arrivals)
{
    /// <summary>The bytes of one in shared memory.</summary>
    public const int SizeInBytes = 8;

    /// <summary>The most bytes that a phase can wait for (PTX ISA, contents of the mbarrier object: 2^20 - 1).</summary>
    public const int MostBytes = (1 << 20) - 1;

    /// <summary>The name in Kernel IR text.</summary>
    public string Name { get; } = name;

    /// <summary>How many barriers.</summary>
    public int Count { get; } = count;

    /// <summary>How many warps arrive in each phase of each.</summary>
    public int Arrivals { get; } = arrivals;

    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>
/// Begins phase 0 of barriers. All threads of the task must come, once, and pass a <see cref="KBarrier"/> before anybody uses them.
/// </summary>
/// <param name="Barriers">The barriers; visible to the end of the kernel.</param>
public sealed record KPhaseInit(KPhaseBarriers Barriers) : KStmt;

/// <summary>
/// The warp arrives: what its threads did before is done for whoever waits for the phase. All threads of the warp must
/// come; it is a barrier of the warp, too.
/// </summary>
/// <param name="Barriers">The barriers.</param>
/// <param name="Index">Which of them, a scalar i64, the same for all threads of the warp.</param>
/// <param name="Bytes">How many bytes of <see cref="KBulkCopy"/> the phase waits for besides.</param>
public sealed record KPhaseArrive(KPhaseBarriers Barriers, KExpr Index, int Bytes = 0) : KStmt;

/// <summary>
/// Waits until the last phase of a parity has ended. All threads of the warp must come. Before anything has ended,
/// phase -1, whose parity is 1, counts as ended. A phase that never ends is an error.
/// </summary>
/// <param name="Barriers">The barriers.</param>
/// <param name="Index">Which of them, a scalar i64, the same for all threads of the warp.</param>
/// <param name="Parity">0 or 1, a scalar i64: the phase that runs, or the one before.</param>
public sealed record KPhaseWait(KPhaseBarriers Barriers, KExpr Index, KExpr Parity) : KStmt;

/// <summary>
/// What some warps do while others do something else. All threads of the task come to <see cref="KRoles"/>, and
/// go on together behind.
/// </summary>
/// <param name="FirstWarp">The first warp.</param>
/// <param name="EndWarp">The warp behind the last one.</param>
/// <param name="Body">What they do; without barriers of the task.</param>
public sealed record KRole(int FirstWarp, int EndWarp, KBlock Body);

/// <summary>
/// Gives warps roles, side by side: a warp waits in one for what another does. Warps without a role go past.
/// Roles do not nest.
/// </summary>
/// <param name="Roles">In ascending order of warps.</param>
public sealed record KRoles(IReadOnlyList<KRole> Roles) : KStmt;
