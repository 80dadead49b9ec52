namespace System.Runtime.CompilerServices;

/// <summary>What the compiler looks for when it meets records; the framework that analyzers are built for lacks it.</summary>
internal static class IsExternalInit;
