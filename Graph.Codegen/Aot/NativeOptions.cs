using Graphene.Optimizer;

namespace Graphene.Codegen.Aot;

/// <summary>What a caller may choose about a native library.</summary>
public sealed record NativeOptions
{
    /// <summary>What every symbol begins with: a C identifier.</summary>
    public required string Name { get; init; }

    /// <summary>True to refuse code that needs any function from outside; otherwise those of libm are allowed.</summary>
    public bool IsFreestanding { get; init; }

    /// <summary>True to keep the constants out of the code: each run is given the address of a weights file's content.</summary>
    public bool HasExternalWeights { get; init; }

    /// <summary>The weights file that is to be extended, or null for a new one.</summary>
    public ReadOnlyMemory<byte>? ExistingWeights { get; init; }

    /// <summary>Choices of the optimizer.</summary>
    public OptimizerOptions? Optimizer { get; init; }
}
