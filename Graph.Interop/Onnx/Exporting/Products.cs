using static Graphene.Interop.Onnx.Exporting.Attributes;

namespace Graphene.Interop.Onnx.Exporting;

/// <summary>Contractions: as MatMul where that says it, as Einsum otherwise.</summary>
internal static class Products
{
    public static IEnumerable<ExportRow> Rows => [new("dot_general", Export)];

    private static void Export(ExportSite site)
    {
        var op = (DotGeneralOp)site.Node.Op;
        StoredValue lhs = site.Operands[0];
        StoredValue rhs = site.Operands[1];
        Axes lhsFree = op.LhsFree(lhs.Type.Rank);
        Axes rhsFree = op.RhsFree(rhs.Type.Rank);

        // MatMul pairs the dimensions in front of the last two; the left operand has any number of them beside a matrix.
        bool isMatMul = op.LhsContracting.Count == 1 &&
            (op.LhsBatch.Count == 0 ? rhsFree.Count <= 1 : lhsFree.Count == 1 && rhsFree.Count == 1);
        Axes lhsOrder = Axes.From([.. op.LhsBatch, .. lhsFree, .. op.LhsContracting]);
        Axes rhsOrder = Axes.From([.. op.RhsBatch, .. op.RhsContracting, .. rhsFree]);
        DType work = WorkType(op.ResultType);
        string x = Cast(site, site.Place.Plain(lhs, isMatMul ? lhsOrder : lhs.Order), lhs.Type.DType, work);
        string y = Cast(site, site.Place.Plain(rhs, isMatMul ? rhsOrder : rhs.Order), rhs.Type.DType, work);
        string product = isMatMul
            ? site.Graph.Add("MatMul", [x, y])
            : site.Graph.Add("Einsum", [x, y], Text("equation", Equation(op, lhs.Order, rhs.Order, lhsFree, rhsFree)));
        site.Result(Cast(site, product, work, op.ResultType));
    }

    /// <summary>A tensor in another element type.</summary>
    public static string Cast(ExportSite site, string x, DType from, DType to) =>
        from == to ? x : site.Graph.Add("Cast", [x], Attributes.Type("to", to));

    // ONNX multiplies integers of 32 and 64 bits, and floating types; narrow ones wrap afterwards as they would on the way.
    private static DType WorkType(DType type) => type.IsInteger() && type.SizeInBits() < 32 ? DType.I32 : type;

    private static string Equation(DotGeneralOp op, Axes lhsOrder, Axes rhsOrder, Axes lhsFree, Axes rhsFree)
    {
        var lhs = new char[lhsOrder.Count];
        var rhs = new char[rhsOrder.Count];
        char next = 'a';
        Pair(op.LhsBatch, op.RhsBatch);
        Pair(op.LhsContracting, op.RhsContracting);
        Name(lhs, lhsFree);
        Name(rhs, rhsFree);
        string result = string.Concat(
            op.LhsBatch.Concat(lhsFree).Select(axis => lhs[axis]).Concat(rhsFree.Select(axis => rhs[axis])));
        string left = string.Concat(lhsOrder.Select(axis => lhs[axis]));
        return $"{left},{string.Concat(rhsOrder.Select(axis => rhs[axis]))}->{result}";

        void Pair(Axes left, Axes right)
        {
            for (int i = 0; i < left.Count; i++)
            {
                lhs[left[i]] = rhs[right[i]] = next++;
            }
        }

        void Name(char[] letters, Axes axes)
        {
            foreach (int axis in axes)
            {
                letters[axis] = next++;
            }
        }
    }
}
