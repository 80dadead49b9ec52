using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Softmax and its relatives.</summary>
internal static class Softmaxes
{
    public static IReadOnlyList<OperatorRow> Rows { get; } =
    [
        .. Row("Softmax", (b, x, axis) => b.Softmax(x, axis)),
        .. Row("LogSoftmax", (b, x, axis) => b.LogSoftmax(x, axis)),
        .. Row("Hardmax", (b, x, axis) => b.Hardmax(x, axis)),
    ];

    // Before version 13 the input was seen as a matrix, all dimensions from the axis on being its columns.
    private static OperatorRow[] Row(string name, Func<GraphBuilder, Node, int, Node> function) =>
    [
        new("", name, 1, c =>
        {
            GraphBuilder b = c.B;
            Node x = c.Input(0);
            int axis = c.NormalAxis(c.Int("axis", 1), x.Rank);
            if (axis == x.Rank - 1)
            {
                c.Output(0, function(b, x, axis));
                return;
            }
            Shape matrix = [Shape.From(x.Shape.Take(axis)).ElementCount, Shape.From(x.Shape.Skip(axis)).ElementCount];
            c.Output(0, b.Reshape(function(b, b.Reshape(x, matrix), 1), x.Shape));
        }),
        new("", name, 13, c => c.Output(0, function(c.B, c.Input(0), c.NormalAxis(c.Int("axis", -1), c.Value(0).Rank)))),
    ];
}
