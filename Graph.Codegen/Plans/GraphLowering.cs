using System.Collections.Immutable;
using Graphene.Codegen.Llvm;
using Graphene.Optimizer;
using Graphene.Runtime;

namespace Graphene.Codegen;

/// <summary>A module on the last step before machine code: all that is known of it but the places of its constants.</summary>
/// <param name="Plan">How the code is called; without buffers.</param>
/// <param name="Constants">Gives the buffers.</param>
internal sealed record LoweredModule(ExecutablePlan Plan, ConstantPool Constants)
{
    /// <summary>The stack that arguments and the scratch of kernels take, besides what calls themselves do.</summary>
    public required long StackInBytes { get; init; }
}

/// <summary>From a module to LLVM IR: optimizes, plans memory, lowers to kernels, prints them and the entry function.</summary>
/// <param name="target">The machine that the code is for.</param>
/// <param name="kernelTarget">What schedules are to know about it.</param>
/// <param name="options">The caller's choices.</param>
/// <param name="symbols">Kernels that are there already, and will be used again.</param>
/// <param name="emit">Takes each module of LLVM IR; it may be compiled at once.</param>
internal sealed class GraphLowering(
    LlvmTarget target, KernelTarget kernelTarget, GraphCompilerOptions options, KernelSymbols symbols, Action<string> emit)
{
    /// <summary>A function that copies memory; null for that of the C library. See <see cref="EntryPrinter"/>.</summary>
    public string? CopySymbol { get; init; }

    /// <summary>Lowers a module.</summary>
    /// <param name="module">The graph as its user wrote it.</param>
    /// <param name="entryName">The name of the entry function.</param>
    /// <param name="log">Told how long each stage takes.</param>
    /// <param name="cancellation">Stops between stages.</param>
    public LoweredModule Lower(Module module, string entryName, CompilationLog log, CancellationToken cancellation)
    {
        OptimizerOptions optimizer = options.Optimizer ?? OptimizerOptions.Default;
        Module optimized = GraphOptimizer.Run(
            module, log.Listen(kernelTarget.Gpu is null ? optimizer : optimizer with { HalfAttention = true }));
        log.End("optimizing");
        cancellation.ThrowIfCancellationRequested();
        var catalog = new KernelCatalog(kernelTarget, optimized);
        MemoryPlan plan = PlanMemory(optimized, catalog);
        log.End("planning memory and lowering");
        int Ordinal(DimSymbol symbol) => plan.Symbols.IndexOf(symbol);
        bool isAlone = target.Architecture == LlvmArchitecture.Wasm32; // no threads, and nobody to stop a run
        var library = new KernelLibrary(target, Ordinal, symbols, emit, checksCancellation: !isAlone);
        var constants = new ConstantPool(plan);
        var builder = new EntryBuilder(plan, catalog, library, constants, optimized.Provenance);
        List<EntryStep> steps = builder.Build(plan.Entry);
        cancellation.ThrowIfCancellationRequested();
        string entry = EntryPrinter.Print(entryName, steps, Ordinal, new EntryOptions
        {
            IsProfiled = options.IsProfiled, CopySymbol = CopySymbol, IsParallel = !isAlone, IsCancellable = !isAlone,
        });
        log.End("printing kernels", $"{symbols.Count} of {library.Specs.Count} are distinct");
        library.Close();
        emit(entry);
        return new LoweredModule(Describe(module, optimized, plan, builder, library) with { EntrySymbol = entryName }, constants)
        {
            StackInBytes = (EntryPrinter.WordInBytes * steps.Select(MostWords).DefaultIfEmpty(0).Max()) + library.MostScratchInBytes,
        };
    }

    // The longest list of arguments of a step.
    private static long MostWords(EntryStep step) => step switch
    {
        EntryStep.Call call => call.Arguments.Count + call.Sizes.Count,
        EntryStep.HostCall host => host.Arguments.Count,
        EntryStep.Batch batch => batch.Members.Max(MostWords),
        EntryStep.Loop loop => loop.Condition.Concat(loop.Body).Select(MostWords).DefaultIfEmpty(0).Max(),
        EntryStep.Branch branch => branch.Branches.SelectMany(b => b).Select(MostWords).DefaultIfEmpty(0).Max(),
        _ => 0,
    };

    /// <summary>The memory that a run will use, workspaces of kernels included.</summary>
    /// <param name="optimized">A module that went through all passes.</param>
    /// <param name="catalog">Its kernels.</param>
    public static MemoryPlan PlanMemory(Module optimized, KernelCatalog catalog) =>
        BufferAssigner.Assign(optimized, new MemoryPlanOptions { Workspaces = catalog.Workspaces });

    private ExecutablePlan Describe(
        Module module, Module optimized, MemoryPlan plan, EntryBuilder builder, KernelLibrary library) => new()
    {
        Name = module.Name,
        CompilerVersion = GraphCompiler.Version,
        TargetTriple = target.Triple,
        CpuFeatures = target.RequiredFeatures,
        EntrySymbol = "",
        Symbols = plan.Symbols,
        Inputs = [.. module.Entry.Parameters.Select((p, i) => new InputSpec(module.InputNames[i], p.Type))],
        Outputs = [.. module.Entry.Results.Select((r, i) => new OutputSpec(module.OutputNames[i], r.Type, plan.Entry.Results[i]))],
        Checks = ShapeCheck.Collect(module),
        HostCalls = [.. builder.HostCalls.Select(n => Describe(
            (HostCallOp)n.Op, [.. n.Operands.Select(o => o.Type)], optimized.Provenance[n] is [var origin, ..] ? origin.ToString() : null))],
        Kernels = [.. library.Specs],
    };

    private static HostCallSpec Describe(HostCallOp op, ImmutableArray<TensorType> operands, string? origin) => new(
        op.Kind, op.Message, operands, origin);
}
