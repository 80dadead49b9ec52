using Graphene.Codegen;
using Graphene.Optimizer;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>The kernels that a module becomes on a GPU.</summary>
internal static class GpuKernels
{
    /// <summary>Lowers a module: the kernels of all steps, those of nested computations too.</summary>
    public static IReadOnlyList<Kernel> Of(Module module, GpuTarget gpu)
    {
        Module optimized = GraphOptimizer.Run(module, gpu.Adapt(OptimizerOptions.Default));
        var catalog = new KernelCatalog(KernelTarget.Of(gpu), optimized);
        MemoryPlan plan = BufferAssigner.Assign(optimized, new MemoryPlanOptions { Workspaces = catalog.Workspaces });
        return
        [
            .. Steps(plan.Entry).OfType<RunStep>().Where(step => step.Node.Op is not HostCallOp)
                .SelectMany(step => catalog.Kernels(step.Node, i => step.Results.Contains(step.Operands[i]))).Select(k => k.Kernel),
        ];
    }

    private static IEnumerable<PlanStep> Steps(ComputationPlan plan) => plan.Steps.SelectMany(step => step switch
    {
        WhileStep loop => Steps(loop.Condition).Concat(Steps(loop.Body)),
        BranchStep branch => branch.Branches.SelectMany(Steps),
        _ => [step],
    });
}
