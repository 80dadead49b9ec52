namespace Graphene.Codegen;

/// <summary>A kernel with threads, made ready to run: each step serves all threads of a task at once.</summary>
/// <remarks>
/// A program can be run any number of times, on different memory. Threads go in step: each statement is carried out for all threads that
/// are active there, before the next one is. A kernel whose meaning depends on that is refused, since on a machine threads go as they like:
/// see <see cref="AccessShadow"/>.
/// </remarks>
internal sealed class SimtProgram
{
    private readonly IReadOnlyList<KStmt> _statements;
    private readonly IReadOnlyList<KBuffer> _buffers;
    private readonly SharedMemoryLayout _shared;
    private readonly bool[] _isWritten;

    private SimtProgram(Kernel kernel, SimtCompiler compiler, SimtStep body, bool hasFma)
    {
        Kernel = kernel;
        HasFma = hasFma;
        Body = body;
        ArraySizes = compiler.ArraySizes;
        MaskCount = compiler.MaskCount;
        Constants = compiler.Constants;
        Task = compiler.Task;
        Thread = compiler.Thread;
        _statements = compiler.Statements;
        _buffers = compiler.Buffers;
        _isWritten = [.. _buffers.Select(compiler.Written.Contains)];
        _shared = new SharedMemoryLayout(kernel);
    }

    /// <summary>The kernel.</summary>
    public Kernel Kernel { get; }

    /// <summary>Whether a multiply-add rounds once.</summary>
    public bool HasFma { get; }

    /// <summary>What a task does.</summary>
    public SimtStep Body { get; }

    /// <summary>The sizes of the arrays that values lie in, in bytes.</summary>
    public IReadOnlyList<int> ArraySizes { get; }

    /// <summary>How many masks steps have for themselves.</summary>
    public int MaskCount { get; }

    /// <summary>The constants and where they lie.</summary>
    public IReadOnlyList<(SimtSlot Slot, ulong Bits)> Constants { get; }

    /// <summary>Where the number of the task lies.</summary>
    public SimtSlot Task { get; }

    /// <summary>Where the numbers of the threads lie.</summary>
    public SimtSlot Thread { get; }

    /// <summary>Makes a kernel ready.</summary>
    /// <param name="kernel">A kernel with threads that was verified.</param>
    /// <param name="hasFma">Whether a multiply-add rounds once.</param>
    public static SimtProgram Of(Kernel kernel, bool hasFma = true)
    {
        var compiler = new SimtCompiler(kernel, hasFma);
        return new SimtProgram(kernel, compiler, compiler.Compile(), hasFma);
    }

    /// <summary>Runs tasks, in order.</summary>
    /// <param name="arguments">The contents of each argument.</param>
    /// <param name="symbols">The values of symbolic dims.</param>
    /// <param name="begin">The first task.</param>
    /// <param name="end">The task behind the last one.</param>
    /// <param name="maps">The kernel's maps.</param>
    /// <param name="watched">In which tasks races are looked for between threads.</param>
    public void Run(
        IReadOnlyList<Memory<byte>> arguments, Func<DimSymbol, long> symbols, long begin, long end, IReadOnlyList<BoundTensorMap> maps,
        WatchedTasks watched)
    {
        var clock = new RaceClock();
        var block = new SimtBlock(this, new SimtMemories(Kernel, _buffers, _isWritten, _shared, arguments), clock, symbols, maps);
        for (long task = begin; task < end; task++)
        {
            block.Run(task, watched.Contains(task, begin, end));
        }
    }

    /// <summary>A statement as text, for messages.</summary>
    public string Describe(int statement) => KernelPrinter.PrintHead(Kernel, _statements[statement]).Trim();
}
