using System.Collections.Immutable;
using Graphene.Codegen.Llvm;
using Graphene.Runtime;
using Microsoft.Extensions.Logging;

namespace Graphene.Codegen.Aot;

/// <summary>
/// Compiles graphs ahead of time into one relocatable object with a C interface, which needs no runtime: no memory is allocated, no
/// thread is started, and nothing is called but what the caller passes.
/// </summary>
/// <remarks>
/// Kernels, entry functions and the interface become one LLVM module, in which everything but the interface is internal. Signatures
/// share kernels and constants where they are equal; variants share constants.
/// </remarks>
public static class NativeLibraryCompiler
{
    /// <summary>Compiles a library.</summary>
    /// <param name="signatures">Its functions, at least one.</param>
    /// <param name="target">What the code is for.</param>
    /// <param name="options">Names and choices.</param>
    /// <param name="logger">Told how long each stage takes.</param>
    /// <param name="cancellation">Stops between stages.</param>
    /// <exception cref="GraphException">GR5030 to GR5035; GR5002: there is no code generator for the target.</exception>
    /// <exception cref="NativeLibraryException">libLLVM is missing or too old.</exception>
    public static CompiledLibrary Compile(
        IReadOnlyList<NativeSignature> signatures, AotTarget target, NativeOptions options, ILogger logger,
        CancellationToken cancellation = default)
    {
        CheckNames(signatures, options);
        CheckFeatures(target);
        var modules = new List<string>();
        SharedConstants constants = Constants(options);
        var plans = new List<NativePlan>[signatures.Count];
        for (int i = 0; i < plans.Length; i++)
        {
            plans[i] = [];
        }
        foreach ((AotVariant variant, KernelTarget machine) in target.Variants.Zip(target.KernelTargets()))
        {
            var symbols = new KernelSymbols($"{options.Name}.{variant.Name}..");
            for (int i = 0; i < plans.Length; i++)
            {
                plans[i].Add(Lower(signatures[i], variant, machine, options, symbols, modules.Add, constants, logger, cancellation));
            }
        }
        ImmutableArray<NativeFunction> functions =
            [.. signatures.Select((s, i) => new NativeFunction(options.Name, s.Name, [.. plans[i]]))];
        byte[] content = Content(constants, options);
        var place = new WeightsPlace(
            $"{options.Name}.weights", constants.Used.Select(e => e.Offset + e.Length).DefaultIfEmpty(0).Max(), options.HasExternalWeights)
        {
            Checks = options.HasExternalWeights ? [.. Checks(constants, content)] : [],
        };
        modules.Add(new ShimPrinter(target, options.Name, place).Print(functions));
        cancellation.ThrowIfCancellationRequested();
        bool isEmbedded = place.Length > 0 && !place.IsExternal;
        var code = new LinkedCode(
            modules, target, [.. CompiledLibrary.ExportsOf(options, functions)], isEmbedded ? (place.Symbol, content) : null);
        RequireDefined(code.UndefinedSymbols, options);
        return new CompiledLibrary(options, target, functions, place, code, options.HasExternalWeights ? content : null,
            signatures.ToDictionary(s => s.Name, s => CacheKey.Of(s.Module, "source"), StringComparer.Ordinal));
    }

    private static NativePlan Lower(
        NativeSignature signature, AotVariant variant, KernelTarget machine, NativeOptions options, KernelSymbols symbols,
        Action<string> emit,
        SharedConstants constants, ILogger logger, CancellationToken cancellation)
    {
        var compilerOptions = new GraphCompilerOptions { Optimizer = options.Optimizer };
        var lowering = new GraphLowering(variant.Machine, machine, compilerOptions, symbols, emit)
        {
            CopySymbol = ShimRuntime.CopySymbol,
        };
        string entry = ShimPrinter.EntrySymbol(options.Name, signature.Name, variant);
        LoweredModule lowered = lowering.Lower(
            signature.Module, entry, new CompilationLog(logger, $"{options.Name}.{signature.Name}.{variant.Name}"), cancellation);
        CheckHostCalls(lowered.Plan, signature);
        ExecutablePlan plan = lowered.Plan with { Buffers = [.. lowered.Constants.Place(constants.Add)] };
        return new NativePlan(variant, plan);
    }

    private static SharedConstants Constants(NativeOptions options) =>
        options is { HasExternalWeights: true, ExistingWeights: { } existing } ? WeightsFile.Read(existing.Span)
        : new SharedConstants(options.HasExternalWeights ? WeightsFile.Start : 0);

    private static byte[] Content(SharedConstants constants, NativeOptions options)
    {
        if (options.HasExternalWeights)
        {
            return WeightsFile.Write(constants, options.ExistingWeights is { } existing ? existing.Span : []);
        }
        var content = new byte[checked((int)constants.End)];
        constants.WriteTo(content);
        return content;
    }

    private static IEnumerable<(long Offset, long Length, ulong Checksum)> Checks(SharedConstants constants, byte[] content) =>
        constants.Used.OrderBy(e => e.Offset).Select(
            e => (e.Offset, e.Length, WeightsChecksum.Of(content.AsSpan((int)e.Offset, (int)e.Length))));

    private static void CheckNames(IReadOnlyList<NativeSignature> signatures, NativeOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfZero(signatures.Count, nameof(signatures));
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (string name in signatures.Select(s => s.Name).Prepend(options.Name))
        {
            if (!CName.IsValid(name))
            {
                throw new GraphException(
                    AotDiagnostics.BadName, $"'{name}' cannot be part of a name in C",
                    why: "names of a library and its signatures are 1 to 64 letters, digits and underscores, and begin with a letter",
                    fix: "choose another name");
            }
        }
        foreach (string name in signatures.Select(s => s.Name))
        {
            if (!names.Add(name) || Reserved.Contains(name))
            {
                throw new GraphException(
                    AotDiagnostics.BadName, $"the signature '{name}' would have the name of another function of the library",
                    fix: "choose another name");
            }
        }
    }

    private static readonly string[] Reserved =
        ["describe", "error_message", "processor_check", "weights_check", "workspace_size", "input_size", "output_size", "run_parallel"];

    private static void CheckFeatures(AotTarget target)
    {
        if (target.Variants.Length > 1 && target.Architecture != LlvmArchitecture.X64)
        {
            throw new GraphException(
                AotDiagnostics.Feature, $"a native library for '{target.Name}' cannot hold several variants",
                why: "only x86-64 processors tell any program what they can do; others tell their operating system",
                fix: "name one variant");
        }
        foreach (AotVariant variant in target.Variants)
        {
            if (variant.Machine.HasFeature("amx-tile"))
            {
                throw new GraphException(
                    AotDiagnostics.Feature, "a native library cannot use the tile registers (amx-tile)",
                    where: variant.Machine.ToString(),
                    why: "a process must ask its operating system for them, which a library that calls nothing cannot do",
                    fix: "leave the feature out; sessions use it");
            }
        }
    }

    private static void CheckHostCalls(ExecutablePlan plan, NativeSignature signature)
    {
        if (plan.HostCalls.FirstOrDefault(c => c.Kind != HostCallKind.Assert) is { } call)
        {
            throw new GraphException(
                AotDiagnostics.HostCall,
                $"signature '{signature.Name}': a native library cannot {call.Kind.ToString().ToLowerInvariant()} ('{call.Message}')",
                where: call.Origin, why: "it has no console and calls nothing of its host; assertions alone become an error code",
                fix: "compile the graph without it");
        }
    }

    internal static void RequireDefined(IReadOnlyList<string> undefined, NativeOptions options)
    {
        string[] missing = [.. undefined.Where(s => options.IsFreestanding || !Libm.Contains(s))];
        if (missing.Length > 0)
        {
            throw new GraphException(
                AotDiagnostics.UndefinedSymbol,
                $"the code of '{options.Name}' calls functions that it does not contain: {string.Join(", ", missing)}",
                why: options.IsFreestanding
                    ? "the target has no instruction for them, and freestanding code must not need a library"
                    : "only functions of libm may be left to the linker",
                fix: options.IsFreestanding ? "link with libm (leave --freestanding out), or choose a target with more features" : null);
        }
    }

    /// <summary>What hosted code may need.</summary>
    internal static readonly string[] Libm =
    [
        "fmod", "fmodf", "fma", "fmaf", "floor", "floorf", "ceil", "ceilf", "trunc", "truncf", "rint", "rintf", "nearbyint",
        "nearbyintf", "round", "roundf", "roundeven", "roundevenf",
    ];
}
