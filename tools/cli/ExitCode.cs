namespace Graphene.Cli;

/// <summary>What scripts can rely on.</summary>
public static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Success = 0;

    /// <summary>It ran, and the answer is no: a mismatch, something unsupported.</summary>
    public const int Negative = 1;

    /// <summary>Bad usage or bad input; one readable error was written to stderr.</summary>
    public const int BadInput = 2;
}
