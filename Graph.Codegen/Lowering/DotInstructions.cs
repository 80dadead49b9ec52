using Graphene.Codegen.Llvm;

namespace Graphene.Codegen;

/// <summary>Which instructions a processor has that multiply narrow elements and add up neighbours in wider lanes.</summary>
[Flags]
public enum DotInstructions
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>u8 by i8 into i32.</summary>
    BytesOfDifferentSign = 1,

    /// <summary>i8 by i8 and u8 by u8 into i32.</summary>
    BytesOfSameSign = 2,

    /// <summary>i16 by i16 into i32.</summary>
    Words = 4,

    /// <summary>bf16 by bf16 into f32.</summary>
    Brain = 8,

    /// <summary>Tiles of i8 or u8 by i8 or u8 into i32.</summary>
    TilesOfBytes = 16,

    /// <summary>Tiles of bf16 by bf16 into f32.</summary>
    TilesOfBrain = 32,

    /// <summary>All that multiply integers.</summary>
    OfIntegers = BytesOfDifferentSign | BytesOfSameSign | Words | TilesOfBytes,

    /// <summary>All that work on tiles.</summary>
    Tiles = TilesOfBytes | TilesOfBrain,
}

/// <summary>Finds out what a target has.</summary>
internal static class DotInstructionSet
{
    /// <summary>Those for vectors of the target's full width.</summary>
    public static DotInstructions Of(LlvmTarget target) => target.Architecture switch
    {
        LlvmArchitecture.X64 when target.VectorBits <= 256 || target.HasFeature("avx512bw") => OfX64(target),
        LlvmArchitecture.Arm64 =>
            (target.HasFeature("dotprod") ? DotInstructions.BytesOfSameSign : 0)
            | (target.HasFeature("i8mm") ? DotInstructions.BytesOfDifferentSign : 0),
        _ => DotInstructions.None,
    };

    // VDPBF16PS runs at the rate of a multiply-add on AMD's processors, and at about a third of it on Intel's since Sapphire Rapids, which
    // CLDEMOTE tells apart. Those have AMX; where the operating system refuses it, widening is faster (0.85 of f32 against 0.6).
    private static bool IsSlowAtBrain(LlvmTarget target) => target.HasFeature("cldemote");

    private static DotInstructions OfX64(LlvmTarget target)
    {
        bool isWide = target.VectorBits == 512;
        bool hasTiles = isWide && target.HasFeature("amx-tile");
        bool hasBytes = target.HasFeature("avx512vnni") && target.HasFeature("avx512vl");
        return (hasBytes || (!isWide && target.HasFeature("avxvnni")) ? DotInstructions.BytesOfDifferentSign : 0)
            | (!isWide && target.HasFeature("avxvnniint8") ? DotInstructions.BytesOfSameSign : 0)
            | DotInstructions.Words
            | (isWide && target.HasFeature("avx512bf16") && !IsSlowAtBrain(target) ? DotInstructions.Brain : 0)
            | (hasTiles && target.HasFeature("amx-int8") ? DotInstructions.TilesOfBytes : 0)
            | (hasTiles && target.HasFeature("amx-bf16") ? DotInstructions.TilesOfBrain : 0);
    }
}
