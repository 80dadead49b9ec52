namespace Graphene.Runtime;

/// <summary>One relocatable ELF object with kernels or the entry function.</summary>
/// <param name="Name">For messages and profiles.</param>
/// <param name="Bytes">The object file; its owner does not change it.</param>
public sealed record ObjectCode(string Name, ReadOnlyMemory<byte> Bytes);
