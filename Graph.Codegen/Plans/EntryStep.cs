namespace Graphene.Codegen;

/// <summary>A step of a compiled computation, in terms of buffers: what the native entry function does.</summary>
public abstract record EntryStep
{
    private EntryStep()
    {
    }

    /// <summary>Calls a kernel.</summary>
    /// <param name="Symbol">The kernel's function.</param>
    /// <param name="Arguments">Its buffers.</param>
    /// <param name="TaskCount">How many tasks it has, over constants and symbols.</param>
    /// <param name="IsWorthSplitting">True when it is large enough to share between threads.</param>
    public sealed record Call(string Symbol, IReadOnlyList<BufferRef> Arguments, KExpr TaskCount, bool IsWorthSplitting) : EntryStep
    {
        /// <summary>Sizes that are passed behind the buffers.</summary>
        public IReadOnlyList<Dim> Sizes { get; init; } = [];

        /// <summary>
        /// Tensor maps of its buffers, over constants and symbols of the run: on a GPU they are passed
        /// behind everything else.
        /// </summary>
        public IReadOnlyList<KTensorMap> Maps { get; init; } = [];

        /// <summary>
        /// True when its tasks read so much that in a loop they had better begin with what the round before ended with; their
        /// order never changes a result.
        /// </summary>
        public bool TurnsBack { get; init; }
    }

    /// <summary>Calls kernels side by side: their tasks are numbered one behind another and shared between threads as one.</summary>
    /// <param name="Members">The calls.</param>
    /// <param name="IsWorthSplitting">True when all of it is large enough to share between threads.</param>
    public sealed record Batch(IReadOnlyList<Call> Members, bool IsWorthSplitting) : EntryStep;

    /// <summary>Copies bytes between buffers that do not overlap.</summary>
    /// <param name="From">The source.</param>
    /// <param name="To">The destination.</param>
    /// <param name="SizeInBytes">How many.</param>
    public sealed record Copy(BufferRef From, BufferRef To, Dim SizeInBytes) : EntryStep;

    /// <summary>Repeats steps while a bool in memory, computed before each round, holds.</summary>
    /// <param name="Condition">Computes the predicate.</param>
    /// <param name="Predicate">Where it lies.</param>
    /// <param name="Body">One round.</param>
    public sealed record Loop(IReadOnlyList<EntryStep> Condition, BufferRef Predicate, IReadOnlyList<EntryStep> Body) : EntryStep;

    /// <summary>Loops that do not wait for each other: threads may run them at the same time.</summary>
    /// <param name="Loops">Two at least.</param>
    public sealed record SideBySide(IReadOnlyList<Loop> Loops) : EntryStep;

    /// <summary>Runs one of several lists of steps.</summary>
    /// <param name="Selector">A bool (true chooses branch 0) or an i32; one that is out of range chooses the last branch.</param>
    /// <param name="SelectorType">bool or i32.</param>
    /// <param name="Branches">At least one.</param>
    public sealed record Branch(BufferRef Selector, DType SelectorType, IReadOnlyList<IReadOnlyList<EntryStep>> Branches) : EntryStep;

    /// <summary>Calls the host: Print, Assert, custom calls.</summary>
    /// <param name="Id">Which call.</param>
    /// <param name="Arguments">The values.</param>
    public sealed record HostCall(long Id, IReadOnlyList<BufferRef> Arguments) : EntryStep;
}

/// <summary>A place in the table of buffers.</summary>
/// <param name="Buffer">The entry.</param>
/// <param name="OffsetInBytes">How far behind the buffer's start.</param>
public readonly record struct BufferRef(int Buffer, Dim OffsetInBytes = default)
{
    /// <summary>No place: the value of an argument that nobody reads.</summary>
    public static BufferRef None { get; } = new(-1);
}
