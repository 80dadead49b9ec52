using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>What one time step of a recurrent layer computes.</summary>
internal abstract class RecurrentCell
{
    protected RecurrentCell(OperatorCall call, int gateCount, string[] activations)
    {
        Call = call;
        GateCount = gateCount;
        Hidden = call.Attributes.Int("hidden_size") ??
            (call.Input(2).Shape[2].IsStatic ? call.Input(2).Shape[2].Value : throw call.Bad(
                $"{call.Proto.OpType} has no attribute 'hidden_size'", "the operator needs it"));
        Activations = CellActivation.Read(call, activations);
        Clip = call.Attributes.Float("clip");
    }

    /// <summary>The number of gates, whose weights lie one after another.</summary>
    public int GateCount { get; }

    /// <summary>The size of the state.</summary>
    public long Hidden { get; }

    /// <summary>How many tensors a step hands to the next one.</summary>
    public abstract int StateCount { get; }

    /// <summary>The call.</summary>
    protected OperatorCall Call { get; }

    /// <summary>The activations of all directions, one after another.</summary>
    protected CellActivation[] Activations { get; }

    private float? Clip { get; }

    /// <summary>The biases that can be added to the products with the inputs, before the loop: [gates * hidden].</summary>
    /// <param name="b">Makes nodes.</param>
    /// <param name="bias">Those of the inputs, then those of the state: [2 * gates * hidden].</param>
    public virtual Node InputBias(GraphBuilder b, Node bias) =>
        b.Add(Part(b, bias, 0, GateCount), Part(b, bias, GateCount, GateCount));

    /// <summary>The biases that stay inside the loop, or null.</summary>
    public virtual Node? StateBias(GraphBuilder b, Node bias) => null;

    /// <summary>One time step.</summary>
    /// <param name="b">Makes nodes inside the loop.</param>
    /// <param name="direction">0 forward, 1 backward.</param>
    /// <param name="input">The inputs' part of the gates: [batch, gates * hidden].</param>
    /// <param name="state">The states: [batch, hidden] each; the first one is the output.</param>
    /// <param name="weights">The recurrence weights: [gates * hidden, hidden].</param>
    /// <param name="stateBias">What <see cref="StateBias"/> gave.</param>
    /// <param name="peepholes">The LSTM's peephole weights, [3 * hidden], or null.</param>
    public abstract Node[] Step(
        GraphBuilder b, int direction, Node input, Node[] state, Node weights, Node? stateBias, Node? peepholes);

    /// <summary>Some gates' part of a tensor, along its last dimension.</summary>
    protected Node Part(GraphBuilder b, Node x, int first, int count = 1) =>
        Slicing.Range(b, x, x.Rank - 1, first * Hidden, count * Hidden);

    /// <summary>h . R^T.</summary>
    protected static Node Product(GraphBuilder b, Node h, Node weights) => b.DotGeneral(h, weights, [], [], [1], [1]);

    /// <summary>A vector added to every row.</summary>
    protected static Node AddRow(GraphBuilder b, Node x, Node row) => b.Add(x, b.AlongAxis(row, x.Shape, x.Rank - 1));

    /// <summary>Applies an activation to a value held in the range of the attribute clip.</summary>
    protected Node Activate(GraphBuilder b, int direction, int index, Node x)
    {
        int perDirection = Activations.Length / (Call.Text("direction", "forward") == "bidirectional" ? 2 : 1);
        Node held = Clip is { } limit ? b.Minimum(b.Maximum(x, b.Like(x, -limit)), b.Like(x, limit)) : x;
        return Activations[(direction * perDirection) + index].Apply(b, held);
    }
}

/// <summary>h' = f(W x + R h + biases).</summary>
internal sealed class RnnCell(OperatorCall call) : RecurrentCell(call, 1, ["Tanh"])
{
    /// <inheritdoc/>
    public override int StateCount => 1;

    /// <inheritdoc/>
    public override Node[] Step(
        GraphBuilder b, int direction, Node input, Node[] state, Node weights, Node? stateBias, Node? peepholes) =>
        [Activate(b, direction, 0, b.Add(input, Product(b, state[0], weights)))];
}

/// <summary>Gates in the order input, output, forget, cell; states h and c.</summary>
internal sealed class LstmCell(OperatorCall call) : RecurrentCell(call, 4, ["Sigmoid", "Tanh", "Tanh"])
{
    private readonly bool _couplesGates = call.Int("input_forget", 0) != 0;

    /// <inheritdoc/>
    public override int StateCount => 2;

    /// <inheritdoc/>
    public override Node[] Step(
        GraphBuilder b, int direction, Node input, Node[] state, Node weights, Node? stateBias, Node? peepholes)
    {
        (Node h, Node cell) = (state[0], state[1]);
        Node gates = b.Add(input, Product(b, h, weights));
        Node inputGate = Activate(b, direction, 0, Peep(b, Part(b, gates, 0), cell, peepholes, 0));
        Node candidate = Activate(b, direction, 1, Part(b, gates, 3));
        Node forgetGate = _couplesGates
            ? b.Subtract(b.Like(inputGate, 1), inputGate)
            : Activate(b, direction, 0, Peep(b, Part(b, gates, 2), cell, peepholes, 2));
        Node nextCell = b.Add(b.Multiply(forgetGate, cell), b.Multiply(inputGate, candidate));
        Node outputGate = Activate(b, direction, 0, Peep(b, Part(b, gates, 1), nextCell, peepholes, 1));
        return [b.Multiply(outputGate, Activate(b, direction, 2, nextCell)), nextCell];
    }

    private Node Peep(GraphBuilder b, Node gate, Node cell, Node? peepholes, int index) => peepholes is null
        ? gate
        : b.Add(gate, b.Multiply(b.AlongAxis(Part(b, peepholes, index), cell.Shape, 1), cell));
}

/// <summary>Gates in the order update, reset, hidden.</summary>
internal sealed class GruCell(OperatorCall call) : RecurrentCell(call, 3, ["Sigmoid", "Tanh"])
{
    // With linear_before_reset the reset gate applies to R h + its bias, so that this bias cannot move out of the loop.
    private readonly bool _resetsAfter = call.Int("linear_before_reset", 0) != 0;

    /// <inheritdoc/>
    public override int StateCount => 1;

    /// <inheritdoc/>
    public override Node InputBias(GraphBuilder b, Node bias)
    {
        if (!_resetsAfter)
        {
            return base.InputBias(b, bias);
        }
        Node gates = b.Add(Part(b, bias, 0, 2), Part(b, bias, 3, 2));
        return b.Concatenate([gates, Part(b, bias, 2)], 0);
    }

    /// <inheritdoc/>
    public override Node? StateBias(GraphBuilder b, Node bias) => _resetsAfter ? Part(b, bias, 5) : null;

    /// <inheritdoc/>
    public override Node[] Step(
        GraphBuilder b, int direction, Node input, Node[] state, Node weights, Node? stateBias, Node? peepholes)
    {
        Node h = state[0];
        Node gateWeights = Slicing.Range(b, weights, 0, 0, 2 * Hidden);
        Node hiddenWeights = Slicing.Range(b, weights, 0, 2 * Hidden, Hidden);
        Node gates = b.Add(Part(b, input, 0, 2), Product(b, h, gateWeights));
        Node update = Activate(b, direction, 0, Part(b, gates, 0));
        Node reset = Activate(b, direction, 0, Part(b, gates, 1));
        Node recurrent;
        if (_resetsAfter)
        {
            Node product = Product(b, h, hiddenWeights);
            recurrent = b.Multiply(reset, stateBias is null ? product : AddRow(b, product, stateBias));
        }
        else
        {
            recurrent = Product(b, b.Multiply(reset, h), hiddenWeights);
        }
        Node candidate = Activate(b, direction, 1, b.Add(Part(b, input, 2), recurrent));
        Node keep = b.Multiply(update, h);
        return [b.Add(b.Multiply(b.Subtract(b.Like(update, 1), update), candidate), keep)];
    }
}
