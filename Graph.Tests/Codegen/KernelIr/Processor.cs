using Graphene.Codegen.Llvm;
using Graphene.Runtime;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.KernelIr;

/// <summary>Descriptions of processors as the compiler makes them: the plainest one, with features spelled out.</summary>
internal static class Processor
{
    private const string Avx2 = "+sse3,+ssse3,+sse4.1,+sse4.2,+popcnt,+avx,+avx2,+bmi,+bmi2,+f16c,+fma,+lzcnt,+movbe";

    /// <summary>An x86-64 processor with AVX2, FMA and more.</summary>
    /// <param name="features">As in <c>+avx512f,+avx512vl</c>; may be empty.</param>
    public static LlvmTarget With(string features) =>
        new(LlvmTarget.X64.Triple, LlvmTarget.X64.Cpu, features.Length > 0 ? $"{Avx2},{features}" : Avx2);

    /// <summary>Skips a test of code that this processor does not run.</summary>
    public static void Require(LlvmTarget target)
    {
        if (target.Architecture != LlvmTarget.Host().Architecture)
        {
            Assert.Ignore($"this processor does not run code for {target}");
        }
        if (HostProcessor.MissingFeatures(target.RequiredFeatures) is { Count: > 0 } missing)
        {
            Assert.Ignore($"this processor lacks {string.Join(", ", missing)}");
        }
    }
}
