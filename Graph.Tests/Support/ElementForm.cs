namespace Graphene.Tests.Support;

/// <summary>Computes a node by its element form, one element after the other.</summary>
internal static class ElementForm
{
    /// <summary>The value of one result of a node.</summary>
    /// <param name="node">A node whose operands can be composed down to parameters.</param>
    /// <param name="result">Which result.</param>
    /// <param name="arguments">One value per parameter.</param>
    /// <param name="valueOf">Gives the values of symbols; null when there are none.</param>
    public static Literal Evaluate(
        Node node, int result, IReadOnlyList<Literal> arguments, Func<DimSymbol, long>? valueOf = null)
    {
        valueOf ??= symbol => throw new InvalidOperationException($"{symbol} has no value");
        var constants = new List<Literal>();
        var pool = new ExprPool();
        var f = new ExprFactory(pool);
        var composer = new ElementComposer(pool, (leaf, _, at) => leaf.Op switch
        {
            ParameterOp p => f.Load(p.Number, p.Type, at),
            ConstantOp { HasElementForm: false } c => f.Load(SourceOf(c.Value), leaf.Type, at),
            _ => null,
        });

        TensorType type = node.Types[result];
        var statically = new TensorType(type.DType, Shape.From(type.Shape.Select(d => (Dim)d.Evaluate(valueOf))));
        IndexVariable[] at = [.. type.Shape.Select((extent, i) => f.Variable($"i{i}", extent))];
        ScalarExpr element = composer.Element(node, IndexVector.From(at), result);
        var interpreter = new ScalarExprInterpreter(
            (source, index) => (source < arguments.Count ? arguments[source] : constants[source - arguments.Count])[index], valueOf);
        return Literal.Generate(statically, index => interpreter.Evaluate(element, at.Zip(index)));

        int SourceOf(Literal constant)
        {
            constants.Add(constant);
            return arguments.Count + constants.Count - 1;
        }
    }
}
