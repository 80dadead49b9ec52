namespace Graphene.Codegen;

/// <summary>Expansions of calls, each made once, so that whoever meets a call again meets the same expressions.</summary>
/// <param name="hasFma">Whether the machine has fused multiply-add.</param>
internal sealed class Expansions(bool hasFma)
{
    private readonly Dictionary<KExpr, KExpr> _made = new(ReferenceEqualityComparer.Instance);

    /// <summary>What an expression stands for; null where it is no call that <see cref="VectorMath"/> expands.</summary>
    public KExpr? Of(KExpr e)
    {
        if (e is not KCall call || !VectorMath.Expands(call))
        {
            return null;
        }
        if (!_made.TryGetValue(call, out KExpr? expansion))
        {
            expansion = VectorMath.Expand(call, hasFma);
            _made.Add(call, expansion);
        }
        return expansion;
    }

    /// <summary>Forgets all of them.</summary>
    public void Clear() => _made.Clear();
}
