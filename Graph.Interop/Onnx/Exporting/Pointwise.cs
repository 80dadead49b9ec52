namespace Graphene.Interop.Onnx.Exporting;

/// <summary>Comparisons, choices and conversions, and what all ops have in common that work element by element.</summary>
internal static class Pointwise
{
    public static IEnumerable<ExportRow> Rows =>
    [
        new("compare", Compare),
        new("select", site => Export(site, site.Operands, x => site.Graph.Add("Where", x))),
        new("clamp", Clamp),
        new("convert", site => Export(
            site, site.Operands, x => site.Graph.Add("Cast", x, Attributes.Type("to", site.Node.DType)))),
    ];

    /// <summary>
    /// Writes an op whose operands have one shape, or are scalars, without repeating or transposing what need not be.
    /// </summary>
    /// <param name="site">The node.</param>
    /// <param name="operands">What takes part.</param>
    /// <param name="compute">Gives a tensor from tensors that ONNX repeats to each other.</param>
    public static void Export(ExportSite site, StoredValue[] operands, Func<string[], string> compute)
    {
        TensorType type = site.Node.Type;
        StoredValue[] whole = [.. operands.Where(o => o.Type.Rank == type.Rank)];
        Axes order = whole.FirstOrDefault(o => !o.IsSingle && !o.Order.IsIdentity)?.Order ?? Axes.Range(type.Rank);
        string name = compute([.. operands.Select(o => site.Place.Ordered(o, o.Type.Rank == type.Rank ? order : o.Order))]);
        Shape extents = Shape.From(
            type.Shape.Select((dim, axis) => whole.All(o => o.Repeats(axis)) ? 1 : dim));
        int rank = operands.Max(o => o.Type.Rank == type.Rank ? TensorPlacement.OrderedRank(o, order) : 0);
        site.Result(StoredValue.Named(name, type, extents, order, rank));
    }

    private static void Compare(ExportSite site)
    {
        var op = (CompareOp)site.Node.Op;
        var e = new ElementwiseSite(site.Graph, site.Operands[0].Type.DType);
        if (op.TotalOrder && e.Type.IsFloating())
        {
            throw new NoOnnxFormException("ONNX has no total order of floating-point numbers");
        }
        Export(site, site.Operands, x => e.IsBool ? OfBools(e, op.Direction, x) : OfNumbers(e, op.Direction, x));
    }

    private static string OfNumbers(ElementwiseSite e, CompareDirection direction, string[] x) => direction switch
    {
        CompareDirection.EQ => e.Apply("Equal", x),
        CompareDirection.NE => e.Apply("Not", e.Apply("Equal", x)),
        CompareDirection.LT => e.Apply("Less", x),
        CompareDirection.LE => e.Apply("LessOrEqual", x),
        CompareDirection.GT => e.Apply("Greater", x),
        _ => e.Apply("GreaterOrEqual", x),
    };

    // ONNX orders numbers only; false is less than true.
    private static string OfBools(ElementwiseSite e, CompareDirection direction, string[] x) => direction switch
    {
        CompareDirection.EQ => e.Apply("Equal", x),
        CompareDirection.NE => e.Apply("Xor", x),
        CompareDirection.LT => e.Apply("And", e.Apply("Not", x[0]), x[1]),
        CompareDirection.LE => e.Apply("Or", e.Apply("Not", x[0]), x[1]),
        CompareDirection.GT => e.Apply("And", x[0], e.Apply("Not", x[1])),
        _ => e.Apply("Or", x[0], e.Apply("Not", x[1])),
    };

    private static void Clamp(ExportSite site)
    {
        StoredValue[] operands = [site.Operands[1], site.Operands[0], site.Operands[2]];
        var e = new ElementwiseSite(site.Graph, site.Node.DType);
        bool scalars = operands[1].Type.Rank == 0 && operands[2].Type.Rank == 0;
        Export(site, operands, x => e.IsBool ? e.Apply("And", e.Apply("Or", x[0], x[1]), x[2])
            : scalars ? e.Apply("Clip", x)
            : e.Apply("Min", e.Apply("Max", x[0], x[1]), x[2]));
    }
}
