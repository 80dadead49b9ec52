namespace Graphene;

/// <summary>What is said about nodes that gradients cannot pass.</summary>
internal static class GradientErrors
{
    /// <summary>The error for a node without a rule.</summary>
    public static GraphException NotDifferentiable(Node node, string why, string? fix = null) => new(
        DiagnosticId.NotDifferentiable, $"{node.Op.Name}: a gradient is asked for that has no rule", Describe(node), why,
        fix ?? "put a StopGradient before it, or give it a gradient with CustomGradient");

    /// <summary>A node with the line that built it.</summary>
    public static string Describe(Node node)
    {
        string inputs = string.Join(", ", node.Operands.Select(o => o.Types.Length == 1 ? o.Type.ToString() : o.Op.Name));
        string text = $"{node.Op.Name}({inputs})";
        return node.Origins is [var origin, ..] ? $"{text}   built in {origin}" : text;
    }
}
