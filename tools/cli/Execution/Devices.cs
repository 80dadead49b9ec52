using Graphene.Codegen;
using Graphene.Optimizer;
using Graphene.Runtime;
using Microsoft.Extensions.Logging;

namespace Graphene.Cli.Execution;

/// <summary>The devices by name.</summary>
internal static class Devices
{
    /// <summary>Machine code for the processor that runs now.</summary>
    public const string Cpu = "cpu";

    /// <summary>The reference evaluator: slow and obvious, op by op.</summary>
    public const string Reference = "reference";

    /// <summary>An NVIDIA GPU, through its driver.</summary>
    public const string Cuda = "cuda";

    /// <summary>What a GPU would run, interpreted: slow, and each access checked.</summary>
    public const string Interpreter = "interpreter";

    /// <summary>All names, the default first.</summary>
    public static string[] Names { get; } = [Cpu, Reference, Cuda, Interpreter];

    /// <summary>The compiler of a device.</summary>
    /// <param name="device">One of <see cref="Names"/>.</param>
    /// <param name="logger">Receives what the disk cache has to say.</param>
    /// <param name="useCache">False to compile even what is in the disk cache.</param>
    /// <param name="optimizer">Choices for <see cref="Cpu"/>; null for the defaults.</param>
    /// <param name="tuning">Measured tiles, for GPUs; null for none.</param>
    public static IGraphCompiler Compiler(
        string device, ILogger logger, bool useCache = true, OptimizerOptions? optimizer = null,
        ProductTuning? tuning = null) => device switch
    {
        Cpu or Reference when tuning is not null => throw new UsageException($"--tuning is for GPUs, not for the device {device}"),
        Cpu => Cached(GraphCompiler.Cpu(new GraphCompilerOptions { Optimizer = optimizer }), device, logger, useCache),
        Cuda or Interpreter => Cached(Gpu(device, tuning), device, logger, useCache),
        Reference => new ReferenceCompiler(),
        _ => throw new UsageException($"there is no device '{device}'; devices are {string.Join(", ", Names)}"),
    };

    /// <summary>The GPU of a name, to be disposed; null for what is none.</summary>
    /// <param name="device">One of <see cref="Names"/>.</param>
    public static GpuDevice? OpenGpu(string device) => device switch
    {
        Cuda => CudaDevice.Open(),
        Interpreter => new InterpretedGpu(),
        _ => null,
    };

    /// <summary>The compiler of a GPU, or of what stands for one.</summary>
    /// <param name="device"><see cref="Cuda"/> or <see cref="Interpreter"/>.</param>
    /// <param name="tuning">Measured tiles; null for none.</param>
    public static GpuCompiler Gpu(string device, ProductTuning? tuning = null)
    {
        GraphCompilerOptions options = GraphCompilerOptions.Default with { Tuning = tuning };
        return device == Cuda ? GraphCompiler.Cuda(options) : GraphCompiler.Gpu(new InterpretedGpu(), options);
    }

    private static CachedGraphCompiler Cached(IExecutableCompiler compiler, string device, ILogger logger, bool useCache) =>
        new(compiler, device, useCache ? DiskCache.FromEnvironment(DebugOptions.FromEnvironment(), logger) : null);
}
