using static Graphene.Interop.Onnx.Exporting.Attributes;

namespace Graphene.Interop.Onnx.Exporting;

/// <summary>
/// Boxes at computed places: read by a Gather along each dimension, so that their size stays known; written by ScatterND.
/// </summary>
internal static class DynamicSlices
{
    public static IEnumerable<ExportRow> Rows => [new("dynamic_slice", Read), new("dynamic_update_slice", Update)];

    private static void Read(ExportSite site)
    {
        ValueList<Dim> sizes = ((DynamicSliceOp)site.Node.Op).Sizes;
        StoredValue x = site.Operands[0];
        string part = site.Place.Plain(x, x.Order);
        for (int axis = 0; axis < x.Type.Rank; axis++)
        {
            if (sizes[axis] != x.Type.Shape[axis])
            {
                part = site.Graph.Add(
                    "Gather", [part, Places(site, 1 + axis, x.Type.Shape[axis], sizes[axis])],
                    Int("axis", x.Order.IndexOf(axis)));
            }
        }
        site.Result(part, x.Order);
    }

    private static void Update(ExportSite site)
    {
        (StoredValue x, StoredValue update) = (site.Operands[0], site.Operands[1]);
        Axes partial = Axes.From(Enumerable.Range(0, x.Type.Rank).Where(axis => update.Type.Shape[axis] != x.Type.Shape[axis]));
        if (partial.Count == 0)
        {
            site.Result(update);
            return;
        }

        // The dimensions that the box does not fill come first; an index vector names the place along each of them.
        Axes order = Axes.From([.. partial, .. partial.Complement(x.Type.Rank)]);
        Dim[] box = [.. partial.Select(axis => update.Type.Shape[axis])];
        string shape = site.Dims.Shape([.. box, 1]);
        string[] columns = [.. partial.Select((axis, i) => site.Graph.Add("Expand",
        [
            site.Graph.Add("Unsqueeze",
            [
                Places(site, 2 + axis, x.Type.Shape[axis], box[i]),
                site.Graph.Ints(Enumerable.Range(1, box.Length - i).Select(a => (long)a)),
            ]),
            shape,
        ]))];
        string indices = columns.Length == 1 ? columns[0] : site.Graph.Add("Concat", columns, Int("axis", box.Length));
        site.Result(
            site.Graph.Add("ScatterND", [site.Place.Plain(x, order), indices, site.Place.Plain(update, order)]), order);
    }

    // start, start + 1, ... with the start moved so that all lie inside.
    private static string Places(ExportSite site, int operand, Dim extent, Dim size)
    {
        string start = Gathers.Clamped(
            site, site.Plain(operand), site.Operands[operand].Type.DType, site.Dims.Scalar(extent - size), extent);
        return site.Graph.Add("Add", [start, Movement.Count(site, DType.I64, size)]);
    }
}
