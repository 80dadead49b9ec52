using Graphene.Codegen.Llvm;

namespace Graphene.Codegen.Aot;

/// <summary>One of the machines that an artifact has code for.</summary>
/// <param name="Name">A word for symbols and listings, such as <c>v3</c>; unique within its target.</param>
/// <param name="Machine">The instructions.</param>
public sealed record AotVariant(string Name, LlvmTarget Machine)
{
    /// <summary>
    /// The caches that blocks are made for: those of <see cref="CacheSizes.Of(LlvmTarget)"/>, never those of
    /// the machine that compiles.
    /// </summary>
    public CacheSizes Caches => CacheSizes.Of(Machine);

    /// <summary>
    /// What a processor must have to run this variant, as in <c>+avx2,+fma</c>; for <see cref="Graphene.Runtime.LoadedCode"/>, or
    /// whoever else chooses among variants.
    /// </summary>
    public string RequiredFeatures => Machine.RequiredFeatures;
}
