namespace Graphene.Codegen.Llvm;

/// <summary>Pass pipelines for IR that already has the loops, vectors and tiles that it should have.</summary>
public static class LlvmPipelines
{
    /// <summary>No passes: instruction selection sees the IR as printed.</summary>
    public const string None = "";

    /// <summary>For kernels.</summary>
    public const string Kernels =
        "function(sroa<modify-cfg>,early-cse<memssa>,instcombine<no-verify-fixpoint>,"
        + "loop-mssa(licm<allowspeculation>),simplifycfg)";
}
