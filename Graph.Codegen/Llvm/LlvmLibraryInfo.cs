namespace Graphene.Codegen.Llvm;

/// <summary>The libLLVM that is in use.</summary>
/// <param name="Path">The path, or the bare file name by which the system's loader found it.</param>
/// <param name="Version">Major, minor and patch version. Belongs into the key of everything cached.</param>
public sealed record LlvmLibraryInfo(string Path, Version Version);

/// <summary>A library that was loaded and checked.</summary>
internal sealed record LoadedLlvm(nint Handle, LlvmLibraryInfo Info);
