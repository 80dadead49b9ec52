using Graphene.Codegen;
using Graphene.Codegen.Llvm;
using Graphene.Optimizer;
using Graphene.Tests.Optimizer;

namespace Graphene.Tests.Codegen.KernelIr;

/// <summary>A module as the compiler lowers it for this machine, with every kernel run by the interpreter.</summary>
internal sealed class InterpretedModule : PlannedModule
{
    private readonly bool _hasFma;

    public InterpretedModule(Module module, LlvmTarget? target = null)
        : this(module, KernelTarget.Of(target ?? GraphCompiler.Cpu().Target))
    {
    }

    public InterpretedModule(Module module, KernelTarget machine, OptimizerOptions? options = null)
        : base(module, machine, options) => _hasFma = machine.HasFma;

    /// <summary>Runs the plan; calls of the host are left out.</summary>
    public Literal[] Run(IReadOnlyList<Literal> arguments) => PlanInterpreter.Run(Plan, arguments, Run);

    private void Run(RunStep step, Func<int, Memory<byte>> memory)
    {
        if (step.Node.Op is HostCallOp)
        {
            return;
        }
        foreach (LoweredKernel lowered in Lowered(step))
        {
            new KernelInterpreter(lowered.Kernel, [.. lowered.Operands.Select(o => Contents(o, step, memory))], SizeOf, _hasFma).Run();

            long SizeOf(DimSymbol symbol) => lowered.Sizes[lowered.Kernel.Sizes.ToList().IndexOf(symbol)].Value;
        }
    }
}
