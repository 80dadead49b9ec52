namespace Graphene;

/// <summary>What is differentiated by what, as nodes of one builder; says what is wrong with it.</summary>
/// <param name="Builder">The builder of all nodes.</param>
/// <param name="Ys">The results.</param>
/// <param name="Names">What they are differentiated by, for messages.</param>
/// <param name="Xs">The nodes of each: several for a variable that is read several times.</param>
/// <param name="Types">The type of each.</param>
internal sealed record GradientSources(
    GraphBuilder Builder,
    IReadOnlyList<Node> Ys,
    IReadOnlyList<string> Names,
    IReadOnlyList<Node[]> Xs,
    IReadOnlyList<TensorType> Types)
{
    /// <summary>Throws unless everything is floating.</summary>
    public void RequireFloating()
    {
        foreach (Node y in Ys)
        {
            Require(y.DType, $"cannot differentiate {y.Op.Name} of type {y.Type}");
        }
        for (int i = 0; i < Types.Count; i++)
        {
            Require(Types[i].DType, $"cannot differentiate by {Names[i]}");
        }

        void Require(DType type, string what)
        {
            if (!type.IsFloating())
            {
                throw Error(
                    DiagnosticId.NotFloating, $"gradients: {what}", "whole numbers and truth values do not change a little",
                    "cast to a floating type where the value enters the computation");
            }
        }
    }

    /// <summary>A cotangent or tangent under the shape of its value; throws when it has another type.</summary>
    public Node RequireLike(Node given, Node value, string kind)
    {
        bool fits = given.DType == value.DType && given.Rank == value.Rank &&
            given.Shape.Zip(value.Shape).All(p => !p.First.ProvablyDiffers(p.Second));
        return fits
            ? Builder.WithShapeOf(given, value.Type)
            : throw Error(
                DiagnosticId.BadCotangent, $"gradients: a {kind} of type {given.Type} is given for a value of type {value.Type}",
                $"a {kind} has the type of its value", "cast, broadcast or reduce it");
    }

    /// <summary>The error that no result depends on something.</summary>
    public GraphException Unconnected(int index)
    {
        string[] ends = [.. Traversal.PostOrder(Ys)
            .Where(n => n.Op.Gradient.Kind == GradientKind.Zero && n.Operands.Length > 0 && DependsOn(n, Xs[index]))
            .Select(GradientErrors.Describe).Take(3)];
        return Error(
            DiagnosticId.Unconnected, $"gradients: no result depends on {Names[index]}",
            ends.Length == 0
                ? "there is no path from it to a result"
                : $"every path from it to a result passes an op whose derivative is 0: {string.Join("; ", ends)}",
            "leave it out, or ask for zeros with Unconnected.Zero");
    }

    private static bool DependsOn(Node node, Node[] sources) => Traversal.PostOrder([node]).Any(sources.Contains);

    private GraphException Error(DiagnosticId id, string what, string why, string fix) =>
        new(id, what, Builder.CurrentOrigin is { } origin ? $"built in {origin}" : null, why, fix);
}
