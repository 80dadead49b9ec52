namespace Graphene.Codegen;

/// <summary>
/// Runs kernels as they are defined, slowly: the oracle of what printers make of them, and a run that checks every access.
/// </summary>
/// <remarks>
/// Transcendental instructions are computed by their expansion (<see cref="VectorMath"/>), bit for bit. A kernel means something else on
/// machines without fused multiply-add: there a multiply-add rounds twice, and expansions get by without.
/// The threads of a task go in step, see <see cref="SimtProgram"/>; a race between threads or tasks is an error.
/// </remarks>
public sealed class KernelInterpreter
{
    private readonly Kernel _kernel;
    private readonly Func<DimSymbol, long> _symbols;
    private readonly bool _hasFma;
    private readonly Dictionary<KBuffer, KernelMemory> _arguments = new(ReferenceEqualityComparer.Instance);
    private readonly IReadOnlyList<Memory<byte>> _contents;
    private readonly SimtProgram? _program;
    private readonly IReadOnlyList<BoundTensorMap>? _maps;

    /// <summary>Prepares runs on given memory.</summary>
    /// <param name="kernel">The kernel; verified first.</param>
    /// <param name="arguments">The contents of each argument, elements little-endian; results are written there.</param>
    /// <param name="symbols">The values of the symbolic dims.</param>
    /// <param name="hasFma">Whether the machine has fused multiply-add.</param>
    /// <exception cref="CompilerBugException">The kernel is malformed.</exception>
    public KernelInterpreter(
        Kernel kernel, IReadOnlyList<Memory<byte>> arguments, Func<DimSymbol, long>? symbols = null, bool hasFma = true)
        : this(Verified(kernel), arguments, symbols, hasFma, kernel.Threads is null ? null : SimtProgram.Of(kernel, hasFma))
    {
    }

    /// <summary>Prepares runs of a program that was made before.</summary>
    /// <param name="program">The program.</param>
    /// <param name="arguments">The contents of each argument.</param>
    /// <param name="symbols">The values of the symbolic dims.</param>
    /// <param name="maps">The kernel's maps, as whoever starts it made them; null for those that the kernel describes.</param>
    internal KernelInterpreter(
        SimtProgram program, IReadOnlyList<Memory<byte>> arguments, Func<DimSymbol, long>? symbols = null,
        IReadOnlyList<BoundTensorMap>? maps = null)
        : this(program.Kernel, arguments, symbols, program.HasFma, program) => _maps = maps;

    private KernelInterpreter(
        Kernel kernel, IReadOnlyList<Memory<byte>> arguments, Func<DimSymbol, long>? symbols, bool hasFma, SimtProgram? program)
    {
        _hasFma = hasFma;
        _kernel = kernel;
        _contents = arguments;
        _program = program;
        _symbols = symbols ?? (s => throw new ArgumentException($"no value is given for the symbol {s}", nameof(symbols)));
        for (int i = 0; i < kernel.Arguments.Count; i++)
        {
            _arguments.Add(kernel.Arguments[i], new KernelMemory(kernel.Arguments[i], arguments[i]));
        }
    }

    /// <summary>In which tasks races between threads are looked for.</summary>
    public WatchedTasks Watched { get; init; } = WatchedTasks.All;

    /// <summary>How many tasks the kernel has.</summary>
    public long TaskCount => (long)new TaskFrame(_arguments, _symbols, _hasFma).Evaluate(_kernel.TaskCount)[0];

    /// <summary>Runs every task, in order.</summary>
    /// <exception cref="CompilerBugException">
    /// The kernel accesses what is outside of a buffer, or its threads are in the way of one another.
    /// </exception>
    public void Run() => Run(0, TaskCount);

    /// <summary>Runs the tasks from <paramref name="begin"/> to before <paramref name="end"/>.</summary>
    /// <exception cref="CompilerBugException">The kernel accesses what is outside of a buffer.</exception>
    public void Run(long begin, long end)
    {
        if (_program is not null)
        {
            var frame = new TaskFrame(_arguments, _symbols, _hasFma);
            _program.Run(
                _contents, _symbols, begin, end, _maps ?? BoundTensorMap.Of(_kernel, _contents, e => (long)frame.Evaluate(e)[0]), Watched);
            return;
        }
        for (long task = begin; task < end; task++)
        {
            var frame = new TaskFrame(_arguments, _symbols, _hasFma);
            frame.Bind(_kernel.Task, task);
            frame.Run(_kernel.Body);
        }
    }

    private static Kernel Verified(Kernel kernel)
    {
        KernelVerifier.Verify(kernel);
        return kernel;
    }
}
