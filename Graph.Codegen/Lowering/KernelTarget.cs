using Graphene.Codegen.Llvm;

namespace Graphene.Codegen;

/// <summary>What schedules need to know about the machine that will run the kernels.</summary>
/// <param name="VectorBits">The width of a vector register: 128, 256 or 512.</param>
/// <param name="VectorRegisters">How many there are: 16 or 32.</param>
public sealed record KernelTarget(int VectorBits, int VectorRegisters)
{
    /// <summary>What schedules need to know about a target.</summary>
    public static KernelTarget Of(LlvmTarget target)
    {
        bool hasManyRegisters = target.VectorBits >= 512 || target.Architecture == LlvmArchitecture.Arm64;
        return new KernelTarget(target.VectorBits, hasManyRegisters ? 32 : 16);
    }

    /// <summary>How many elements of a type fill a vector register.</summary>
    public int Lanes(DType type) => VectorBits / type.SizeInBits();
}
