using System.Collections.Immutable;

namespace Graphene.Optimizer;

/// <summary>Who owns the memory of a buffer.</summary>
public enum BufferKind
{
    /// <summary>The caller: an argument of the entry. Only read, unless a result was donated to it.</summary>
    Parameter,

    /// <summary>The caller: a result of the entry.</summary>
    Result,

    /// <summary>The executable: a constant. Only read.</summary>
    Constant,

    /// <summary>The arena: live during some steps only, so it shares memory with others.</summary>
    Temporary,

    /// <summary>A part of another buffer, which is no part itself.</summary>
    Part,
}

/// <summary>One entry of the pointer table that native code gets, or a part of one.</summary>
/// <param name="Index">Its place in the table and in <see cref="MemoryPlan.Buffers"/>.</param>
/// <param name="Kind">Who owns the memory.</param>
/// <param name="Number">The number of the parameter or result, or of the buffer that it is a part of; 0 otherwise.</param>
/// <param name="SizeInBytes">The bytes it must have, an expression over the plan's symbols.</param>
/// <param name="Live">The steps at which it is in use; only temporaries share memory.</param>
/// <param name="Constant">The content of a constant.</param>
public sealed record PlannedBuffer(
    int Index, BufferKind Kind, int Number, Dim SizeInBytes, LiveInterval Live, Literal? Constant = null)
{
    /// <summary>Where a part begins in its buffer.</summary>
    public Dim OffsetInBytes { get; init; }

    /// <summary>
    /// What a part holds of the value that begins there, when its rows lie apart; null for a part that is one piece. Kernels are given the
    /// address of the whole.
    /// </summary>
    public PartBox? Box { get; init; }
}

/// <summary>Where each temporary lies for given symbol values.</summary>
/// <param name="SizeInBytes">The size of the arena: what the runtime allocates, and the predicted peak.</param>
/// <param name="Offsets">One offset per buffer of the plan; 0 for buffers outside of the arena, and for parts.</param>
public sealed record ArenaLayout(long SizeInBytes, ImmutableArray<long> Offsets);

/// <summary>What runs in which order on which memory: all that code generation needs beside the kernels themselves.</summary>
/// <remarks>
/// Every value lies in one buffer; several values may lie in one buffer one after the other (in-place updates, carried values of
/// loops), and one value may have several names (reshape, tuple access). Aliases and intervals are static; offsets follow from
/// <see cref="Pack"/> once the symbols have values. Nested computations share the one arena, their steps are numbered in the
/// same sequence.
/// <para>
/// What kernels may rely on: operand and result buffers of a step are either the same buffer or do not
/// overlap, parts of buffers included. They are the same only where each result element depends on the
/// operand's element at the same place, and reads nothing else of it (<see cref="InPlaceAccess"/>), and for
/// ops that update in place always (<see cref="InPlaceAccess.UpdatesOperands"/>).
/// </para>
/// </remarks>
public sealed class MemoryPlan
{
    internal MemoryPlan(
        ImmutableArray<PlannedBuffer> buffers, ComputationPlan entry, ImmutableArray<DimSymbol> symbols, int stepCount)
    {
        Buffers = buffers;
        Entry = entry;
        Symbols = symbols;
        StepCount = stepCount;
    }

    /// <summary>The pointer table: parameters, results, constants, temporaries. Behind it the parts, which have no entry in it.</summary>
    public ImmutableArray<PlannedBuffer> Buffers { get; }

    /// <summary>How many buffers the pointer table has.</summary>
    public int TableLength => Buffers.Count(b => b.Kind != BufferKind.Part);

    /// <summary>The steps of the entry, with those of nested computations inside.</summary>
    public ComputationPlan Entry { get; }

    /// <summary>The symbols that sizes depend on, in the order in which native code gets their values.</summary>
    public ImmutableArray<DimSymbol> Symbols { get; }

    /// <summary>The number of steps, nested ones included.</summary>
    public int StepCount { get; }

    /// <summary>Computes where the temporaries lie.</summary>
    /// <param name="valueOf">Gives each symbol's value.</param>
    /// <exception cref="OverflowException">A size does not fit 64 bits.</exception>
    public ArenaLayout Pack(Func<DimSymbol, long> valueOf)
    {
        PlannedBuffer[] temporaries = [.. Buffers.Where(b => b.Kind == BufferKind.Temporary)];
        long[] sizes = [.. temporaries.Select(b => b.SizeInBytes.Evaluate(valueOf))];
        LiveInterval[] live = [.. temporaries.Select(b => b.Live)];
        var offsets = new long[temporaries.Length];
        long size = ArenaPacking.Pack(sizes, live, offsets);
        var all = new long[Buffers.Length];
        for (int i = 0; i < temporaries.Length; i++)
        {
            all[temporaries[i].Index] = offsets[i];
        }
        return new ArenaLayout(size, [.. all]);
    }
}

/// <summary>The steps of one use of a computation: the entry, or a body of one control-flow step.</summary>
/// <remarks>A computation that two loops share has a plan for each.</remarks>
public sealed class ComputationPlan
{
    private readonly Dictionary<(Node Node, int Result), int> _buffers;

    internal ComputationPlan(
        Computation computation,
        ImmutableArray<PlanStep> steps,
        ImmutableArray<int> parameters,
        ImmutableArray<int> results,
        Dictionary<(Node Node, int Result), int> buffers)
    {
        Computation = computation;
        Steps = steps;
        Parameters = parameters;
        Results = results;
        _buffers = buffers;
    }

    /// <summary>What is executed.</summary>
    public Computation Computation { get; }

    /// <summary>The steps in order.</summary>
    public ImmutableArray<PlanStep> Steps { get; }

    /// <summary>The buffer of each parameter.</summary>
    public ImmutableArray<int> Parameters { get; }

    /// <summary>The buffer in which each result lies after the last step.</summary>
    public ImmutableArray<int> Results { get; }

    /// <summary>The buffer in which a value lies when it is computed and used.</summary>
    /// <exception cref="KeyNotFoundException">The computation has no such value.</exception>
    public int BufferOf(Node node, int result = 0) => _buffers[(node, result)];
}
