using System.Collections.Immutable;
using System.Text;
using Graphene.Codegen.Llvm;
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

    /// <summary>
    /// Whether work that is shared between threads may share work itself; see <see cref="EntryOptions.NestsCalls"/>.
    /// </summary>
    public bool NestsCalls { get; init; }

    /// <summary>Lowers a module.</summary>
    /// <param name="module">The graph as its user wrote it.</param>
    /// <param name="entryName">The name of the entry function.</param>
    /// <param name="log">Told how long each stage takes.</param>
    /// <param name="cancellation">Stops between stages.</param>
    public LoweredModule Lower(Module module, string entryName, CompilationLog log, CancellationToken cancellation)
    {
        bool isAlone = !target.HasThreads; // and nobody stops a run
        var ir = new StringBuilder();
        Action<string> emitting = CodeDump.FolderOf(options) is null ? emit : text =>
        {
            ir.Append(text);
            emit(text);
        };
        KernelLibrary? library = null;
        bool nests = NestsCalls && !isAlone;
        LoweredSteps lowered = new StepLowering(kernelTarget, options) { RunsLoopsSideBySide = nests }.Lower(
            module, s => library = Open(s, emitting, checksCancellation: !isAlone), log, cancellation);
        (List<EntryStep> steps, ImmutableArray<DimSymbol> runSymbols) = (lowered.Steps, lowered.Plan.Symbols);
        string entry = EntryPrinter.Print(entryName, steps, s => runSymbols.IndexOf(s), new EntryOptions
        {
            IsProfiled = options.IsProfiled, CopySymbol = CopySymbol, IsParallel = !isAlone, IsCancellable = !isAlone,
            NestsCalls = nests,
        });
        log.End("printing kernels", $"{symbols.Count} of {library!.Specs.Count} are distinct");
        library.Close();
        emitting(entry);
        log.Dump(options, () =>
        [
            (CodeDump.KernelsEnding, CodeDump.Titled("//", library.Added.Select(k => (k.Symbol, KernelPrinter.Print(k.Kernel))))),
            (CodeDump.IrEnding, ir.ToString()),
        ]);
        ExecutablePlan plan = lowered.Description with
        {
            TargetTriple = target.Triple, CpuFeatures = target.RequiredFeatures, EntrySymbol = entryName,
        };
        return new LoweredModule(plan, lowered.Constants)
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
        EntryStep.SideBySide beside => beside.Loops.Max(MostWords),
        EntryStep.Loop loop => loop.Condition.Concat(loop.Body).Select(MostWords).DefaultIfEmpty(0).Max(),
        EntryStep.Branch branch => branch.Branches.SelectMany(b => b).Select(MostWords).DefaultIfEmpty(0).Max(),
        _ => 0,
    };

    private KernelLibrary Open(ImmutableArray<DimSymbol> runSymbols, Action<string> emitting, bool checksCancellation) =>
        new(target, s => runSymbols.IndexOf(s), symbols, emitting, checksCancellation);
}
