namespace Graphene.Codegen.Llvm;

/// <summary>An operand in LLVM IR text: a register or a constant, with the Kernel IR type that it represents.</summary>
/// <param name="Name">As printed, without type.</param>
/// <param name="Type">Bool is i1, f16 and bf16 are their bits as i16.</param>
internal readonly record struct LlvmValue(string Name, KType Type)
{
    /// <summary>The type and the operand, as instructions and calls take them.</summary>
    public override string ToString() => $"{LlvmTypes.Register(Type)} {Name}";
}
