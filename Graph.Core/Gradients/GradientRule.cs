namespace Graphene;

/// <summary>What happens to gradients at an op.</summary>
public enum GradientKind
{
    /// <summary>Nobody has said; a test fails while an op is in this state.</summary>
    Missing,

    /// <summary>The op has rules for both directions.</summary>
    Defined,

    /// <summary>Results do not depend on operands in a way that has a derivative other than 0: gradients end here.</summary>
    Zero,

    /// <summary>There is a derivative, but not here: asking for it is an error.</summary>
    Refused,
}

/// <summary>What happens to gradients at an op, and why; the table in docs/ops.md is made of these.</summary>
/// <param name="Kind">What happens.</param>
/// <param name="Note">The reason, or what a rule does not cover; null when there is nothing to say.</param>
public sealed record GradientRule(GradientKind Kind, string? Note = null)
{
    /// <summary>Nobody has said.</summary>
    public static GradientRule Missing { get; } = new(GradientKind.Missing);

    /// <summary>Rules for both directions, for every use of the op.</summary>
    public static GradientRule Defined { get; } = new(GradientKind.Defined);

    /// <summary>Rules for both directions, with a remark about ties or uses that are not covered.</summary>
    public static GradientRule DefinedBut(string note) => new(GradientKind.Defined, note);

    /// <summary>Gradients end here.</summary>
    public static GradientRule Zero(string why) => new(GradientKind.Zero, why);

    /// <summary>Asking for a gradient is an error.</summary>
    public static GradientRule Refused(string why) => new(GradientKind.Refused, why);
}
