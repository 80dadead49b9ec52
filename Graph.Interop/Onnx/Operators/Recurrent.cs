using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>LSTM, GRU and plain recurrent layers, as a loop over time.</summary>
/// <remarks>
/// The products with the inputs are computed for all time steps at once, before the loop; only the products with the state are
/// left inside.
/// <code>
///   X [time, batch, input] . W^T -> [time, batch, gates * hidden] --- step t ---> gates + H . R^T -> new state
/// </code>
/// </remarks>
internal static class Recurrent
{
    public static IReadOnlyList<OperatorRow> Rows { get; } =
    [
        new("", "LSTM", 1, c => Import(c, new LstmCell(c))),
        new("", "GRU", 1, c => Import(c, new GruCell(c))),
        new("", "RNN", 1, c => Import(c, new RnnCell(c))),
    ];

    private static void Import(OperatorCall c, RecurrentCell cell)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        if (x.Rank != 3 || c.Input(1).Rank != 3 || c.Input(2).Rank != 3)
        {
            throw c.Bad($"{c.Proto.OpType} of {x.Type} with weights {c.Input(1).Type}", "all have three dimensions");
        }
        bool batchFirst = c.Int("layout", 0) != 0;
        x = batchFirst ? b.Transpose(x, [1, 0, 2]) : x;
        string direction = c.Text("direction", "forward");
        int directions = direction == "bidirectional" ? 2 : 1;
        if (direction is not ("forward" or "reverse" or "bidirectional") || c.Input(1).Shape[0] != directions)
        {
            throw c.Bad(
                $"{c.Proto.OpType} has the direction '{direction}' and weights {c.Input(1).Type}",
                "the first dimension of the weights is the number of directions");
        }
        var outputs = new List<Node>();
        var states = new List<Node[]>();
        for (int d = 0; d < directions; d++)
        {
            bool backwards = direction == "reverse" || d == 1;
            (Node all, Node[] last) = RecurrentLoop.Run(c, cell, x, d, backwards, batchFirst);
            outputs.Add(all);
            states.Add(last);
        }
        // [time, directions, batch, hidden], or [batch, time, directions, hidden]
        Node y = b.Concatenate([.. outputs.Select(o => b.Unsqueeze(o, 1))], 1);
        c.Output(0, batchFirst ? b.Transpose(y, [2, 0, 1, 3]) : y);
        for (int s = 0; s < cell.StateCount; s++)
        {
            Node last = b.Concatenate([.. states.Select(state => b.Unsqueeze(state[s], 0))], 0);
            c.Output(s + 1, batchFirst ? b.Transpose(last, [1, 0, 2]) : last);
        }
    }
}
