using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Every operator that can be imported.</summary>
internal static class OperatorTable
{
    private static readonly Dictionary<(string Domain, string Name), OperatorRow[]> Rows = Group(
    [
        .. Constants.Rows,
        .. ElementwiseUnary.Rows,
        .. ElementwiseBinary.Rows,
        .. Activations.Rows,
        .. Conversions.Rows,
        .. Reductions.Rows,
        .. Shapes.Rows,
        .. Slicing.Rows,
        .. Indexing.Rows,
        .. Products.Rows,
        .. Convolutions.Rows,
        .. Pooling.Rows,
        .. Normalization.Rows,
        .. Softmaxes.Rows,
        .. Recurrent.Rows,
        .. Quantization.Rows,
        .. ControlFlow.Rows,
        .. Resizing.Rows,
        .. Ml.Rows,
        .. Attention.Rows,
        .. StateSpace.Rows,
        .. Losses.Rows,
        .. RandomNumbers.Rows,
        .. Legacy.Rows,
    ]);

    /// <summary>All rows.</summary>
    public static IEnumerable<OperatorRow> All => Rows.Values.SelectMany(r => r);

    /// <summary>The row for an operator at a version of its operator set, or null.</summary>
    public static OperatorRow? Find(string domain, string name, long version) =>
        Rows.TryGetValue((domain, name), out OperatorRow[]? rows) ? Array.FindLast(rows, r => r.Since <= version) : null;

    private static Dictionary<(string, string), OperatorRow[]> Group(IEnumerable<OperatorRow> rows) =>
        rows.GroupBy(r => (r.Domain, r.Name)).ToDictionary(g => g.Key, g => g.OrderBy(r => r.Since).ToArray());
}
