using static Graphene.Interop.Onnx.Exporting.Attributes;

namespace Graphene.Interop.Onnx.Exporting;

/// <summary>Scatters of whole slices as ScatterND.</summary>
/// <remarks>
/// ONNX refuses places outside of the tensor, where StableHLO skips them: they are sent to a place behind the last, which is
/// there for them only and is cut off afterwards.
/// </remarks>
internal static class Scatters
{
    public static IEnumerable<ExportRow> Rows => [new("scatter", Export)];

    private static void Export(ExportSite site)
    {
        var op = (ScatterOp)site.Node.Op;
        ScatterDimensions d = op.Dimensions;
        if (site.Operands.Length != 3 || d.InputBatchingDims.Count > 0)
        {
            throw new NoOnnxFormException("ONNX scatters into one tensor, without batches");
        }
        (StoredValue x, StoredValue indices, StoredValue updates) = (site.Operands[0], site.Operands[1], site.Operands[2]);
        string reduction = ReductionOf(op.Body) ?? throw new NoOnnxFormException($"ONNX does not scatter by '{op.Body.Name}'");
        Axes indexed = d.ScatterDimsToOperandDims;
        Axes window = op.WindowDims(x.Type.Rank);
        bool isWhole = Enumerable.Range(0, window.Count).All(
            i => updates.Type.Shape[d.UpdateWindowDims[i]] == x.Type.Shape[window[i]]);
        if (!isWhole || indexed.Any(window.Contains) || indexed.Count + window.Count != x.Type.Rank)
        {
            throw new NoOnnxFormException("ONNX scatters whole slices only");
        }
        GraphWriter graph = site.Graph;
        Axes order = Axes.From([.. indexed, .. window]);
        Dim[] behind = new Dim[x.Type.Rank];
        behind[0] = 1;
        string zero = graph.Number(x.Type.DType, 0);
        string data = Movement.Surround(site, site.Place.Plain(x, order), zero, new Dim[x.Type.Rank], behind);
        Axes places = d.UpdateWindowDims.Complement(updates.Type.Rank);
        string given = site.Place.Plain(updates, Axes.From([.. places, .. d.UpdateWindowDims]));
        string written = graph.Add(
            "ScatterND", [data, Inside(site, d, indices, [.. indexed.Select(axis => x.Type.Shape[axis])]), given],
            Text("reduction", reduction));
        site.Result(Movement.Slice(site, written, [0], [0], [x.Type.Shape[indexed[0]]], [1]), order);
    }

    // Index vectors last; one with an entry outside becomes (size, 0, ..), the place behind the last.
    private static string Inside(ExportSite site, ScatterDimensions d, StoredValue indices, Dim[] extents)
    {
        GraphWriter graph = site.Graph;
        int rank = indices.Type.Rank;
        Axes others = Axes.From(Enumerable.Range(0, rank).Where(a => a != d.IndexVectorDim));
        string vectors = d.IndexVectorDim < rank
            ? site.Place.Plain(indices, Axes.From([.. others, d.IndexVectorDim]))
            : graph.Add("Unsqueeze", [site.Place.Plain(indices), graph.Ints(rank)]);
        vectors = Gathers.Wide(site, vectors, indices.Type.DType);
        string sizes = site.Dims.Shape(extents);
        string entryIsInside = graph.Add(
            "And", [graph.Add("GreaterOrEqual", [vectors, graph.Number(DType.I64, 0)]), graph.Add("Less", [vectors, sizes])]);
        string isInside = graph.Add("Cast", [entryIsInside], Attributes.Type("to", DType.I32));
        int last = d.IndexVectorDim < rank ? rank - 1 : rank;
        isInside = graph.Add("ReduceMin", [isInside, graph.Ints(last)], Int("keepdims", 1));
        isInside = graph.Add("Cast", [isInside], Attributes.Type("to", DType.Bool));
        return graph.Add("Where", [isInside, vectors, site.Dims.Shape([extents[0], .. extents.Skip(1).Select(_ => (Dim)0)])]);
    }

    private static string? ReductionOf(Computation body) => body is { Results: [{ Op: ParameterOp { Number: 1 } }] }
        ? "none"
        : ReductionBody.FunctionOf(body)?.Name switch
        {
            "add" => "add",
            "multiply" => "mul",
            "maximum" => "max",
            "minimum" => "min",
            _ => null,
        };
}
