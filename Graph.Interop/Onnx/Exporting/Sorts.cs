using static Graphene.Interop.Onnx.Exporting.Attributes;

namespace Graphene.Interop.Onnx.Exporting;

/// <summary>Sorts by the values of one tensor as TopK of all elements, which keeps the order of equal ones.</summary>
internal static class Sorts
{
    public static IEnumerable<ExportRow> Rows => [new("sort", Export)];

    private static void Export(ExportSite site)
    {
        var op = (SortOp)site.Node.Op;
        DType[] types = [.. site.Operands.Select(o => o.Type.DType)];
        if (Descends(op.Comparator, types) is not { } descending)
        {
            throw new NoOnnxFormException($"ONNX sorts by the values of the first tensor only, not by '{op.Comparator.Name}'");
        }
        StoredValue key = site.Operands[0];
        Axes order = key.Order;
        int axis = order.IndexOf(op.Dimension);
        string[] sorted = site.Graph.AddMany(
            "TopK", 2, [site.Place.Plain(key, order), site.Dims.Shape([key.Type.Shape[op.Dimension]])],
            Int("axis", axis), Bool("largest", descending), Bool("sorted", true));
        site.Result([.. site.Operands.Select((o, i) => StoredValue.InOrder(
            i == 0 ? sorted[0] : site.Graph.Add("GatherElements", [site.Place.Plain(o, order), sorted[1]], Int("axis", axis)),
            site.Node.Types[i], order))]);
    }

    // By value, with or without a place for NaN, of which ONNX says nothing.
    private static bool? Descends(Computation comparator, DType[] types)
    {
        if (types[0] == DType.Bool)
        {
            return null;
        }
        foreach (bool descending in (bool[])[false, true])
        {
            if (comparator.Equals(SortingComposites.Comparator(types, descending)))
            {
                return descending;
            }
        }
        return comparator.Results is
            [{ Op: CompareOp { TotalOrder: false } c, Operands: [{ Op: ParameterOp x }, { Op: ParameterOp y }] }]
            ? (c.Direction, x.Number, y.Number) switch
            {
                (CompareDirection.LT, 0, 1) or (CompareDirection.GT, 1, 0) => false,
                (CompareDirection.GT, 0, 1) or (CompareDirection.LT, 1, 0) => true,
                _ => null,
            }
            : null;
    }
}
