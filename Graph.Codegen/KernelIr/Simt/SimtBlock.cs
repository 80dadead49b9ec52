using System.Runtime.InteropServices;

namespace Graphene.Codegen;

/// <summary>A task in progress: the values of all its threads, and what they share.</summary>
internal sealed class SimtBlock
{
    private readonly SimtProgram _program;
    private readonly byte[][] _arrays;
    private readonly SimtMask[] _masks;
    private readonly SimtMemory[] _memories;
    private readonly SimtMask _all;

    private readonly SimtMemories _contents;
    private readonly IReadOnlyList<BoundTensorMap> _maps;

    public SimtBlock(
        SimtProgram program, SimtMemories memories, RaceClock clock, Func<DimSymbol, long> symbols, IReadOnlyList<BoundTensorMap> maps)
    {
        _program = program;
        _contents = memories;
        _maps = maps;
        Threads = program.Kernel.Threads!.Count;
        _arrays = [.. program.ArraySizes.Select(size => new byte[size])];
        _masks = [.. Enumerable.Range(0, program.MaskCount).Select(_ => new SimtMask(Threads))];
        _memories = memories.All;
        _all = new SimtMask(Threads);
        _all.SetAll();
        Active = _all;
        Clock = clock;
        Symbols = symbols;
        Copies = new AsyncCopies(this);
        Phases = new SimtPhases(this);
        Products = new SimtProducts(this);
        foreach ((SimtSlot slot, ulong bits) in program.Constants)
        {
            for (int i = 0; i < slot.Count(Threads); i++)
            {
                SimtBits.Write(this, slot, i, bits);
            }
        }
        for (int t = 0; t < Threads; t++)
        {
            Values<long>(program.Thread)[t] = t;
        }
    }

    /// <summary>How many threads there are.</summary>
    public int Threads { get; }

    /// <summary>Which of them are active.</summary>
    public SimtMask Active { get; set; }

    /// <summary>The number of the statement that runs.</summary>
    public int Statement { get; set; }

    /// <summary>The number of the task.</summary>
    public long Task { get; private set; }

    /// <summary>What happened before what.</summary>
    public RaceClock Clock { get; }

    /// <summary>Copies that are on their way.</summary>
    public AsyncCopies Copies { get; }

    /// <summary>Barriers of phases, and the copies that they count.</summary>
    public SimtPhases Phases { get; }

    /// <summary>Products of warpgroups that go on.</summary>
    public SimtProducts Products { get; }

    /// <summary>All memory that the threads share.</summary>
    public Span<byte> SharedBytes => _contents.Shared;

    /// <summary>The values of symbolic dims.</summary>
    public Func<DimSymbol, long> Symbols { get; }

    /// <summary>The contents of a buffer.</summary>
    public SimtMemory Memory(int buffer) => _memories[buffer];

    /// <summary>A map of the kernel.</summary>
    public BoundTensorMap Map(int number) => _maps[number];

    /// <summary>One of the masks that steps have for themselves.</summary>
    public SimtMask Mask(int number) => _masks[number];

    /// <summary>All elements of a value.</summary>
    public Span<T> Values<T>(SimtSlot slot)
        where T : unmanaged =>
        MemoryMarshal.Cast<byte, T>(_arrays[slot.Array].AsSpan()).Slice(slot.Start, slot.Count(Threads));

    /// <summary>Some elements of a value.</summary>
    public Span<T> Values<T>(SimtSlot slot, int start, int count)
        where T : unmanaged =>
        MemoryMarshal.Cast<byte, T>(_arrays[slot.Array].AsSpan()).Slice(slot.Start + start, count);

    /// <summary>The elements of one lane, one per thread.</summary>
    public Span<T> Lane<T>(SimtSlot slot, int lane)
        where T : unmanaged => Values<T>(slot, lane * Threads, Threads);

    /// <summary>Whether races are looked for in what the threads of the task share.</summary>
    public bool IsWatched { get; private set; } = true;

    /// <summary>Runs a task.</summary>
    /// <param name="task">Its number.</param>
    /// <param name="isWatched">Whether races are looked for in what its threads share.</param>
    public void Run(long task, bool isWatched = true)
    {
        Task = task;
        IsWatched = isWatched;
        Active = _all;
        Clock.BeginTask(task);
        Phases.BeginTask();
        Products.BeginTask();
        foreach (SimtMemory memory in _memories)
        {
            memory.BeginTask(isWatched);
        }
        Values<long>(_program.Task)[0] = task;
        _program.Body.Run(this);
        Copies.EndTask();
    }

    /// <summary>What is wrong with the kernel at the statement that runs.</summary>
    public CompilerBugException Bug(string what) =>
        new("Kernel IR interpreter", $"kernel '{_program.Kernel.Name}', task {Task}: {what}, in: {_program.Describe(Statement)}");

    /// <summary>A statement as text.</summary>
    public string Describe(int statement) => _program.Describe(statement);

    /// <summary>The warps of which threads are active.</summary>
    public IEnumerable<int> ActiveWarps()
    {
        for (int warp = Active.Low / KThreads.WarpSize; warp * KThreads.WarpSize < Active.High; warp++)
        {
            if (Active[warp * KThreads.WarpSize])
            {
                yield return warp;
            }
        }
    }

    /// <summary>A number that all threads of a warp have.</summary>
    public long OfWarp(SimtSlot slot, int warp, string what) => Same(slot, warp * KThreads.WarpSize, KThreads.WarpSize)
        ?? throw Bug($"the threads of warp {warp} do not agree on {what}");

    /// <summary>A number that all threads of four warps have.</summary>
    public long OfGroup(SimtSlot slot, int group) => Same(slot, group * KWarpgroupShape.Threads, KWarpgroupShape.Threads)
        ?? throw Bug($"the threads of warpgroup {group} do not agree on an operand");

    /// <summary>Whether the threads of a warpgroup are active.</summary>
    public bool IsGroupActive(int group) => Active[group * KWarpgroupShape.Threads];

    /// <summary>Requires that of each four warps all threads are here, or none.</summary>
    public void RequireWarpgroups()
    {
        RequireWarps();
        for (int warp = 0; warp < Threads / KThreads.WarpSize; warp++)
        {
            int first = warp / KWarpgroupShape.Warps * KWarpgroupShape.Threads;
            bool isWhole = first + KWarpgroupShape.Threads <= Threads;
            if (Active[warp * KThreads.WarpSize] && (!isWhole || !Active[first] || !Active[first + KWarpgroupShape.Threads - 1]))
            {
                throw Bug($"all threads of a warpgroup must come, and of that of warp {warp} only some did; here are {Active}");
            }
        }
    }

    /// <summary>Requires that all threads of the task are here.</summary>
    public void RequireAll()
    {
        if (!Active.IsAll)
        {
            throw Bug($"all {Threads} threads must come to a barrier, and only {Active.Count} did: {Active}");
        }
    }

    /// <summary>Requires that of each warp all threads are here, or none.</summary>
    public void RequireWarps()
    {
        if (Active.IsAll)
        {
            return;
        }
        for (int warp = 0; warp < Threads / KThreads.WarpSize; warp++)
        {
            if (Active.Warp(warp) is null)
            {
                throw Bug($"all threads of a warp must come, and of warp {warp} only some did; here are {Active}");
            }
        }
    }

    private long? Same(SimtSlot slot, int first, int count)
    {
        ReadOnlySpan<long> values = Values<long>(slot).Slice(first, count);
        return values.ContainsAnyExcept(values[0]) ? null : values[0];
    }
}
