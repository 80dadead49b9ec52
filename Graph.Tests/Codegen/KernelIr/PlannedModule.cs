using Graphene.Codegen;
using Graphene.Optimizer;

namespace Graphene.Tests.Codegen.KernelIr;

/// <summary>A module as the compiler lowers it for a machine: its plan, and the kernels of each step with their memory at hand.</summary>
internal abstract class PlannedModule
{
    private readonly KernelCatalog _catalog;
    private readonly Dictionary<RunStep, IReadOnlyList<LoweredKernel>> _lowered = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<KernelConstant, byte[]> _constants = new(ReferenceEqualityComparer.Instance);

    protected PlannedModule(Module module, KernelTarget machine, OptimizerOptions? options = null)
    {
        OptimizerOptions optimizer = StepLowering.OptimizerFor(machine, GraphCompilerOptions.Default with { Optimizer = options });
        Module optimized = GraphOptimizer.Run(module, optimizer);
        _catalog = new KernelCatalog(machine.For(optimizer), optimized);
        Plan = StepLowering.PlanMemory(optimized, _catalog, machine);
    }

    /// <summary>The kernels of all steps, those of nested computations too.</summary>
    public IEnumerable<Kernel> Kernels => Steps(Plan.Entry).OfType<RunStep>()
        .Where(step => step.Node.Op is not HostCallOp).SelectMany(Lowered).Select(k => k.Kernel);

    protected MemoryPlan Plan { get; }

    /// <summary>The bytes of a constant.</summary>
    public static byte[] BytesOf(KernelConstant constant)
    {
        var bytes = new byte[constant.SizeInBytes];
        constant.WriteTo(bytes);
        return bytes;
    }

    protected IReadOnlyList<LoweredKernel> Lowered(RunStep step)
    {
        if (!_lowered.TryGetValue(step, out IReadOnlyList<LoweredKernel>? kernels))
        {
            kernels = _catalog.Kernels(Plan, step);
            _lowered.Add(step, kernels);
        }
        return kernels;
    }

    protected Memory<byte> Contents(KernelOperand operand, RunStep step, Func<int, Memory<byte>> memory) => operand switch
    {
        KernelOperand.Constant constant => Written(constant.Content),
        KernelOperand.Workspace => memory(step.Workspaces[0]),
        KernelOperand.Value value when ReferenceEquals(value.Node, step.Node) => memory(step.Results[value.Result]),
        KernelOperand.Value value => memory(step.Operands[step.Node.Operands.IndexOf(value.Node)]),
        _ => throw new ArgumentException($"unknown operand {operand}", nameof(operand)),
    };

    // Written once: a loop asks for its weights in each round.
    private byte[] Written(KernelConstant constant)
    {
        if (!_constants.TryGetValue(constant, out byte[]? bytes))
        {
            bytes = BytesOf(constant);
            _constants.Add(constant, bytes);
        }
        return bytes;
    }

    private static IEnumerable<PlanStep> Steps(ComputationPlan plan) => plan.Steps.SelectMany(step => step switch
    {
        WhileStep loop => Steps(loop.Condition).Concat(Steps(loop.Body)),
        BranchStep branch => branch.Branches.SelectMany(Steps),
        _ => [step],
    });
}
