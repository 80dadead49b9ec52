namespace Graphene.Hosting;

/// <summary>Why a new file was not taken.</summary>
/// <param name="At">When it was tried.</param>
/// <param name="Error">What was wrong.</param>
internal sealed record ReloadFailure(DateTimeOffset At, Exception Error);
