using static Graphene.Interop.Onnx.Exporting.Attributes;

namespace Graphene.Interop.Onnx.Exporting;

/// <summary>
/// Reductions of windows: maxima and minima as MaxPool, sums as a convolution with ones (which sums in the same order), running
/// sums as CumSum.
/// </summary>
internal static class Windows
{
    public static IEnumerable<ExportRow> Rows => [new("reduce_window", Export)];

    private static void Export(ExportSite site)
    {
        var op = (ReduceWindowOp)site.Node.Op;
        DType type = site.Operands[0].Type.DType;
        string? fn = site.Operands.Length == 2 ? ReductionBody.FunctionOf(op.Body)?.Name : null;
        bool startsAtZero = site.Operands[^1].SingleElement is { } initial && initial == Scalar.Zero(type);
        if (fn == "add" && startsAtZero && TryRunningSum(site, op))
        {
            return;
        }
        switch (fn)
        {
            case "maximum":
                Slide(site, op, PoolType(type, keepsBytes: true), Scalar.Lowest, mixesFeatures: false, (x, window) =>
                    site.Graph.Add("MaxPool", [x], SlidingWindow.Attributes(window)));
                CombineWithInitial(site, "Max", Scalar.Lowest(type));
                break;
            case "minimum":
                Slide(site, op, PoolType(type, keepsBytes: false), Scalar.Highest, mixesFeatures: false, (x, window) =>
                {
                    string largest = site.Graph.Add("MaxPool", [site.Graph.Add("Neg", [x])], SlidingWindow.Attributes(window));
                    return site.Graph.Add("Neg", [largest]);
                });
                CombineWithInitial(site, "Min", Scalar.Highest(type));
                break;
            case "add" when op.Window.All(w => w.IsIdentity):
                Pointwise.Export(site, site.Operands, x => site.Graph.Add("Add", x)); // 0 + -0 is 0
                break;
            // Padding holds the initial value, too: other sums than those from zero would need to know how much of it they saw.
            case "add" when type.IsFloating() && (startsAtZero || op.Window.All(IsUnpadded)):
                DType work = type == DType.BF16 ? DType.F32 : type;
                Slide(site, op, work, Scalar.Zero, mixesFeatures: true, (x, window) => site.Graph.Add(
                    "Conv", [x, Ones(site, work, window)], SlidingWindow.Attributes(window)));
                CombineWithInitial(site, "Add", Scalar.Zero(type));
                break;
            default:
                throw new NoOnnxFormException($"ONNX has no such reduction of windows of {type.Name()} by '{op.Body.Name}'");
        }
    }

    private static bool IsUnpadded(WindowDim w) => w.Low == 0 && w.High == 0 && w.BaseDilation == 1;

    private static void CombineWithInitial(ExportSite site, string op, Scalar neutral)
    {
        if (site.Operands[1].SingleElement != neutral)
        {
            StoredValue reduced = site.Results![0];
            site.Result(site.Graph.Add(op, [site.Place.Plain(reduced, reduced.Order), site.Plain(1)]), reduced.Order);
        }
    }

    // MaxPool takes floating types and bytes; wider integers are exact in a floating type that has more digits.
    private static DType PoolType(DType type, bool keepsBytes) => type switch
    {
        DType.F16 or DType.F32 or DType.F64 => type,
        DType.I8 or DType.U8 when keepsBytes => type,
        DType.I8 or DType.U8 or DType.I16 or DType.U16 or DType.BF16 => DType.F32,
        DType.I32 or DType.U32 => DType.F64,
        _ => throw new NoOnnxFormException($"ONNX has no pooling of {type.Name()}"),
    };

    private static string Ones(ExportSite site, DType type, WindowDim[] window) => site.Graph.Store(Literal.Splat(
        new TensorType(type, [1, 1, .. window.Select(w => w.Size)]), Scalar.One(type)));

    // Brings the dimensions that the window moves along behind all others. If those are not a batch and features, or the operator
    // would mix features, they become a batch with one feature.
    private static void Slide(
        ExportSite site, ReduceWindowOp op, DType work, Func<DType, Scalar> neutral, bool mixesFeatures,
        Func<string, WindowDim[], string> reduce)
    {
        StoredValue x = site.Operands[0];
        TensorType type = x.Type;
        Axes moving = Axes.From(Enumerable.Range(0, type.Rank).Where(axis => !op.Window[axis].IsIdentity));
        if (moving.Count == 0)
        {
            site.Result(x);
            return;
        }
        Axes order = Axes.From([.. InOrder(moving.Complement(type.Rank), x.Order), .. InOrder(moving, x.Order)]);
        moving = Axes.From(order.Skip(type.Rank - moving.Count));
        int still = type.Rank - moving.Count;
        WindowDim[] window = [.. moving.Select(axis => op.Window[axis])];
        string input = Products.Cast(site, site.Place.Plain(x, order), type.DType, work);
        Shape shape = type.Shape.Permute(order);
        input = site.Place.Reshape(input, shape, Image(shape));
        string padding = site.Graph.Store(Literal.FromScalar(neutral(work)));
        input = SlidingWindow.Prepare(site, input, Image(shape), padding, window, padsLess: true);
        Shape places = site.Node.Shape.Permute(order);
        string result = site.Place.Reshape(reduce(input, window), Image(places), places);
        site.Result(Products.Cast(site, result, work, type.DType), order);

        Shape Image(Shape s) => still == 2 && (!mixesFeatures || s[1] == 1)
            ? s
            : Shape.From([s.Take(still).Aggregate((Dim)1, (product, dim) => product * dim), 1, .. s.Skip(still)]);
    }

    // Whatever stands transposed already may stay so.
    private static IEnumerable<int> InOrder(Axes axes, Axes order) => order.Where(axes.Contains);

    // A window over all elements up to the present one, or from it on; one further when the present one is left out.
    private static bool TryRunningSum(ExportSite site, ReduceWindowOp op)
    {
        StoredValue x = site.Operands[0];
        if (RunningWindow.TryFind(op, x.Type.Shape) is not var (axis, exclusive, reverse))
        {
            return false;
        }
        DType type = x.Type.DType;
        DType work = type is DType.F16 or DType.BF16 ? DType.F32
            : type.IsInteger() && type.SizeInBits() < 32 ? DType.I32
            : type;
        string sum = site.Graph.Add(
            "CumSum",
            [
                Products.Cast(site, site.Place.Plain(x, x.Order), type, work),
                site.Graph.Number(DType.I64, x.Order.IndexOf(axis)),
            ],
            Bool("exclusive", exclusive), Bool("reverse", reverse));
        site.Result(Products.Cast(site, sum, work, type), x.Order);
        return true;
    }
}
