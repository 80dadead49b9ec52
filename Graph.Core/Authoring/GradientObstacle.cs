namespace Graphene;

/// <summary>Something that stands in the way of a gradient.</summary>
/// <param name="Id">The error that asking for the gradient gives.</param>
/// <param name="Reason">What is missing, and why.</param>
/// <param name="Path">The ops from the result to where it is, each with the line that built it.</param>
public sealed record GradientObstacle(DiagnosticId Id, string Reason, IReadOnlyList<string> Path)
{
    /// <summary>Several lines: the reason, then the path.</summary>
    public override string ToString() =>
        $"{Id.Code} {Reason}{string.Concat(Path.Select(step => $"\n  through {step}"))}";
}
