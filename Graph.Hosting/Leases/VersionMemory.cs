namespace Graphene.Hosting;

/// <summary>The native memory that a version takes as long as it is loaded.</summary>
/// <param name="CodeBytes">Machine code and its data.</param>
/// <param name="ConstantBytes">Weights, in memory or mapped from a file.</param>
internal readonly record struct VersionMemory(long CodeBytes, long ConstantBytes);
