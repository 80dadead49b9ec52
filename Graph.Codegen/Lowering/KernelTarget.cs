using Graphene.Codegen.Llvm;

namespace Graphene.Codegen;

/// <summary>What schedules need to know about the machine that will run the kernels.</summary>
/// <param name="VectorBits">The width of a vector register: 128, 256 or 512.</param>
/// <param name="VectorRegisters">How many there are: 16 or 32.</param>
/// <param name="Caches">The caches of one processor.</param>
public sealed record KernelTarget(int VectorBits, int VectorRegisters, CacheSizes Caches)
{
    /// <summary>The instructions for products of narrow elements.</summary>
    public DotInstructions Dots { get; init; }

    /// <summary>
    /// The size from which a result is written around the caches. With nothing else to read it soon that pays from twice the second
    /// cache on, with a reader right after it from 32 MiB on; between the two it gains and loses less than a tenth.
    /// </summary>
    public long StreamedBytes { get; init; } = 16 << 20;

    /// <summary>What schedules need to know about a target.</summary>
    /// <param name="target">The instructions.</param>
    /// <param name="caches">The caches; null for those of a machine that is not known.</param>
    public static KernelTarget Of(LlvmTarget target, CacheSizes? caches = null)
    {
        bool hasManyRegisters = target.VectorBits >= 512 || target.Architecture == LlvmArchitecture.Arm64;
        return new KernelTarget(target.VectorBits, hasManyRegisters ? 32 : 16, caches ?? CacheSizes.Typical)
        {
            Dots = DotInstructionSet.Of(target),
        };
    }

    /// <summary>How many elements of a type fill a vector register.</summary>
    public int Lanes(DType type) => VectorBits / type.SizeInBits();
}
