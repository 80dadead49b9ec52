using static Graphene.Interop.Onnx.Exporting.Attributes;

namespace Graphene.Interop.Onnx.Exporting;

/// <summary>Reductions by the usual functions, and positions of extremes.</summary>
internal static class Reductions
{
    public static IEnumerable<ExportRow> Rows => [new("reduce", Export)];

    /// <summary>The reduction of an elementwise function, with the value that it starts from when nothing else is said.</summary>
    private static (string Operator, Scalar Neutral)? OperatorOf(ElementwiseFn? fn, DType type) => fn?.Name switch
    {
        "add" when type != DType.Bool => ("ReduceSum", Scalar.Zero(type)),
        "multiply" when type != DType.Bool => ("ReduceProd", Scalar.One(type)),
        "maximum" or "or" or "add" when type == DType.Bool => ("ReduceMax", Scalar.FromBool(false)),
        "minimum" or "and" or "multiply" when type == DType.Bool => ("ReduceMin", Scalar.FromBool(true)),
        "maximum" => ("ReduceMax", Scalar.Lowest(type)),
        "minimum" => ("ReduceMin", Scalar.Highest(type)),
        _ => null,
    };

    private static void Export(ExportSite site)
    {
        var op = (ReduceOp)site.Node.Op;
        if (site.Operands.Length == 4 && TryExtreme(site, op))
        {
            return;
        }
        StoredValue x = site.Operands[0];
        ElementwiseFn? fn = ReductionBody.FunctionOf(op.Body);
        if (site.Operands.Length != 2 || OperatorOf(fn, x.Type.DType) is not (string name, Scalar neutral))
        {
            throw new NoOnnxFormException($"ONNX has no reduction by '{op.Body.Name}'");
        }
        string reduced = Reduce(site, name, site.Place.Plain(x, x.Order), x.Type.DType, op.Dimensions.Select(x.Order.IndexOf));
        if (op.Dimensions.Count == 0 || site.Operands[1].SingleElement != neutral) // 0 + -0 is 0
        {
            reduced = Combined(site, fn!, reduced, x.Type.DType);
        }
        site.Result(reduced, OrderOfRest(x.Order, op.Dimensions));
    }

    /// <summary>The order of the dimensions that a reduction leaves, numbered anew.</summary>
    public static Axes OrderOfRest(Axes order, Axes reduced)
    {
        Axes kept = reduced.Complement(order.Count);
        return Axes.From(order.Where(axis => !reduced.Contains(axis)).Select(kept.IndexOf));
    }

    // ONNX reduces integers of 32 and 64 bits, and floating types. Sums of narrow ones wrap afterwards as they would on the way.
    private static string Reduce(ExportSite site, string op, string x, DType type, IEnumerable<int> axes)
    {
        long[] over = [.. axes.Select(a => (long)a).Order()];
        if (over.Length == 0)
        {
            return x; // ONNX would take none for all
        }
        bool isNarrow = !type.IsFloating() && type.SizeInBits() < 32;
        DType work = isNarrow ? DType.I32 : type;
        string reduced = site.Graph.Add(
            op, [Products.Cast(site, x, type, work), site.Graph.Ints(over)], Int("keepdims", 0));
        return Products.Cast(site, reduced, work, type);
    }

    private static string Combined(ExportSite site, ElementwiseFn fn, string reduced, DType type)
    {
        string initial = site.Plain(1);
        return fn.Name switch
        {
            "add" when type != DType.Bool => site.Graph.Add("Add", [reduced, initial]),
            "multiply" when type != DType.Bool => site.Graph.Add("Mul", [reduced, initial]),
            "maximum" or "or" or "add" => site.Graph.Add(type == DType.Bool ? "Or" : "Max", [reduced, initial]),
            _ => site.Graph.Add(type == DType.Bool ? "And" : "Min", [reduced, initial]),
        };
    }

    // (values, positions) of the largest or smallest elements, as ArgMax and ArgMin of the builder write them.
    private static bool TryExtreme(ExportSite site, ReduceOp op)
    {
        StoredValue x = site.Operands[0];
        if (op.Dimensions is not [var axis] || site.Node.Operands[1].Op is not IotaOp iota || iota.Dimension != axis ||
            site.Operands[3].SingleElement is not { AsInteger: var none } || none != -1)
        {
            return false;
        }
        foreach (bool isMax in (bool[])[true, false])
        {
            foreach (bool last in (bool[])[false, true])
            {
                if (op.Body.Equals(BodyOf(x.Type.DType, isMax, last)))
                {
                    (string extreme, string position) = isMax ? ("ReduceMax", "ArgMax") : ("ReduceMin", "ArgMin");
                    int along = x.Order.IndexOf(axis);
                    string plain = site.Place.Plain(x, x.Order);
                    string at = site.Graph.Add(
                        position, [plain], Int("axis", along), Int("keepdims", 0), Bool("select_last_index", last));
                    Axes order = OrderOfRest(x.Order, op.Dimensions);
                    site.Result(
                        StoredValue.InOrder(Reduce(site, extreme, plain, x.Type.DType, [along]), site.Node.Types[0], order),
                        StoredValue.InOrder(at, site.Node.Types[1], order));
                    return true;
                }
            }
        }
        return false;
    }

    private static Computation BodyOf(DType type, bool isMax, bool last)
    {
        var b = new GraphBuilder();
        Node x = b.Parameter(0, new TensorType(type, [1]));
        Node position = isMax ? b.ArgMax(x, 0, lastOfEqual: last) : b.ArgMin(x, 0, lastOfEqual: last);
        return ((ReduceOp)position.Operands[0].Op).Body;
    }
}
