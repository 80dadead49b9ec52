using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core.Composites;

internal sealed class RecurrentTests
{
    private const int Steps = 4;
    private const int Batch = 2;
    private const int Inputs = 3;
    private const int Hidden = 2;
    private static readonly Literal X = Noise([Steps, Batch, Inputs], 1);
    private static readonly Literal Lengths = I32([Batch], 4, 2);

    [TestCase(RecurrentCell.Lstm, false, false)]
    [TestCase(RecurrentCell.Lstm, true, true)]
    [TestCase(RecurrentCell.Gru, false, false)]
    [TestCase(RecurrentCell.Gru, true, true)]
    [TestCase(RecurrentCell.Simple, false, false)]
    [TestCase(RecurrentCell.Simple, true, true)]
    public void EachStepFollowsTheFormulas(RecurrentCell cell, bool reverse, bool withLengths)
    {
        var loops = new PlainLoops(cell, X, withLengths ? [4, 2] : [4, 4], reverse) { Peepholes = cell == RecurrentCell.Lstm };

        Literal[] y = All(b => Outputs(b.Recurrent(
            b.Constant(X), loops.Weights(b), new RecurrentOptions(cell) { Reverse = reverse },
            withLengths ? b.Constant(Lengths) : null, b.Constant(loops.InitialHidden),
            cell == RecurrentCell.Lstm ? b.Constant(loops.InitialCell) : null)));

        Compare(loops, y);
    }

    [Test]
    public void AGruMayResetAfterItsProduct()
    {
        var loops = new PlainLoops(RecurrentCell.Gru, X, [4, 4], false) { LinearBeforeReset = true };

        Compare(loops, All(b => Outputs(b.Recurrent(
            b.Constant(X), loops.Weights(b), new RecurrentOptions(RecurrentCell.Gru) { LinearBeforeReset = true }, null,
            b.Constant(loops.InitialHidden)))));
    }

    [Test]
    public void WeightsMayBeTransposedAndGatesInAnotherOrder()
    {
        var loops = new PlainLoops(RecurrentCell.Lstm, X, [4, 4], false);
        var options = new RecurrentOptions(RecurrentCell.Lstm) { GateOrder = "ifco", InputMajor = true };

        Compare(loops, All(b =>
        {
            RecurrentWeights w = loops.Weights(b);
            return Outputs(b.Recurrent(
                b.Constant(X),
                new RecurrentWeights(
                    b.Transpose(Keras(b, w.Input), [1, 0]), b.Transpose(Keras(b, w.Recurrent), [1, 0]), Keras(b, w.InputBias!),
                    Keras(b, w.RecurrentBias!)),
                options, null, b.Constant(loops.InitialHidden), b.Constant(loops.InitialCell)));
        }));

        static Node Keras(GraphBuilder b, Node iofc)
        {
            Node[] gates = b.Split(iofc, [Hidden, Hidden, Hidden, Hidden]);
            return b.Concatenate([gates[0], gates[2], gates[3], gates[1]], 0);
        }
    }

    [Test]
    public void CouplingAndClippingChangeTheGates()
    {
        var loops = new PlainLoops(RecurrentCell.Lstm, X, [4, 4], false) { InputForget = true, Clip = 0.1 };
        var options = new RecurrentOptions(RecurrentCell.Lstm) { InputForget = true, Clip = 0.1 };

        Compare(loops, All(b => Outputs(b.Recurrent(
            b.Constant(X), loops.Weights(b), options, null, b.Constant(loops.InitialHidden), b.Constant(loops.InitialCell)))));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void TwoDirectionsAreTwoLayersSideBySide(bool batchFirst)
    {
        var forward = new PlainLoops(RecurrentCell.Lstm, X, [4, 2], false);
        var backward = new PlainLoops(RecurrentCell.Lstm, X, [4, 2], true, seed: 50);
        Literal[] y = All(b =>
        {
            RecurrentWeights[] w = [forward.Weights(b), backward.Weights(b)];
            Node Stacked(Func<RecurrentWeights, Node> part) => b.Stack([part(w[0]), part(w[1])]);
            var options = new RecurrentOptions(RecurrentCell.Lstm);
            return Outputs(b.StackedRecurrent(
                batchFirst ? b.Transpose(b.Constant(X), [1, 0, 2]) : b.Constant(X),
                Stacked(p => p.Input), Stacked(p => p.Recurrent),
                Stacked(p => b.Concatenate([p.InputBias!, p.RecurrentBias!], 0)),
                [options, options], RecurrentDirection.Bidirectional, b.Constant(Lengths),
                b.Stack([b.Constant(forward.InitialHidden), b.Constant(backward.InitialHidden)], batchFirst ? 1 : 0),
                b.Stack([b.Constant(forward.InitialCell), b.Constant(backward.InitialCell)], batchFirst ? 1 : 0),
                batchFirst: batchFirst));
        });

        (double[] Sequence, double[] Hidden, double[] Cell)[] expected = [forward.Run(), backward.Run()];
        Literal sequence = y[0];
        Assert.That(sequence.Shape, Is.EqualTo(batchFirst ? Shape.Of(Batch, Steps, 2, Hidden) : Shape.Of(Steps, 2, Batch, Hidden)));
        foreach (long[] at in IndexSpace.Of([Steps, 2, Batch, Hidden]))
        {
            double want = expected[at[1]].Sequence[(((at[0] * Batch) + at[2]) * Hidden) + at[3]];
            long[] place = batchFirst ? [at[2], at[0], at[1], at[3]] : at;
            Assert.That(sequence[place].AsDouble, Is.EqualTo(want).Within(1e-5));
            long[] last = batchFirst ? [at[2], at[1], at[3]] : [at[1], at[2], at[3]];
            Assert.That(y[2][last].AsDouble, Is.EqualTo(expected[at[1]].Cell[(at[2] * Hidden) + at[3]]).Within(1e-5));
        }
    }

    [Test]
    public void TheInputsPartIsComputedInFrontOfTheLoopForAnyLength()
    {
        var b = new GraphBuilder();
        Node x = b.Parameter(0, new TensorType(DType.F32, [Dim.Symbol("steps"), Dim.Symbol("batch"), Inputs]));
        var loops = new PlainLoops(RecurrentCell.Lstm, X, [4, 4], false);

        Node sequence = b.Recurrent(x, loops.Weights(b), new RecurrentOptions(RecurrentCell.Lstm)).Sequence;

        var loop = (WhileOp)sequence.Operands[0].Op;
        int outside = Traversal.PostOrder([sequence]).Count(n => n.Op is DotGeneralOp);
        Assert.Multiple(() =>
        {
            Assert.That(outside, Is.EqualTo(1));
            Assert.That(loop.Body.PostOrder().Count(n => n.Op is DotGeneralOp), Is.EqualTo(1));
            Assert.That(sequence.Shape.ToString(), Is.EqualTo($"[steps,batch,{Hidden}]"));
        });
    }

    private static Node[] Outputs(RecurrentResult result) =>
        result.Cell is null ? [result.Sequence, result.Hidden] : [result.Sequence, result.Hidden, result.Cell];

    private static void Compare(PlainLoops loops, Literal[] y)
    {
        (double[] sequence, double[] hidden, double[] cell) = loops.Run();
        CompositeAssert.Elements(y[0], sequence);
        CompositeAssert.Elements(y[1], hidden);
        if (y.Length > 2)
        {
            CompositeAssert.Elements(y[2], cell);
        }
    }

    /// <summary>The formulas of the ONNX specification, written with indices.</summary>
    private sealed class PlainLoops(RecurrentCell cell, Literal x, int[] lengths, bool reverse, int seed = 10)
    {
        private readonly int _gates = cell switch { RecurrentCell.Lstm => 4, RecurrentCell.Gru => 3, _ => 1 };

        public bool Peepholes { get; init; }

        public bool LinearBeforeReset { get; init; }

        public bool InputForget { get; init; }

        public double Clip { get; init; } = double.PositiveInfinity;

        public Literal InitialHidden { get; } = Noise([Batch, Hidden], seed + 1);

        public Literal InitialCell { get; } = Noise([Batch, Hidden], seed + 2);

        private Literal Input => Noise([_gates * Hidden, Inputs], seed + 3);

        private Literal Recurrent => Noise([_gates * Hidden, Hidden], seed + 4);

        private Literal InputBias => Noise([_gates * Hidden], seed + 5);

        private Literal RecurrentBias => Noise([_gates * Hidden], seed + 6);

        private Literal Peep => Noise([3 * Hidden], seed + 7);

        public RecurrentWeights Weights(GraphBuilder b) => new(
            b.Constant(Input), b.Constant(Recurrent), b.Constant(InputBias), b.Constant(RecurrentBias),
            Peepholes ? b.Constant(Peep) : null);

        public (double[] Sequence, double[] Hidden, double[] Cell) Run()
        {
            double[] h = InitialHidden.ToDoubles();
            double[] c = InitialCell.ToDoubles();
            var sequence = new double[Steps * Batch * Hidden];
            for (int batch = 0; batch < Batch; batch++)
            {
                for (int round = 0; round < lengths[batch]; round++)
                {
                    int t = reverse ? lengths[batch] - 1 - round : round;
                    (double[] newH, double[] newC) = Step(t, batch, h[(batch * Hidden)..][..Hidden], c[(batch * Hidden)..][..Hidden]);
                    newH.CopyTo(h, batch * Hidden);
                    newC.CopyTo(c, batch * Hidden);
                    newH.CopyTo(sequence, ((t * Batch) + batch) * Hidden);
                }
            }
            return (sequence, h, c);
        }

        private (double[] H, double[] C) Step(int t, int batch, double[] h, double[] c)
        {
            var nextH = new double[Hidden];
            var nextC = new double[Hidden];
            for (int j = 0; j < Hidden; j++)
            {
                double FromX(int gate) => InputBias[(gate * Hidden) + j].AsDouble + Enumerable.Range(0, Inputs).Sum(
                    k => Input[[(gate * Hidden) + j, k]].AsDouble * x[[t, batch, k]].AsDouble);
                double FromH(int gate, double[] state) => RecurrentBias[(gate * Hidden) + j].AsDouble + Enumerable.Range(0, Hidden).Sum(
                    k => Recurrent[[(gate * Hidden) + j, k]].AsDouble * state[k]);
                double FromC(int gate, double state) => Peepholes ? Peep[(gate * Hidden) + j].AsDouble * state : 0;
                if (cell == RecurrentCell.Lstm)
                {
                    double i = Sigmoid(FromX(0) + FromH(0, h) + FromC(0, c[j]));
                    double f = InputForget ? 1 - i : Sigmoid(FromX(2) + FromH(2, h) + FromC(2, c[j]));
                    nextC[j] = (f * c[j]) + (i * Math.Tanh(Clipped(FromX(3) + FromH(3, h))));
                    nextH[j] = Sigmoid(FromX(1) + FromH(1, h) + FromC(1, nextC[j])) * Math.Tanh(nextC[j]);
                }
                else if (cell == RecurrentCell.Gru)
                {
                    double z = Sigmoid(FromX(0) + FromH(0, h));
                    double[] r = [.. Enumerable.Range(0, Hidden).Select(k => Reset(t, batch, h, k))];
                    double candidate = LinearBeforeReset
                        ? FromX(2) + (r[j] * FromH(2, h))
                        : FromX(2) + FromH(2, [.. h.Zip(r, (a, b) => a * b)]);
                    nextH[j] = ((1 - z) * Math.Tanh(candidate)) + (z * h[j]);
                }
                else
                {
                    nextH[j] = Math.Tanh(FromX(0) + FromH(0, h));
                }
            }
            return (nextH, nextC);
        }

        private double Reset(int t, int batch, double[] h, int unit)
        {
            int row = Hidden + unit;
            double sum = InputBias[row].AsDouble + RecurrentBias[row].AsDouble;
            sum += Enumerable.Range(0, Inputs).Sum(k => Input[[row, k]].AsDouble * x[[t, batch, k]].AsDouble);
            return Sigmoid(sum + Enumerable.Range(0, Hidden).Sum(k => Recurrent[[row, k]].AsDouble * h[k]));
        }

        private double Sigmoid(double v) => 1 / (1 + Math.Exp(-Clipped(v)));

        private double Clipped(double v) => Math.Clamp(v, -Clip, Clip);
    }
}
