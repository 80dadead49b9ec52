namespace Graphene.Codegen.Llvm;

/// <summary>How LLVM compiles a module.</summary>
public sealed record LlvmCompilerOptions
{
    /// <summary>What kernels are compiled with.</summary>
    public static LlvmCompilerOptions Default { get; } = new();

    /// <summary>The passes, as for <c>opt -passes=</c>; empty runs none. See <see cref="LlvmPipelines"/>.</summary>
    public string Passes { get; init; } = LlvmPipelines.Kernels;

    /// <summary>Effort of instruction selection, scheduling and register allocation, 0 to 3.</summary>
    public int CodeGenLevel { get; init; } = 2;

    /// <summary>Whether the module is verified before the passes and after each of them.</summary>
    public bool VerifyEach { get; init; }
}
