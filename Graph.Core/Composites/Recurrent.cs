namespace Graphene;

/// <summary>What a recurrent layer gives.</summary>
/// <param name="Sequence">The hidden state after each step, [steps, batch, H]; 0 behind a sequence's end.</param>
/// <param name="Hidden">The last hidden state, [batch, H].</param>
/// <param name="Cell">The last cell state of an LSTM, [batch, H]; null for others.</param>
public sealed record RecurrentResult(Node Sequence, Node Hidden, Node? Cell);

/// <summary>Recurrent layers as loops over the steps of a sequence.</summary>
/// <remarks>
/// The input's part of all gates is one <c>dot_general</c> over the whole sequence in front of the loop; a round does the hidden
/// state's part and the gates.
/// </remarks>
public static class RecurrentComposites
{
    /// <summary>One direction of a recurrent layer.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="x">The sequence, [steps, batch, input].</param>
    /// <param name="weights">The weights.</param>
    /// <param name="options">The kind of layer and its variants.</param>
    /// <param name="lengths">The steps of each sequence of the batch, integers [batch]; null for all.</param>
    /// <param name="initialHidden">[batch, H]; null for 0.</param>
    /// <param name="initialCell">[batch, H]; null for 0.</param>
    public static RecurrentResult Recurrent(
        this GraphBuilder b,
        Node x,
        RecurrentWeights weights,
        RecurrentOptions options,
        Node? lengths = null,
        Node? initialHidden = null,
        Node? initialCell = null)
    {
        var cell = new RecurrentStep(options);
        OpSite site = b.Site(options.Cell.ToString().ToLowerInvariant(), x, weights.Input, weights.Recurrent);
        site.Require(x.Rank == 3, DiagnosticId.RankMismatch, $"{x.Type} is not of shape [steps, batch, input]");
        site.Require(
            weights.Input.Rank == 2 && weights.Recurrent.Rank == 2, DiagnosticId.RankMismatch,
            $"weights {weights.Input.Type} and {weights.Recurrent.Type} are not matrices");
        Dim steps = x.Shape[0];
        Dim batch = x.Shape[1];
        Dim hidden = weights.Recurrent.Shape[options.InputMajor ? 0 : 1];
        Dim gates = weights.Recurrent.Shape[options.InputMajor ? 1 : 0];
        site.Require(
            site.CanBeEqual(gates, hidden * cell.Gates.Length), DiagnosticId.ShapeMismatch,
            $"recurrent weights {weights.Recurrent.Type} do not hold {cell.Gates.Length} gates of size {hidden}");

        Node projected = b.DotGeneral(x, weights.Input, [], [], [2], [options.InputMajor ? 0 : 1]);
        if (weights.InputBias is { } inputBias)
        {
            projected = b.Add(projected, b.BroadcastTo(inputBias, projected.Shape));
        }
        Node zero = b.Splat(x.DType, [batch, hidden], 0);
        Node[] carried =
        [
            b.Splat(x.DType, [steps, batch, hidden], 0),
            initialHidden ?? zero,
            .. options.Cell == RecurrentCell.Lstm ? [initialCell ?? zero] : Array.Empty<Node>(),
        ];
        Node?[] optional = [weights.RecurrentBias, weights.Peepholes, lengths];
        Node[] invariants = [projected, weights.Recurrent, .. optional.OfType<Node>()];
        Node[] final = b.Repeat(steps, carried, invariants, (inner, round, now, given) =>
        {
            int next = 2;
            Node? recurrentBias = optional[0] is null ? null : given[next++];
            Node? peepholes = optional[1] is null ? null : given[next++];
            Node? ends = optional[2] is null ? null : given[next];
            Node step = options.Reverse
                ? inner.Subtract(inner.DimValue(steps - 1), round)
                : round;
            Node none = inner.Constant(DType.I64, 0);
            Node part = inner.Reshape(
                inner.DynamicSlice(given[0], [step, none, none], [1, batch, gates]), [batch, gates]);
            Node[] states = cell.Next(inner, part, now[1..], given[1], recurrentBias, peepholes, hidden);
            Node output = states[0];
            if (ends is not null)
            {
                Node running = inner.BroadcastInDim(
                    inner.Less(inner.BroadcastTo(inner.Convert(step, ends.DType), ends.Shape), ends), [batch, hidden], [0]);
                states = [.. states.Zip(now[1..], (after, before) => inner.Select(running, after, before))];
                output = inner.Select(running, output, inner.Like(output, 0));
            }
            Node sequence = inner.DynamicUpdateSlice(
                now[0], inner.Reshape(output, [1, batch, hidden]), [step, none, none]);
            return [sequence, .. states];
        });
        return new RecurrentResult(final[0], final[1], final.Length > 2 ? final[2] : null);
    }

    /// <summary>A recurrent layer of one or two directions in ONNX's form: everything stacked along a direction dimension.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="x">[steps, batch, input], or [batch, steps, input] when <paramref name="batchFirst"/>.</param>
    /// <param name="inputWeights">[directions, G*H, input].</param>
    /// <param name="recurrentWeights">[directions, G*H, H].</param>
    /// <param name="bias">[directions, 2*G*H], the input's and the hidden state's; null for none.</param>
    /// <param name="options">One entry per direction; <see cref="RecurrentOptions.Reverse"/> is set here.</param>
    /// <param name="direction">Which way the sequence is read.</param>
    /// <param name="lengths">The steps of each sequence, integers [batch]; null for all.</param>
    /// <param name="initialHidden">[directions, batch, H] (batch first: [batch, directions, H]); null for 0.</param>
    /// <param name="initialCell">As <paramref name="initialHidden"/>.</param>
    /// <param name="peepholes">[directions, 3*H]; null for none.</param>
    /// <param name="batchFirst">True when batch comes first in inputs, states and results (ONNX layout 1).</param>
    /// <returns>
    /// The sequence [steps, directions, batch, H] (batch first: [batch, steps, directions, H]), the last hidden state and, for an
    /// LSTM, the last cell state.
    /// </returns>
    public static RecurrentResult StackedRecurrent(
        this GraphBuilder b,
        Node x,
        Node inputWeights,
        Node recurrentWeights,
        Node? bias,
        IReadOnlyList<RecurrentOptions> options,
        RecurrentDirection direction = RecurrentDirection.Forward,
        Node? lengths = null,
        Node? initialHidden = null,
        Node? initialCell = null,
        Node? peepholes = null,
        bool batchFirst = false)
    {
        int directions = direction == RecurrentDirection.Bidirectional ? 2 : 1;
        b.Site("recurrent", x, inputWeights, recurrentWeights).Require(
            options.Count == directions && inputWeights.Rank == 3 && recurrentWeights.Rank == 3 &&
            inputWeights.Shape[0] == directions && recurrentWeights.Shape[0] == directions,
            DiagnosticId.ShapeMismatch,
            $"weights {inputWeights.Type} and {recurrentWeights.Type} are not stacked for {directions} directions");
        Node steps = batchFirst ? b.Transpose(x, [1, 0, 2]) : x;
        int stateAxis = batchFirst ? 1 : 0;
        var results = new RecurrentResult[directions];
        for (int d = 0; d < directions; d++)
        {
            Node? both = Part(bias, d, 0);
            Dim half = both is null ? 0 : Dim.FloorDiv(both.Shape[0], 2);
            var weights = new RecurrentWeights(
                Part(inputWeights, d, 0)!,
                Part(recurrentWeights, d, 0)!,
                both is null ? null : b.SliceDimension(both, 0, 0, half),
                both is null ? null : b.SliceDimension(both, 0, half, both.Shape[0]),
                Part(peepholes, d, 0));
            results[d] = b.Recurrent(
                steps, weights, options[d] with { Reverse = direction == RecurrentDirection.Reverse || d == 1 }, lengths,
                Part(initialHidden, d, stateAxis), Part(initialCell, d, stateAxis));
        }
        Node sequence = Stack(results.Select(r => r.Sequence), 1);
        return new RecurrentResult(
            batchFirst ? b.Transpose(sequence, [2, 0, 1, 3]) : sequence,
            Stack(results.Select(r => r.Hidden), stateAxis),
            results[0].Cell is null ? null : Stack(results.Select(r => r.Cell!), stateAxis));

        Node? Part(Node? stacked, int index, int axis) => stacked is null
            ? null
            : b.Reshape(b.SliceDimension(stacked, axis, index, index + 1), stacked.Shape.Without([axis]));

        Node Stack(IEnumerable<Node> parts, int axis) => b.Stack([.. parts], axis);
    }
}
