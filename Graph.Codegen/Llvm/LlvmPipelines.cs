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
    public const string Kernels =
        "always-inline,function(sroa<modify-cfg>,early-cse<memssa>,simplifycfg,instcombine<no-verify-fixpoint>,"
        + "loop-mssa(loop-rotate,licm<allowspeculation>),loop(indvars),simplifycfg)";
}
