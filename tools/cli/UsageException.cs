namespace Graphene.Cli;

/// <summary>The command line itself is wrong in a way that only the command can tell.</summary>
internal sealed class UsageException(string message) : Exception(message);
