using System.Collections.Immutable;

namespace Graphene.Runtime;

/// <summary>
/// The steps of a plan as runs go through them: kernels found, dims numbered, work between decisions of the
/// host in one piece.
/// </summary>
/// <remarks>
/// <code>
/// launch a; copy; launch b; loop { launch c } { launch d }        segment 0 [a, copy, b]; loop { segment 1 [c] } { segment 2 [d] }
/// </code>
/// A segment needs the host only to begin, so a device can be given all of it as one graph.
/// </remarks>
internal sealed class PreparedSteps
{
    private readonly GpuPlan _plan;
    private readonly GpuFunction[] _functions;
    private readonly NumberTable _numbers;
    private readonly List<CheckedCopy> _copies = [];
    private readonly List<CheckedLaunch> _launches = [];

    /// <summary>Prepares a plan.</summary>
    /// <param name="plan">What to do.</param>
    /// <param name="functions">Its kernels, on the device.</param>
    /// <param name="numbers">Receives the dims.</param>
    public PreparedSteps(GpuPlan plan, GpuFunction[] functions, NumberTable numbers)
    {
        _plan = plan;
        _functions = functions;
        _numbers = numbers;
        Steps = Prepare(plan.Steps);
    }

    /// <summary>The steps in order.</summary>
    public PreparedStep[] Steps { get; }

    /// <summary>How many segments there are.</summary>
    public int SegmentCount { get; private set; }

    /// <summary>Checks what could not be checked before symbols had values.</summary>
    /// <param name="numbers">The values.</param>
    /// <param name="bufferBytes">Bytes of each buffer.</param>
    /// <exception cref="GraphException">GR6201: the shapes that were fed are not possible.</exception>
    public void Check(long[] numbers, long[] bufferBytes)
    {
        foreach (CheckedCopy copy in _copies)
        {
            long bytes = numbers[copy.Bytes];
            if (bytes < 0 || bytes > bufferBytes[copy.From] || bytes > bufferBytes[copy.To])
            {
                throw Impossible($"a copy of {bytes} bytes from a buffer of {bufferBytes[copy.From]} to one of {bufferBytes[copy.To]}");
            }
        }
        foreach (CheckedLaunch launch in _launches)
        {
            if (numbers[launch.Tasks] is < 0 or > GpuFunction.MostTasks)
            {
                throw Impossible(
                    $"{numbers[launch.Tasks]} tasks of kernel '{launch.Kernel}', at most {GpuFunction.MostTasks} can be started");
            }
        }
    }

    private static GraphException Impossible(string what) => new(
        RuntimeDiagnostics.ShapeMismatch, $"the shapes that were fed make work that a GPU cannot do: {what}",
        fix: "feed smaller tensors");

    private PreparedStep[] Prepare(ImmutableArray<GpuStep> steps)
    {
        var prepared = new List<PreparedStep>();
        var work = new List<PreparedWork>();
        void EndSegment()
        {
            if (work.Count > 0)
            {
                prepared.Add(new PreparedStep.Segment(SegmentCount++, [.. work]));
                work.Clear();
            }
        }
        foreach (GpuStep step in steps)
        {
            if (Work(step) is { } one)
            {
                work.Add(one);
                continue;
            }
            EndSegment();
            prepared.Add(step switch
            {
                GpuStep.Loop loop => new PreparedStep.Loop(Prepare(loop.Condition), loop.Predicate, Prepare(loop.Body)),
                GpuStep.Branch branch => new PreparedStep.Branch(
                    branch.Selector, branch.IsBool, [.. branch.Branches.Select(b => Prepare(b.Steps))]),
                GpuStep.HostCall call => new PreparedStep.HostCall(call.Id, [.. call.Arguments.Select(a => a.Buffer)]),
                _ => throw new CompilerBugException("GPU plan", $"unknown step {step}"),
            });
        }
        EndSegment();
        return [.. prepared];
    }

    private PreparedWork? Work(GpuStep step)
    {
        switch (step)
        {
            case GpuStep.Launch launch:
                return Launch(launch);
            case GpuStep.SideBySide batch:
                return new PreparedWork.SideBySide([.. batch.Members.Select(Launch)]);
            case GpuStep.Copy copy:
                int bytes = _numbers.Add(copy.SizeInBytes);
                _copies.Add(new CheckedCopy(copy.From, copy.To, bytes));
                return new PreparedWork.Copy(copy.From, copy.To, bytes);
            default:
                return null;
        }
    }

    private PreparedWork.Launch Launch(GpuStep.Launch launch)
    {
        GpuKernel kernel = _plan.Kernels[launch.Kernel];
        int tasks = _numbers.Add(launch.Tasks);
        _launches.Add(new CheckedLaunch(kernel.Name, tasks));
        var arguments = new PreparedArgument[launch.Arguments.Length];
        for (int i = 0; i < arguments.Length; i++)
        {
            GpuArgument argument = launch.Arguments[i];
            arguments[i] = argument.Buffer >= 0
                ? new PreparedArgument(argument.Buffer, -1)
                : new PreparedArgument(-1, _numbers.Add(argument.Number));
        }
        PreparedMap[] maps = [.. launch.Maps.Select(m => new PreparedMap(
            m, _numbers.Add(m.OffsetInBytes), [.. m.Sizes.Select(_numbers.Add)], [.. m.StridesInBytes.Select(_numbers.Add)]))];
        return new PreparedWork.Launch(_functions[launch.Kernel], tasks, arguments, maps, launch.Call);
    }

    private sealed record CheckedCopy(int From, int To, int Bytes);

    private sealed record CheckedLaunch(string Kernel, int Tasks);
}

/// <summary>A step, ready to be done again and again.</summary>
internal abstract class PreparedStep
{
    private PreparedStep()
    {
    }

    /// <summary>Work that needs the host only to begin.</summary>
    /// <param name="number">Its number among the plan's segments.</param>
    /// <param name="work">In order.</param>
    public sealed class Segment(int number, PreparedWork[] work) : PreparedStep
    {
        /// <summary>Its number.</summary>
        public int Number => number;

        /// <summary>The work.</summary>
        public PreparedWork[] Work => work;
    }

    /// <summary>A loop that the host goes through.</summary>
    /// <param name="condition">Computes the predicate.</param>
    /// <param name="predicate">Its buffer.</param>
    /// <param name="body">One round.</param>
    public sealed class Loop(PreparedStep[] condition, int predicate, PreparedStep[] body) : PreparedStep
    {
        /// <summary>Computes the predicate.</summary>
        public PreparedStep[] Condition => condition;

        /// <summary>Its buffer.</summary>
        public int Predicate => predicate;

        /// <summary>One round.</summary>
        public PreparedStep[] Body => body;
    }

    /// <summary>A choice that the host makes.</summary>
    /// <param name="selector">Its buffer.</param>
    /// <param name="isBool">Whether that is a bool.</param>
    /// <param name="branches">What to choose from.</param>
    public sealed class Branch(int selector, bool isBool, PreparedStep[][] branches) : PreparedStep
    {
        /// <summary>The buffer of the choice.</summary>
        public int Selector => selector;

        /// <summary>Whether that is a bool.</summary>
        public bool IsBool => isBool;

        /// <summary>What to choose from.</summary>
        public PreparedStep[][] Branches => branches;
    }

    /// <summary>A call of the host.</summary>
    /// <param name="id">Which.</param>
    /// <param name="arguments">The buffers of its values.</param>
    public sealed class HostCall(int id, int[] arguments) : PreparedStep
    {
        /// <summary>Which.</summary>
        public int Id => id;

        /// <summary>The buffers of its values.</summary>
        public int[] Arguments => arguments;
    }
}

/// <summary>Work of a segment.</summary>
internal abstract class PreparedWork
{
    private PreparedWork()
    {
    }

    /// <summary>A start of a kernel.</summary>
    /// <param name="function">The kernel.</param>
    /// <param name="tasks">The number of the number of tasks.</param>
    /// <param name="arguments">The arguments.</param>
    /// <param name="maps">The tensor maps behind them.</param>
    /// <param name="call">The call, for profiles.</param>
    public sealed class Launch(GpuFunction function, int tasks, PreparedArgument[] arguments, PreparedMap[] maps, int call) : PreparedWork
    {
        /// <summary>The kernel.</summary>
        public GpuFunction Function => function;

        /// <summary>The number of the number of tasks.</summary>
        public int Tasks => tasks;

        /// <summary>The arguments.</summary>
        public PreparedArgument[] Arguments => arguments;

        /// <summary>The tensor maps behind them.</summary>
        public PreparedMap[] Maps => maps;

        /// <summary>The call, for profiles.</summary>
        public int Call => call;
    }

    /// <summary>Starts that do not wait for each other.</summary>
    /// <param name="members">The starts.</param>
    public sealed class SideBySide(Launch[] members) : PreparedWork
    {
        /// <summary>The starts.</summary>
        public Launch[] Members => members;
    }

    /// <summary>A copy between buffers.</summary>
    /// <param name="from">The source.</param>
    /// <param name="to">The destination.</param>
    /// <param name="bytes">The number of the number of bytes.</param>
    public sealed class Copy(int from, int to, int bytes) : PreparedWork
    {
        /// <summary>The source.</summary>
        public int From => from;

        /// <summary>The destination.</summary>
        public int To => to;

        /// <summary>The number of the number of bytes.</summary>
        public int Bytes => bytes;
    }
}

/// <summary>An argument: a buffer, or a number if that is -1.</summary>
internal readonly record struct PreparedArgument(int Buffer, int Number);

/// <summary>A tensor map, by the numbers of its numbers.</summary>
/// <param name="Map">What does not change.</param>
/// <param name="Offset">The number of its offset.</param>
/// <param name="Sizes">Those of its sizes.</param>
/// <param name="Strides">Those of its strides.</param>
internal sealed record PreparedMap(GpuTensorMap Map, int Offset, int[] Sizes, int[] Strides)
{
    /// <summary>The map for a run.</summary>
    /// <param name="numbers">The values of the numbers.</param>
    /// <param name="addresses">The address of each buffer.</param>
    /// <param name="bytes">Bytes of each buffer.</param>
    public BoundMap Bind(long[] numbers, nint[] addresses, long[] bytes) => new(
        Map, addresses[Map.Buffer] + (nint)numbers[Offset], Array.ConvertAll(Sizes, s => numbers[s]),
        Array.ConvertAll(Strides, s => numbers[s]), bytes[Map.Buffer] - numbers[Offset]);
}
