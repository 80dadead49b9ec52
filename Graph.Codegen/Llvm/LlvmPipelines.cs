namespace Graphene.Codegen.Llvm;

/// <summary>Pass pipelines for IR that already has the loops, vectors and tiles that it should have.</summary>
public static class LlvmPipelines
{
    /// <summary>No passes: instruction selection sees the IR as printed.</summary>
    public const string None = "";

    /// <summary>For kernels: cleans up after a printer that need not be clever and keeps the schedule.</summary>
    /// <remarks>
    /// <list type="bullet">
    /// <item>Helpers marked <c>alwaysinline</c> go into their callers.</item>
    /// <item><c>sroa</c> turns <c>alloca</c>s into registers; accumulators in memory are 3x slower.</item>
    /// <item><c>early-cse</c>, <c>simplifycfg</c>, <c>instcombine</c> shorten index arithmetic.</item>
    /// <item><c>loop-rotate</c> makes one branch per iteration and guards what <c>licm</c> moves out of the loop; the
    /// two are worth 40 % in row-wise reductions.</item>
    /// <item><c>indvars</c> gives loops one counter, which strength reduction in the back end relies on: 12 % in nests
    /// whose innermost loops are short.</item>
    /// </list>
    /// Unrolling and vectorization are not in it: schedules do both, and a second opinion costs two to four times the
    /// compile time of everything here.
    /// </remarks>
    public const string Kernels = "always-inline,function(sroa<modify-cfg>," + AfterRegisters;

    /// <summary>For kernels of GPUs, whose vectors exist in memory only.</summary>
    /// <remarks>
    /// <c>scalarizer</c> takes vectors in registers apart, and leaves loads and stores whole. Without it every lane of a vector of indices
    /// has an address of its own: the sum of rows of 4096 numbers took 139 registers of a thread instead of 48.
    /// </remarks>
    public const string GpuKernels = "always-inline,function(sroa<modify-cfg>,scalarizer," + AfterRegisters;

    private const string AfterRegisters = "early-cse<memssa>,simplifycfg,instcombine<no-verify-fixpoint>,"
        + "loop-mssa(loop-rotate,licm<allowspeculation>),loop(indvars),simplifycfg)";
}
