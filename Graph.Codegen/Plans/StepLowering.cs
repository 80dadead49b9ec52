using System.Collections.Immutable;
using Graphene.Optimizer;
using Graphene.Runtime;

namespace Graphene.Codegen;

/// <summary>A module as steps on buffers, before there is code for the steps.</summary>
/// <param name="Plan">The memory.</param>
/// <param name="Steps">What a run does.</param>
/// <param name="Description">How it is called; without target, entry and buffers.</param>
/// <param name="Constants">Gives the buffers.</param>
internal sealed record LoweredSteps(MemoryPlan Plan, List<EntryStep> Steps, ExecutablePlan Description, ConstantPool Constants);

/// <summary>From a module to steps: optimizes, plans memory, lowers to kernels. What machines have in common.</summary>
/// <param name="kernelTarget">What schedules are to know about the machine.</param>
/// <param name="options">The caller's choices.</param>
internal sealed class StepLowering(KernelTarget kernelTarget, GraphCompilerOptions options)
{
    /// <summary>Whether loops that do not wait for each other may run at the same time; it takes memory.</summary>
    public bool RunsLoopsSideBySide { get; init; }

    /// <summary>Lowers a module.</summary>
    /// <param name="module">The graph as its user wrote it.</param>
    /// <param name="openLibrary">Makes the library of kernels; told the symbols whose values a run has, in order.</param>
    /// <param name="log">Told how long each stage takes.</param>
    /// <param name="cancellation">Stops between stages.</param>
    public LoweredSteps Lower(
        Module module, Func<ImmutableArray<DimSymbol>, IKernelLibrary> openLibrary, CompilationLog log, CancellationToken cancellation)
    {
        OptimizerOptions optimizer = OptimizerFor(kernelTarget, options);
        Module optimized = GraphOptimizer.Run(module, log.Listen(optimizer));
        log.End("optimizing");
        cancellation.ThrowIfCancellationRequested();
        var catalog = new KernelCatalog(kernelTarget.For(optimizer), optimized);
        bool sideBySide = RunsLoopsSideBySide && optimizer.ArenaBudgetInBytes is null;
        MemoryPlan plan = PlanMemory(optimized, catalog, kernelTarget, sideBySide);
        log.End("planning memory and lowering");
        IKernelLibrary library = openLibrary(plan.Symbols);
        var constants = new ConstantPool(plan);
        var builder = new EntryBuilder(plan, catalog, library, constants, optimized.Provenance);
        List<EntryStep> steps = builder.Build(plan.Entry);
        cancellation.ThrowIfCancellationRequested();
        return new LoweredSteps(plan, steps, Describe(module, optimized, plan, builder, library), constants);
    }

    /// <summary>The optimizer's options for a machine: the caller's, and what only such machines have kernels or instructions for.</summary>
    public static OptimizerOptions OptimizerFor(KernelTarget target, GraphCompilerOptions options)
    {
        OptimizerOptions optimizer = options.Optimizer ?? OptimizerOptions.Default;
        return target.Gpu is not null ? GpuTarget.Adapt(optimizer)
            : (target.Dots & DotInstructions.OfIntegers) != 0 ? optimizer
            : optimizer with { Machine = optimizer.Machine with { MultipliesBytes = false } };
    }

    /// <summary>The memory that a run will use, workspaces of kernels included.</summary>
    /// <param name="optimized">A module that went through all passes.</param>
    /// <param name="catalog">Its kernels.</param>
    /// <param name="target">
    /// The machine. Kernels of a processor count on the alignment of one element, so they work on parts of buffers.
    /// </param>
    /// <param name="runsLoopsSideBySide">See <see cref="RunsLoopsSideBySide"/>.</param>
    public static MemoryPlan PlanMemory(
        Module optimized, KernelCatalog catalog, KernelTarget target, bool runsLoopsSideBySide = false) => BufferAssigner.Assign(
        optimized, new MemoryPlanOptions
        {
            Workspaces = catalog.Workspaces, SharesParts = target.Gpu is null, WritesBox = catalog.WritesBox,
            Loops = runsLoopsSideBySide ? new LoopSharing(target.Caches.SecondLevelInBytes) : null,
        });

    private static ExecutablePlan Describe(
        Module module, Module optimized, MemoryPlan plan, EntryBuilder builder, IKernelLibrary library) => new()
    {
        Name = module.Name,
        CompilerVersion = GraphCompiler.Version,
        TargetTriple = "",
        EntrySymbol = "",
        Symbols = plan.Symbols,
        Inputs = [.. module.Entry.Parameters.Select((p, i) => new InputSpec(module.InputNames[i], p.Type))],
        Outputs = [.. module.Entry.Results.Select((r, i) => new OutputSpec(module.OutputNames[i], r.Type, plan.Entry.Results[i]))],
        Checks = ShapeCheck.Collect(module),
        HostCalls = [.. builder.HostCalls.Select(n => Describe(
            (HostCallOp)n.Op, [.. n.Operands.Select(o => o.Type)],
            optimized.Provenance[n] is [var origin, ..] ? origin.ToString() : null))],
        Kernels = [.. library.Specs],
    };

    private static HostCallSpec Describe(HostCallOp op, ImmutableArray<TensorType> operands, string? origin) => new(
        op.Kind, op.Message, operands, origin);
}
