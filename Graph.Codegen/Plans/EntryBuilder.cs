using System.Globalization;
using Graphene.Optimizer;

namespace Graphene.Codegen;

/// <summary>
/// Turns a memory plan into the steps of the entry function: nodes become kernels on buffers, control flow stays control flow.
/// </summary>
internal sealed class EntryBuilder
{
    // Below this much work a kernel is not worth waking other threads for.
    private const long FlopsWorthSplitting = 100_000;
    private const long BytesWorthSplitting = 64 * 1024;

    // Less than this is at hand in any order.
    private const long BytesWorthTurning = 256 * 1024;

    private readonly MemoryPlan _plan;
    private readonly KernelCatalog _catalog;
    private readonly IKernelLibrary _library;
    private readonly ConstantPool _constants;
    private readonly ProvenanceTable _provenance;
    private readonly Dictionary<Kernel, bool[]> _touched = new(ReferenceEqualityComparer.Instance);
    private int _batches;

    public EntryBuilder(
        MemoryPlan plan, KernelCatalog catalog, IKernelLibrary library, ConstantPool constants, ProvenanceTable provenance)
    {
        _plan = plan;
        _catalog = catalog;
        _library = library;
        _constants = constants;
        _provenance = provenance;
    }

    /// <summary>The host calls met so far; a step's id is its place here.</summary>
    public List<Node> HostCalls { get; } = [];

    /// <summary>The steps of a computation, nested ones inside.</summary>
    public List<EntryStep> Build(ComputationPlan computation)
    {
        var steps = new List<EntryStep>();
        for (int i = 0; i < computation.Steps.Length; i++)
        {
            PlanStep step = computation.Steps[i];
            switch (step)
            {
                case RunStep run:
                    AddRun(run, steps);
                    break;
                case CopyStep copy:
                    steps.Add(new EntryStep.Copy(Buffer(copy.From), Buffer(copy.To), copy.Type.SizeInBytes));
                    break;
                case PartsStep:
                    break;
                case WhileStep { Beside: > 0 and var more }:
                    steps.Add(new EntryStep.SideBySide(
                        [.. computation.Steps.Skip(i).Take(more + 1).Select(s => Loop((WhileStep)s))]));
                    i += more;
                    break;
                case WhileStep loop:
                    steps.Add(Loop(loop));
                    break;
                case BranchStep branch:
                    DType selector = branch.Node.Operands[0].DType;
                    steps.Add(new EntryStep.Branch(
                        Buffer(branch.Selector), selector, [.. branch.Branches.Select(Build)]));
                    break;
                default:
                    throw new CompilerBugException("entry builder", $"unknown step {step}");
            }
        }
        return steps;
    }

    private EntryStep.Loop Loop(WhileStep loop) =>
        new(Build(loop.Condition), Buffer(loop.Condition.Results[0]), Build(loop.Body));

    private void AddRun(RunStep run, List<EntryStep> steps)
    {
        if (run.Node.Op is HostCallOp)
        {
            steps.Add(new EntryStep.HostCall(HostCalls.Count, [.. run.Operands.Select(Buffer)]));
            HostCalls.Add(run.Node);
            return;
        }
        IReadOnlyList<LoweredKernel> kernels = _catalog.Kernels(_plan, run);
        string source = Describe(run.Node);
        if (run.Node.Op is FusionOp { Kind: FusionKind.Batch })
        {
            EntryStep.Call[] members =
                [.. kernels.Select(k => Call(run, k, kernels.Count(other => ReferenceEquals(other.Kernel, k.Kernel))))];
            KernelCost cost = kernels.Select(CostOf).Aggregate((sum, c) => new KernelCost(sum.Flops + c.Flops, sum.Bytes + c.Bytes));
            _library.AddCall(string.Create(CultureInfo.InvariantCulture, $"batch_{_batches++}"), source, cost);
            steps.Add(new EntryStep.Batch(members, IsWorthSplitting(cost)));
            return;
        }
        EntryStep.Call[] calls = [.. kernels.Select(k => Call(run, k, 1))];
        for (int i = 0; i < calls.Length; i++)
        {
            _library.AddCall(calls[i].Symbol, source, kernels[i].Kernel.Cost);
            steps.Add(calls[i]);
        }
    }

    private EntryStep.Call Call(RunStep run, LoweredKernel lowered, int together)
    {
        if (!_touched.TryGetValue(lowered.Kernel, out bool[]? touched))
        {
            _touched.Add(lowered.Kernel, touched = KernelAccess.Touched(lowered.Kernel));
        }
        BufferRef[] arguments = [.. lowered.Operands.Select((o, i) => touched[i] ? Argument(run, o) : BufferRef.None)];
        KExpr tasks = WithSizes(lowered.Kernel.TaskCount, lowered);
        KernelReference kernel = _library.Add(lowered.Kernel, together);
        return new EntryStep.Call(kernel.Symbol, arguments, tasks, IsWorthSplitting(lowered.Kernel.Cost))
        {
            Sizes = kernel.RunSymbols.Count == 0 ? lowered.Sizes : [.. lowered.Sizes, .. kernel.RunSymbols.Select(s => (Dim)s)],
            Maps = [.. lowered.Kernel.Maps.Select(m => m.With(e => WithSizes(e, lowered)))],
            TurnsBack = lowered.Kernel.Cost.Bytes is not { IsStatic: true, Value: < BytesWorthTurning },
        };
    }

    private static KernelCost CostOf(LoweredKernel lowered)
    {
        var sizes = new Dictionary<DimSymbol, Dim>(
            lowered.Kernel.Sizes.Zip(lowered.Sizes, (symbol, value) => new KeyValuePair<DimSymbol, Dim>(symbol, value)));
        KernelCost cost = lowered.Kernel.Cost;
        return new KernelCost(cost.Flops.Substitute(sizes), cost.Bytes.Substitute(sizes));
    }

    // A number of tasks as the caller knows it.
    private static KExpr WithSizes(KExpr count, LoweredKernel lowered)
    {
        switch (count)
        {
            case KSymbol symbol:
                int size = lowered.Kernel.Sizes.ToList().IndexOf(symbol.Symbol);
                return size < 0 ? count : KBuilder.Value(lowered.Sizes[size]);
            case KCall call:
                return KBuilder.Call(call.Op, [.. call.Arguments.Select(a => WithSizes(a, lowered))]);
            default:
                return count;
        }
    }

    private BufferRef Argument(RunStep run, KernelOperand operand)
    {
        switch (operand)
        {
            case KernelOperand.Value value when ReferenceEquals(value.Node, run.Node):
                return Buffer(run.Results[value.Result]);
            case KernelOperand.Value value:
                int index = run.Node.Operands.IndexOf(value.Node);
                return Buffer(run.Operands[index]);
            case KernelOperand.Constant constant:
                return new BufferRef(_plan.TableLength + _constants.Add(constant.Content));
            case KernelOperand.Workspace:
                return Buffer(run.Workspaces[0]);
            default:
                throw new CompilerBugException("entry builder", $"unknown operand {operand}");
        }
    }

    private BufferRef Buffer(int index)
    {
        PlannedBuffer buffer = _plan.Buffers[index];
        BufferRef place = buffer.Kind == BufferKind.Part ? new BufferRef(buffer.Number, buffer.OffsetInBytes) : new BufferRef(index);
        _constants.Use(place.Buffer);
        return place;
    }

    private static bool IsWorthSplitting(KernelCost cost)
    {
        bool small = cost.Flops is { IsStatic: true, Value: < FlopsWorthSplitting } &&
            cost.Bytes is { IsStatic: true, Value: < BytesWorthSplitting };
        return !small;
    }

    private static IEnumerable<string> Ops(Node node) => node.Op switch
    {
        FusionOp { Kind: FusionKind.Batch } batch => BatchBody.Members(batch.Body).SelectMany(Ops),
        FusionOp fusion => fusion.Body.PostOrder().Where(n => n.Op is not (ParameterOp or ConstantOp)).Select(n => n.Op.Name),
        CompositeOp composite => [composite.Kind],
        _ => [node.Op.Name],
    };

    private string Describe(Node node)
    {
        string text = string.Join('+', Ops(node).GroupBy(o => o).Select(
            g => g.Count() == 1 ? g.Key : string.Create(CultureInfo.InvariantCulture, $"{g.Count()}*{g.Key}")));
        IReadOnlyList<Provenance> origins = _provenance[node];
        return origins.Count == 0 ? text : $"{text} ({string.Join("; ", origins)})";
    }
}
