using Graphene.Codegen;
using Graphene.Codegen.Llvm;
using Graphene.Optimizer;
using Graphene.Tests.Optimizer;

namespace Graphene.Tests.Codegen.KernelIr;

/// <summary>A module as the compiler lowers it for this machine, with every kernel at hand and run by the interpreter.</summary>
internal sealed class InterpretedModule
{
    private readonly KernelCatalog _catalog;
    private readonly MemoryPlan _plan;
    private readonly bool _hasFma;

    public InterpretedModule(Module module, LlvmTarget? target = null)
        : this(module, KernelTarget.Of(target ?? GraphCompiler.Cpu().Target))
    {
    }

    public InterpretedModule(Module module, KernelTarget machine)
    {
        Module optimized = GraphOptimizer.Run(module, null);
        _hasFma = machine.HasFma;
        _catalog = new KernelCatalog(machine, optimized);
        _plan = BufferAssigner.Assign(optimized, new MemoryPlanOptions { Workspaces = _catalog.Workspaces, SharesParts = true });
    }

    /// <summary>The kernels of all steps, those of nested computations too.</summary>
    public IEnumerable<Kernel> Kernels => Steps(_plan.Entry).OfType<RunStep>()
        .Where(step => step.Node.Op is not HostCallOp).SelectMany(Lowered).Select(k => k.Kernel);

    /// <summary>Runs the plan; calls of the host are left out.</summary>
    public Literal[] Run(IReadOnlyList<Literal> arguments) => PlanInterpreter.Run(_plan, arguments, Run);

    private void Run(RunStep step, Func<int, Memory<byte>> memory)
    {
        if (step.Node.Op is HostCallOp)
        {
            return;
        }
        foreach (LoweredKernel lowered in Lowered(step))
        {
            new KernelInterpreter(lowered.Kernel, [.. lowered.Operands.Select(Contents)], SizeOf, _hasFma).Run();

            long SizeOf(DimSymbol symbol) => lowered.Sizes[lowered.Kernel.Sizes.ToList().IndexOf(symbol)].Value;
        }

        Memory<byte> Contents(KernelOperand operand) => operand switch
        {
            KernelOperand.Constant constant => Written(constant.Content),
            KernelOperand.Workspace => memory(step.Workspaces[0]),
            KernelOperand.Value value when ReferenceEquals(value.Node, step.Node) => memory(step.Results[value.Result]),
            KernelOperand.Value value => memory(step.Operands[step.Node.Operands.IndexOf(value.Node)]),
            _ => throw new ArgumentException($"unknown operand {operand}", nameof(operand)),
        };
    }

    private static byte[] Written(KernelConstant constant)
    {
        var bytes = new byte[constant.SizeInBytes];
        constant.WriteTo(bytes);
        return bytes;
    }

    private IReadOnlyList<LoweredKernel> Lowered(RunStep step) =>
        _catalog.Kernels(step.Node, i => step.Results.Contains(step.Operands[i]));

    private static IEnumerable<PlanStep> Steps(ComputationPlan plan) => plan.Steps.SelectMany(step => step switch
    {
        WhileStep loop => Steps(loop.Condition).Concat(Steps(loop.Body)),
        BranchStep branch => branch.Branches.SelectMany(Steps),
        _ => [step],
    });
}
