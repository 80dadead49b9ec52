namespace Graphene.Bench;

/// <summary>A measurement that cannot be made; the message says what is missing.</summary>
internal sealed class BenchException(string message) : Exception(message);
