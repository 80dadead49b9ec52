namespace Graphene;

/// <summary>
/// Composes element forms: an element of a node, in terms of loads from the sources. This is what fusion means.
/// </summary>
/// <param name="pool">The expressions of the kernel.</param>
/// <param name="leaf">
/// Gives an element of a node that is not composed further (a parameter, a value that lies in memory); null to compose.
/// </param>
public sealed class ElementComposer(ExprPool pool, Func<Node, int, IndexVector, ScalarExpr?> leaf)
{
    private readonly Dictionary<(Node Node, int Result, string At), ScalarExpr> _done = [];

    /// <summary>The expressions of the kernel.</summary>
    public ExprPool Pool { get; } = pool;

    /// <summary>Element <paramref name="at"/> of a result of <paramref name="node"/>.</summary>
    public ScalarExpr Element(Node node, IndexVector at, int result = 0)
    {
        if (node.Op is GetTupleElementOp tupleElement)
        {
            return Element(node.Operands[0], at, tupleElement.Index);
        }
        var key = (node, result, string.Join(',', at.Select(i => i.Id)));
        if (!_done.TryGetValue(key, out ScalarExpr? element))
        {
            element = leaf(node, result, at) ?? node.Op.Element(new ElementBuilder(this, node), at, result);
            _done.Add(key, element);
        }
        return element;
    }

    /// <summary>Applies a computation whose parameters and results are scalars.</summary>
    public ScalarExpr[] Apply(Computation body, ScalarExpr[] arguments)
    {
        var inner = new ElementComposer(Pool, (node, _, _) => node.Op is ParameterOp p ? arguments[p.Number] : null);
        return [.. body.Results.Select(r => inner.Element(r, IndexVector.Scalar))];
    }
}
