namespace Graphene.Codegen;

/// <summary>
/// A fusion that replaces a box of an operand whose memory its result takes over: what lies outside of the box is there already,
/// so only the box is computed. A loop that fills a sequence step by step writes each step once.
/// </summary>
/// <param name="Update">What goes into the box.</param>
/// <param name="Starts">The box's first element, inside of the result.</param>
internal sealed record UpdatedBox(Node Update, IReadOnlyList<ScalarExpr> Starts)
{
    /// <summary>The box that a fusion replaces; null when it must write its whole result.</summary>
    /// <param name="source">The fusion.</param>
    /// <param name="isOverwritten">Tells which operands share memory with the result.</param>
    public static UpdatedBox? TryFind(FusionSource source, Func<int, bool> isOverwritten)
    {
        Computation body = source.Body;
        bool updates = body.Results is [{ Op: DynamicUpdateSliceOp, Operands: [{ Op: ParameterOp parameter }, ..] }] &&
            isOverwritten(parameter.Number);
        if (!updates)
        {
            return null;
        }
        (Node result, Node x) = (body.Results[0], body.Results[0].Operands[0]);
        // Elements outside of the box must not be read at other places: tasks would meet what others have written.
        bool isReadOnce = body.PostOrder().Sum(user => user.Operands.Count(o => ReferenceEquals(o, x))) == 1;
        Node update = result.Operands[1];
        return !isReadOnce ? null : new UpdatedBox(update, [.. result.Operands.Skip(2).Select((start, axis) => StartIndices.Clamp(
            source.Factory, source.Element(start, IndexVector.Scalar), result.Shape[axis], update.Shape[axis]))]);
    }

    /// <summary>Where an element of the box lies in the result.</summary>
    public IndexVector Place(ExprFactory f, IndexVector at) => IndexVector.From(Starts.Select((start, axis) => f.Add(start, at[axis])));
}
