using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace Graphene.Optimizer;

/// <summary>
/// Lays out all steps in one sequence, nested computations in place, and records when each value is written and read.
/// </summary>
/// <remarks>
/// A loop's steps come once in the sequence. What it carries lives from the copy in to the loop's last step; everything else
/// inside lives within one round. Branches come one after the other although only one runs: that is only too careful. Loops
/// side by side come one after the other as well; <see cref="SideBySide"/> says which they are.
/// </remarks>
internal sealed class PlanDrafter(MemoryPlanOptions options)
{
    private readonly Dictionary<Computation, LoopSchedule> _schedules = new(ReferenceEqualityComparer.Instance);
    private readonly LoopsSideBySide? _sideBySide = options.Loops is { } sharing ? new(sharing) : null;
    private readonly Dictionary<Literal, Value> _constants = [];
    private readonly List<Value> _values = [];
    private int _next;

    /// <summary>What the caller asked for.</summary>
    public MemoryPlanOptions Options => options;

    /// <summary>All values, in the order of their definition.</summary>
    public IReadOnlyList<Value> Values => _values;

    /// <summary>The number of steps so far.</summary>
    public int StepCount => _next;

    /// <summary>All loops, outer ones before inner ones.</summary>
    public List<DraftWhile> Loops { get; } = [];

    /// <summary>All uses of computations.</summary>
    public List<PlanDraft> Drafts { get; } = [];

    /// <summary>All conditionals, outer ones before inner ones.</summary>
    public List<DraftBranch> Conditionals { get; } = [];

    /// <summary>The steps that loops side by side take together; inner ones before outer ones.</summary>
    public List<LiveInterval> SideBySide { get; } = [];

    /// <summary>All kernels, in order.</summary>
    public List<DraftRun> Runs { get; } = [];

    public PlanDraft Entry(Computation entry)
    {
        int step = NextStep();
        Value[] parameters = [.. entry.Parameters.Select(p => NewValue(p.Type, step))];
        for (int i = 0; i < parameters.Length; i++)
        {
            parameters[i].Slot.Pin(BufferKind.Parameter, i, isWritable: options.Donations.ContainsValue(i));
        }
        PlanDraft draft = Draft(entry, parameters);
        int end = NextStep();
        foreach (Node result in entry.Results)
        {
            Value value = draft.ValueOf(result);
            value.ReadAt(end);
            draft.Results.Add(value);
        }
        return draft;
    }

    public int NextStep() => _next++;

    public Value NewValue(TensorType type, int step)
    {
        var value = new Value(_values.Count, type, step);
        value.Slot = new Slot(value);
        _values.Add(value);
        return value;
    }

    private PlanDraft Draft(Computation computation, IReadOnlyList<Value> parameters)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack(); // once per level of control flow
        if (!_schedules.TryGetValue(computation, out LoopSchedule? schedule))
        {
            _schedules.Add(computation, schedule = Schedule(computation));
        }
        var draft = new PlanDraft(computation);
        Drafts.Add(draft);
        foreach (Node parameter in computation.Parameters)
        {
            draft.Values.Add((parameter, 0), parameters[((ParameterOp)parameter.Op).Number]);
        }
        foreach (Node node in schedule.Order)
        {
            if (node.Op is ConstantOp constant)
            {
                draft.Values.Add((node, 0), ConstantValue(constant.Value));
            }
            else if (schedule.Groups.TryGetValue(node, out ImmutableArray<Node> loops))
            {
                AddSideBySide(draft, loops);
            }
            else if (draft.Values.ContainsKey((node, 0)))
            {
                // A loop that came with those beside it.
            }
            else if (node.Op is not ParameterOp && !MemoryNames.IsName(node))
            {
                AddStep(draft, node);
            }
        }
        return draft;
    }

    private LoopSchedule Schedule(Computation computation)
    {
        ImmutableArray<Node> order = ListScheduler.Schedule(computation);
        return _sideBySide?.Arrange(order) ?? new LoopSchedule(order, []);
    }

    private void AddStep(PlanDraft draft, Node node)
    {
        ImmutableArray<Value> operands = [.. node.Operands.Select(draft.ValueOf)];
        DraftStep step = node.Op switch
        {
            WhileOp => AddLoop(draft, node, operands),
            IfOp or CaseOp => AddBranches(draft, node, operands),
            _ => AddRun(draft, node, operands),
        };
        draft.Steps.Add(step);
    }

    private DraftRun AddRun(PlanDraft draft, Node node, ImmutableArray<Value> operands)
    {
        if (InPlaceAccess.UpdatesOperands(node.Op))
        {
            operands = CopyUpdatedOperands(draft, node, operands);
        }
        int step = NextStep();
        ReadAll(operands, step);
        ImmutableArray<Value> results = InPlaceAccess.UpdatesOperands(node.Op)
            ? operands[..node.Types.Length]
            : [.. node.Types.Select(type => NewValue(type, step))];
        ImmutableArray<Value> workspaces = [.. (options.Workspaces?.Invoke(node) ?? []).Select(
            size => NewValue(new TensorType(DType.U8, [size]), step))];
        Bind(draft, node, results);
        var run = new DraftRun(step, node, operands, results, workspaces);
        Runs.Add(run);
        return run;
    }

    // The op works on copies, one per result; a copy of a value that is not needed any more becomes the value itself.
    private ImmutableArray<Value> CopyUpdatedOperands(PlanDraft draft, Node node, ImmutableArray<Value> operands)
    {
        int step = NextStep();
        var updated = operands.ToBuilder();
        for (int i = 0; i < node.Types.Length; i++)
        {
            operands[i].ReadAt(step);
            updated[i] = NewValue(node.Types[i], step);
            draft.Steps.Add(new DraftCopy(step, operands[i], updated[i]));
        }
        return updated.ToImmutable();
    }

    // All copies into the loops come before the first of them, and what one of them carries or reads stays until the
    // last one ends.
    private void AddSideBySide(PlanDraft draft, ImmutableArray<Node> nodes)
    {
        LoopStart[] starts = [.. nodes.Select(node => StartLoop(draft, node, [.. node.Operands.Select(draft.ValueOf)]))];
        int last = starts[^1].Step;
        DraftWhile[] loops = [.. starts.Select(start => AddLoop(draft, start))];
        for (int i = 0; i < loops.Length; i++)
        {
            loops[i].Beside = loops.Length - 1 - i;
            draft.Steps.Add(loops[i]);
            for (int c = 0; c < loops[i].Carried.Length; c++)
            {
                Value carried = loops[i].Carried[c];
                (starts[i].Changes[c] ? (Action<int>)carried.KeepUntil : carried.ReadAt)(loops[^1].End);
            }
        }
        SideBySide.Add(new LiveInterval(last + 1, loops[^1].End));
    }

    private DraftWhile AddLoop(PlanDraft draft, Node node, ImmutableArray<Value> initial) =>
        AddLoop(draft, StartLoop(draft, node, initial));

    private LoopStart StartLoop(PlanDraft draft, Node node, ImmutableArray<Value> initial)
    {
        int start = NextStep();
        ReadAll(initial, start);
        // What a round hands on unchanged stays where it is: the loop only reads it.
        ImmutableArray<Node> next = ((WhileOp)node.Op).Body.Results;
        bool[] changes = [.. next.Select((r, i) => MemoryNames.Resolve(r).Node.Op is not ParameterOp p || p.Number != i)];
        ImmutableArray<Value> carried = [.. node.Types.Select((type, i) => changes[i] ? NewValue(type, start) : initial[i])];
        for (int i = 0; i < carried.Length; i++)
        {
            if (changes[i])
            {
                draft.Steps.Add(new DraftCopy(start, initial[i], carried[i]));
            }
        }
        return new LoopStart(start, node, initial, carried, changes);
    }

    private DraftWhile AddLoop(PlanDraft draft, LoopStart start)
    {
        (Node node, ImmutableArray<Value> carried) = (start.Node, start.Carried);
        var op = (WhileOp)node.Op;
        int place = Loops.Count;
        PlanDraft condition = Draft(op.Condition, carried);
        int test = NextStep();
        condition.Results.Add(condition.ValueOf(op.Condition.Results[0]));
        condition.Results[0].ReadAt(test);
        PlanDraft body = Draft(op.Body, carried);
        var loop = new DraftWhile(start.Step, node, start.Initial, carried, condition, body) { EndOfRound = NextStep() };
        foreach (Node result in op.Body.Results)
        {
            body.Results.Add(body.ValueOf(result));
            body.Results[^1].ReadAt(loop.EndOfRound);
        }
        loop.End = NextStep();
        var results = ImmutableArray.CreateBuilder<Value>();
        for (int i = 0; i < carried.Length; i++)
        {
            results.Add(carried[i]);
            if (start.Changes[i])
            {
                carried[i].KeepUntil(loop.End);
                results[i] = NewValue(node.Types[i], loop.End);
                Slot.Merge(results[i].Slot, carried[i].Slot);
            }
            else
            {
                carried[i].ReadAt(loop.End);
            }
        }
        Bind(draft, node, results.ToImmutable());
        Loops.Insert(place, loop);
        return loop;
    }

    private DraftBranch AddBranches(PlanDraft draft, Node node, ImmutableArray<Value> operands)
    {
        int start = NextStep();
        operands[0].ReadAt(start);
        ImmutableArray<Value> arguments = operands.RemoveAt(0);
        ImmutableArray<Value> results = [.. node.Types.Select(type => NewValue(type, start))];
        var branches = ImmutableArray.CreateBuilder<PlanDraft>();
        int place = Conditionals.Count;
        foreach (Computation computation in node.Op.Computations)
        {
            PlanDraft branch = Draft(computation, arguments);
            int end = NextStep();
            foreach (Node result in computation.Results)
            {
                branch.Results.Add(branch.ValueOf(result));
                branch.Results[^1].ReadAt(end);
                branch.Steps.Add(new DraftCopy(end, branch.Results[^1], results[branch.Results.Count - 1]));
                results[branch.Results.Count - 1].KeepUntil(end);
            }
            branches.Add(branch);
        }
        Bind(draft, node, results);
        var step = new DraftBranch(start, node, operands[0], results, branches.ToImmutable());
        Conditionals.Insert(place, step);
        return step;
    }

    private Value ConstantValue(Literal literal)
    {
        if (!_constants.TryGetValue(literal, out Value? value))
        {
            value = NewValue(literal.Type, 0);
            value.Slot.Pin(BufferKind.Constant, 0, isWritable: false, literal);
            _constants.Add(literal, value);
        }
        return value;
    }

    private static void ReadAll(ImmutableArray<Value> values, int step)
    {
        foreach (Value value in values)
        {
            value.ReadAt(step);
        }
    }

    private static void Bind(PlanDraft draft, Node node, ImmutableArray<Value> values)
    {
        for (int i = 0; i < values.Length; i++)
        {
            draft.Values.Add((node, i), values[i]);
        }
    }

    // A loop whose values have been copied in. Changes: which of what is carried the rounds change.
    private sealed record LoopStart(
        int Step, Node Node, ImmutableArray<Value> Initial, ImmutableArray<Value> Carried, bool[] Changes);
}
