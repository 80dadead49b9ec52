namespace Graphene.Runtime;

/// <summary>What a restore may leave undone, and where it looks for what.</summary>
/// <remarks>By default everything must be there and fit, and nothing may be left over: a mistake shows before it costs a
/// training.</remarks>
public sealed record RestoreOptions
{
    /// <summary>
    /// The name in the checkpoint of something that is restored, given its name here; null to leave it as it is. By default the
    /// names are the same.
    /// </summary>
    public Func<string, string?>? NameInCheckpoint { get; init; }

    /// <summary>Whether what the checkpoint lacks keeps its value.</summary>
    public bool AllowMissing { get; init; }

    /// <summary>Whether the checkpoint may hold more than is asked for.</summary>
    public bool AllowUnexpected { get; init; }

    /// <summary>Whether what has another element type or shape in the checkpoint keeps its value.</summary>
    public bool AllowMismatched { get; init; }

    /// <summary>Everything that fits is restored, and the report says what did not.</summary>
    public static RestoreOptions Partial { get; } =
        new() { AllowMissing = true, AllowUnexpected = true, AllowMismatched = true };
}
