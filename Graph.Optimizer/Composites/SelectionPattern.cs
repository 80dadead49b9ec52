namespace Graphene.Optimizer;

/// <summary>Finds the first few elements of sorted lines; see <see cref="SelectionForm"/>.</summary>
internal static class SelectionPattern
{
    /// <summary>A composite's result in place of a slice of a sort's; null when it is none, or as good as the whole sort.</summary>
    public static Node? TryRewrite(GraphBuilder b, Node node, SliceOp slice)
    {
        Node sorted = node.Operands[0];
        if (SelectionForm.SortOf(sorted) is not { } sort || SelectionForm.CountOf(slice, sort) is not { } count ||
            SortOrder.TryOf(((SortOp)sort.Op).Comparator) is null || !IsFew(count, sort.Types[0].Shape[((SortOp)sort.Op).Dimension]))
        {
            return null;
        }
        var body = new DecompositionBuilder(b);
        Node[] operands = [.. sort.Operands.Select(o => o.Op is IotaOp ? body.Inside.Add(o.Op) : body.Parameter(o))];
        Node[] results = body.Inside.Results(body.Inside.Add(sort.Op, operands));
        Computation decomposition = body.Inside.Build(
            SelectionForm.Kind, [.. results.Select(r => body.Inside.Add(slice, r))]);
        int number = sorted.Op is GetTupleElementOp element ? element.Index : 0;
        return b.Composite(SelectionForm.Kind, decomposition, [.. body.Operands])[number];
    }

    // Each element that enters moves those behind it, 16 or so at once; a sort compares each of them once for every doubling.
    private static bool IsFew(int count, Dim length) => count <= 16 || length.Range.Max >= 2L * count;
}
