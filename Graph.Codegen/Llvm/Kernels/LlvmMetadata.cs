namespace Graphene.Codegen.Llvm;

/// <summary>The metadata that kernels attach to memory accesses.</summary>
internal static class LlvmMetadata
{
    /// <summary>On loads of what no one writes meanwhile.</summary>
    public const string Invariant = ", !invariant.load !3";

    /// <summary>On accesses that never meet a kernel's writes.</summary>
    public const string ReadOnly = ", !noalias !2";

    /// <summary>On a kernel's writes.</summary>
    public const string Written = ", !alias.scope !2";

    /// <summary>On stores that go around the caches.</summary>
    public const string Streaming = ", !nontemporal !5";

    /// <summary>On a branch whose first successor is rarely taken.</summary>
    public const string Rare = ", !prof !4";

    /// <summary>On the loads of buffer addresses. They promise no alignment: parameters and results are the caller's memory.</summary>
    public const string BufferPointer = ", !invariant.load !3, !noundef !3";

    /// <summary>What modules define: a scope for writes in a domain of its own.</summary>
    public const string Definitions =
        "!0 = distinct !{!0}\n!1 = distinct !{!1, !0}\n!2 = !{!1}\n!3 = !{}\n"
        + "!4 = !{!\"branch_weights\", i32 1, i32 1000}\n!5 = !{i32 1}\n";
}
