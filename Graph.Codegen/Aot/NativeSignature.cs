namespace Graphene.Codegen.Aot;

/// <summary>One function of a native library.</summary>
/// <param name="Name">Its name behind the library's: <c>run</c> becomes <c>NAME_run</c>.</param>
/// <param name="Module">What it computes.</param>
public sealed record NativeSignature(string Name, Module Module);
