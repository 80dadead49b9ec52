namespace Graphene;

/// <summary>An invariant of the compiler itself was broken: not the user's fault, and worth a report.</summary>
public sealed class CompilerBugException : Exception
{
    /// <summary>Creates the error.</summary>
    /// <param name="where">The pass or stage, and the dump folder when there is one.</param>
    /// <param name="what">The invariant, and what was found instead.</param>
    /// <param name="inner">The failure that showed it.</param>
    public CompilerBugException(string where, string what, Exception? inner = null)
        : base($"compiler bug in {where}: {what}", inner)
    {
        Where = where;
    }

    /// <summary>The pass or stage.</summary>
    public string Where { get; }
}
