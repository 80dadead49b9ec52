namespace Graphene;

/// <summary>How two dims must relate.</summary>
public enum DimRelation
{
    /// <summary>Both are equal.</summary>
    Equal,

    /// <summary>The left one is not larger than the right one.</summary>
    AtMost,
}

/// <summary>A relation between dims that inference could not decide: it holds or fails with the values that are fed.</summary>
/// <param name="Left">The left dim.</param>
/// <param name="Relation">How they must relate.</param>
/// <param name="Right">The right dim.</param>
public sealed record DimCheck(Dim Left, DimRelation Relation, Dim Right)
{
    /// <summary>True when the relation holds for given symbol values.</summary>
    /// <param name="valueOf">Gives each symbol's value.</param>
    public bool Holds(Func<DimSymbol, long> valueOf)
    {
        long left = Left.Evaluate(valueOf);
        long right = Right.Evaluate(valueOf);
        return Relation == DimRelation.Equal ? left == right : left <= right;
    }

    /// <summary>All checks that a computation and those it carries need, each once, with the node it belongs to.</summary>
    public static IReadOnlyList<(DimCheck Check, Node Node)> Collect(Computation computation)
    {
        var found = new List<(DimCheck, Node)>();
        var seen = new HashSet<DimCheck>();
        Collect(computation, found, seen);
        return found;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Left} {(Relation == DimRelation.Equal ? "==" : "<=")} {Right}";

    // The recursion is as deep as computations nest, which GraphBuilder.Build bounds.
    private static void Collect(Computation computation, List<(DimCheck, Node)> found, HashSet<DimCheck> seen)
    {
        foreach (Node node in computation.PostOrder())
        {
            var checks = new List<DimCheck>();
            node.Op.InferTypes(new OpSite(node.Op, node.Operands) { Checks = checks });
            found.AddRange(checks.Where(seen.Add).Select(check => (check, node)));
            foreach (Computation nested in node.Op.Computations)
            {
                Collect(nested, found, seen);
            }
        }
    }
}
