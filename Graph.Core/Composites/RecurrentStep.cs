namespace Graphene;

/// <summary>One step of a recurrent layer: the next states from the input's part of the gates and the present states.</summary>
/// <remarks>Formulas: ONNX operator specification, RNN, GRU and LSTM.</remarks>
/// <param name="options">The kind of layer and its variants.</param>
internal sealed class RecurrentStep(RecurrentOptions options)
{
    /// <summary>The gates in the order of the weights.</summary>
    public string Gates { get; } = options.GateOrder ?? options.Cell switch
    {
        RecurrentCell.Lstm => "iofc",
        RecurrentCell.Gru => "zrh",
        _ => "h",
    };

    /// <summary>The next states: hidden, and cell for an LSTM.</summary>
    /// <param name="b">The loop's builder.</param>
    /// <param name="part">The input's part of all gates, [batch, G*H].</param>
    /// <param name="states">The present states.</param>
    /// <param name="weights">The recurrent weights.</param>
    /// <param name="bias">The recurrent bias, or null.</param>
    /// <param name="peepholes">The peepholes, or null.</param>
    /// <param name="hidden">H.</param>
    public Node[] Next(GraphBuilder b, Node part, Node[] states, Node weights, Node? bias, Node? peepholes, Dim hidden)
    {
        Node h = states[0];
        if (options.Cell == RecurrentCell.Gru && !options.LinearBeforeReset)
        {
            return [ResetBefore(b, part, h, weights, bias, hidden)];
        }
        Node recurrent = b.DotGeneral(h, weights, [], [], [1], [options.InputMajor ? 0 : 1]);
        if (bias is not null)
        {
            recurrent = b.Add(recurrent, b.BroadcastTo(bias, recurrent.Shape));
        }
        if (options.Cell == RecurrentCell.Gru)
        {
            Node z = Gate(b, Sum('z'));
            Node r = Gate(b, Sum('r'));
            Node candidate = b.Add(Take(b, part, 'h', hidden), b.Multiply(r, Take(b, recurrent, 'h', hidden)));
            return [Mix(b, z, Candidate(b, candidate), h)];
        }
        if (options.Cell == RecurrentCell.Simple)
        {
            Node sum = Clipped(b, b.Add(part, recurrent));
            return [options.GateActivation is { } f ? f(b, sum) : b.HyperbolicTangent(sum)];
        }
        Node cell = states[1];
        Node input = Gate(b, Peep(Sum('i'), 0, cell));
        Node forget = options.InputForget
            ? b.Subtract(b.Like(input, 1), input)
            : Gate(b, Peep(Sum('f'), 2, cell));
        Node next = b.Add(b.Multiply(forget, cell), b.Multiply(input, Candidate(b, Sum('c'))));
        Node output = Gate(b, Peep(Sum('o'), 1, next));
        Node shown = options.OutputActivation is { } g ? g(b, next) : b.HyperbolicTangent(next);
        return [b.Multiply(output, shown), next];

        Node Sum(char gate) => b.Add(Take(b, part, gate, hidden), Take(b, recurrent, gate, hidden));

        Node Peep(Node sum, int place, Node state) => peepholes is null
            ? sum
            : b.Add(sum, b.Multiply(
                b.BroadcastTo(b.SliceDimension(peepholes, 0, hidden * place, hidden * (place + 1)), state.Shape), state));
    }

    // The reset gate scales the hidden state itself, so the candidate needs a product of its own.
    private Node ResetBefore(GraphBuilder b, Node part, Node h, Node weights, Node? bias, Dim hidden)
    {
        Node z = Gate(b, b.Add(Take(b, part, 'z', hidden), Product(h, 'z')));
        Node r = Gate(b, b.Add(Take(b, part, 'r', hidden), Product(h, 'r')));
        Node candidate = Candidate(b, b.Add(Take(b, part, 'h', hidden), Product(b.Multiply(r, h), 'h')));
        return Mix(b, z, candidate, h);

        Node Product(Node x, char gate)
        {
            int outputs = options.InputMajor ? 1 : 0;
            Dim start = hidden * Gates.IndexOf(gate);
            Node product = b.DotGeneral(
                x, b.SliceDimension(weights, outputs, start, start + hidden), [], [], [1], [1 - outputs]);
            return bias is null
                ? product
                : b.Add(product, b.BroadcastTo(b.SliceDimension(bias, 0, start, start + hidden), product.Shape));
        }
    }

    private Node Take(GraphBuilder b, Node gates, char gate, Dim hidden)
    {
        Dim start = hidden * Gates.IndexOf(gate);
        return b.SliceDimension(gates, 1, start, start + hidden);
    }

    // z * h + (1 - z) * candidate
    private static Node Mix(GraphBuilder b, Node z, Node candidate, Node h) =>
        b.Add(b.Multiply(b.Subtract(b.Like(z, 1), z), candidate), b.Multiply(z, h));

    private Node Gate(GraphBuilder b, Node sum)
    {
        Node clipped = Clipped(b, sum);
        return options.GateActivation is { } f ? f(b, clipped) : b.Logistic(clipped);
    }

    private Node Candidate(GraphBuilder b, Node sum)
    {
        Node clipped = Clipped(b, sum);
        return options.CellActivation is { } g ? g(b, clipped) : b.HyperbolicTangent(clipped);
    }

    private Node Clipped(GraphBuilder b, Node x) => options.Clip is { } bound
        ? b.Clamp(b.Constant(x.DType, -bound), x, b.Constant(x.DType, bound))
        : x;
}
