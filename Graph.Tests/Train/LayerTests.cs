using Graphene.Train;
using NUnit.Framework;
using static Graphene.Tests.Training.Reference;

namespace Graphene.Tests.Training;

/// <summary>Each layer against loops over its definition.</summary>
internal sealed class LayerTests
{
    [Test]
    public void Dense()
    {
        Literal x = Numbers(3, 4);
        (Literal y, var w) = Call(new Dense(5, Activations.Tanh, biasInitializer: Initializers.RandomNormal()), x);

        Assert.That(y.Type.ToString(), Is.EqualTo("f32[3,5]"));
        AreNear(y, at => Math.Tanh(w["bias"].At(at[1]) + Sum(4, k => x.At(at[0], k) * w["kernel"].At(k, at[1]))));
    }

    [TestCase(1, PaddingMode.Valid)]
    [TestCase(2, PaddingMode.SameUpper)]
    public void Conv1D(long stride, PaddingMode padding)
    {
        Literal x = Numbers(2, 9, 3);
        (Literal y, var w) = Call(new Conv1D(4, 3, stride, padding), x);
        long before = padding == PaddingMode.Valid ? 0 : 1;

        Assert.That(y.Shape[1].Value, Is.EqualTo(padding == PaddingMode.Valid ? 7 : 5));
        AreNear(y, at => Sum(3, k => Sum(3, c =>
            Inside(x, at[0], (at[1] * stride) + k - before, c) * w["kernel"].At(k, c, at[2]))));
    }

    [TestCase(1, PaddingMode.Valid, 1)]
    [TestCase(2, PaddingMode.SameUpper, 1)]
    [TestCase(1, PaddingMode.Valid, 2)]
    public void Conv2D(long stride, PaddingMode padding, long groups)
    {
        Literal x = Numbers(2, 6, 6, 4);
        (Literal y, var w) = Call(
            new Conv2D(6, 3, stride, padding, groups: groups, biasInitializer: Initializers.RandomNormal()), x);
        long before = padding == PaddingMode.Valid ? 0 : ((((6 + stride - 1) / stride) - 1) * stride + 3 - 6) / 2;
        long inputs = 4 / groups;

        AreNear(y, at =>
        {
            long first = at[3] / (6 / groups) * inputs;
            return w["bias"].At(at[3]) + Sum(3, i => Sum(3, j => Sum(inputs, c =>
                Inside(x, at[0], (at[1] * stride) + i - before, (at[2] * stride) + j - before, first + c) *
                w["kernel"].At(i, j, c, at[3]))));
        });
    }

    [Test]
    public void DepthwiseConv2D()
    {
        Literal x = Numbers(2, 5, 5, 3);
        (Literal y, var w) = Call(new DepthwiseConv2D(3, depthMultiplier: 2), x);

        Assert.That(y.Shape[3].Value, Is.EqualTo(6));
        AreNear(y, at => Sum(3, i => Sum(3, j =>
            x.At(at[0], at[1] + i, at[2] + j, at[3] / 2) * w["kernel"].At(i, j, at[3] / 2, at[3] % 2))));
    }

    [TestCase(2, 3, PaddingMode.Valid, 9)]
    [TestCase(2, 3, PaddingMode.SameUpper, 8)]
    [TestCase(1, 3, PaddingMode.Valid, 6)]
    [TestCase(3, 2, PaddingMode.Valid, 12)]
    public void Conv2DTranspose(long stride, long size, PaddingMode padding, long side)
    {
        Literal x = Numbers(2, 4, 4, 3);
        (Literal y, var w) = Call(new Conv2DTranspose(2, size, stride, padding), x);
        long before = padding == PaddingMode.Valid ? 0 : Math.Max(size - stride, 0) / 2;

        // Each input element spreads the kernel over the result.
        Assert.That(y.Shape[1].Value, Is.EqualTo(side));
        AreNear(y, at => Sum(size, i => Sum(size, j =>
        {
            long row = at[1] + before - i;
            long column = at[2] + before - j;
            return row % stride != 0 || column % stride != 0 || row < 0 || column < 0
                ? 0
                : Sum(3, c => Inside(x, at[0], row / stride, column / stride, c) * w["kernel"].At(i, j, at[3], c));
        })));
    }

    [Test]
    public void Poolings()
    {
        Literal x = Numbers(2, 5, 5, 3);

        AreNear(Call(new MaxPooling2D(), x).Output, at => Best(2, i => Best(2, j => x.At(at[0], (2 * at[1]) + i, (2 * at[2]) + j, at[3]))));
        AreNear(
            Call(new AveragePooling2D(3, 1), x).Output,
            at => Sum(3, i => Sum(3, j => x.At(at[0], at[1] + i, at[2] + j, at[3]))) / 9);
        AreNear(Call(new GlobalAveragePooling(), x).Output, at => Sum(5, i => Sum(5, j => x.At(at[0], i, j, at[1]))) / 25);
        AreNear(Call(new GlobalMaxPooling(), x).Output, at => Best(5, i => Best(5, j => x.At(at[0], i, j, at[1]))));
        Literal line = Numbers(2, 6, 3);
        AreNear(Call(new MaxPooling1D(), line).Output, at => Best(2, i => line.At(at[0], (2 * at[1]) + i, at[2])));
        AreNear(Call(new AveragePooling1D(), line).Output, at => Sum(2, i => line.At(at[0], (2 * at[1]) + i, at[2])) / 2);
    }

    [Test]
    public void BatchNormalizationTakesTheBatchInTrainingAndAveragesAfterwards()
    {
        Literal x = Numbers(7, 2, 3);
        (Literal y, var moved) = Call(new BatchNormalization(momentum: 0.9), x, training: true);
        double Mean(long f) => Sum(7, n => Sum(2, s => x.At(n, s, f))) / 14;
        double Variance(long f) => Sum(7, n => Sum(2, s => Math.Pow(x.At(n, s, f) - Mean(f), 2))) / 14;

        AreNear(y, at => (x.At(at) - Mean(at[2])) / Math.Sqrt(Variance(at[2]) + 1e-3));
        AreNear(moved["moving_mean"], at => 0.1 * Mean(at[0]));
        AreNear(moved["moving_variance"], at => 0.9 + (0.1 * Variance(at[0])));
        AreNear(Call(new BatchNormalization(), x).Output, at => x.At(at) / Math.Sqrt(1 + 1e-3));
    }

    [Test]
    public void LayerNormalization()
    {
        Literal x = Numbers(3, 8);
        double Mean(long n) => Sum(8, k => x.At(n, k)) / 8;
        double Variance(long n) => Sum(8, k => Math.Pow(x.At(n, k) - Mean(n), 2)) / 8;

        AreNear(
            Call(new LayerNormalization(), x).Output,
            at => (x.At(at) - Mean(at[0])) / Math.Sqrt(Variance(at[0]) + 1e-3));
    }

    [Test]
    public void EmbeddingLooksUp()
    {
        var x = Literal.From<int>([3, 0, 2, 3], 2, 2);
        (Literal y, var w) = Call(new Embedding(5, 4), x);

        Assert.That(y.Type.ToString(), Is.EqualTo("f32[2,2,4]"));
        AreNear(y, at => w["embeddings"].At((long)x.At(at[0], at[1]), at[2]), 0);
    }

    [Test]
    public void DropoutDropsInTrainingOnlyAndKeepsTheExpectation()
    {
        Literal x = Literal.Splat(new TensorType(DType.F32, [100, 50]), Scalar.One(DType.F32));

        Assert.That(Call(new Dropout(0.25), x).Output, Is.EqualTo(x));
        double[] dropped = Call(new Dropout(0.25), x, training: true).Output.ToDoubles();
        Assert.That(dropped.Distinct().Order(), Is.EqualTo(new[] { 0, 4 / 3.0 }).Within(1e-6));
        Assert.That(dropped.Average(), Is.EqualTo(1).Within(0.03)); // four deviations
    }

    [Test]
    public void LstmFollowsItsEquations()
    {
        Literal x = Numbers(2, 4, 3);
        (Literal y, var w) = Call(new LSTM(5, returnSequences: true), x);
        (Literal last, _) = Call(new LSTM(5), x);
        var h = new double[2, 5];
        var c = new double[2, 5];
        for (int step = 0; step < 4; step++)
        {
            var next = new double[2, 5];
            for (int n = 0; n < 2; n++)
            {
                double Gate(int gate, int unit) => w["bias"].At((gate * 5) + unit) +
                    Sum(3, k => x.At(n, step, k) * w["kernel"].At(k, (gate * 5) + unit)) +
                    Sum(5, k => h[n, k] * w["recurrent_kernel"].At(k, (gate * 5) + unit));
                for (int unit = 0; unit < 5; unit++)
                {
                    c[n, unit] = (Sigmoid(Gate(1, unit)) * c[n, unit]) + (Sigmoid(Gate(0, unit)) * Math.Tanh(Gate(2, unit)));
                    next[n, unit] = Sigmoid(Gate(3, unit)) * Math.Tanh(c[n, unit]);
                    Assert.That(y.At(n, step, unit), Is.EqualTo(next[n, unit]).Within(1e-6));
                }
            }
            h = next;
        }
        AreNear(last, at => h[at[0], at[1]]);
        Assert.That(w["bias"].ToDoubles()[5..10], Is.All.EqualTo(1), "the forget gate begins open");
    }

    [TestCase(true)]
    [TestCase(false)]
    public void GruFollowsItsEquations(bool resetAfter)
    {
        Literal x = Numbers(2, 3, 4);
        (Literal y, var w) = Call(new GRU(3, resetAfter: resetAfter), x);
        var h = new double[2, 3];
        for (int step = 0; step < 3; step++)
        {
            var next = new double[2, 3];
            for (int n = 0; n < 2; n++)
            {
                double In(int gate, int unit) => Sum(4, k => x.At(n, step, k) * w["kernel"].At(k, (gate * 3) + unit));
                double Back(int gate, int unit, Func<long, double> state) =>
                    Sum(3, k => state(k) * w["recurrent_kernel"].At(k, (gate * 3) + unit));
                double Old(long k) => h[n, k];
                double R(long k) => Sigmoid(In(1, (int)k) + Back(1, (int)k, Old));
                for (int unit = 0; unit < 3; unit++)
                {
                    double z = Sigmoid(In(0, unit) + Back(0, unit, Old));
                    double inner = resetAfter ? R(unit) * Back(2, unit, Old) : Back(2, unit, k => R(k) * h[n, k]);
                    next[n, unit] = (z * h[n, unit]) + ((1 - z) * Math.Tanh(In(2, unit) + inner));
                }
            }
            h = next;
        }
        AreNear(y, at => h[at[0], at[1]]);
    }

    [TestCase(false)]
    [TestCase(true)]
    public void MultiHeadAttention(bool causal)
    {
        Literal x = Numbers(2, 4, 6);
        (Literal y, var w) = Call(new MultiHeadAttention(2, 3, causal: causal), x);
        double Project(string part, long n, long s, long o) => Sum(6, k => x.At(n, s, k) * w[$"{part}/kernel"].At(k, o));
        double Head(long n, long s, long o)
        {
            long first = o / 3 * 3;
            double[] scores = [.. Enumerable.Range(0, 4).Select(t => causal && t > s
                ? 0
                : Math.Exp(Sum(3, k => Project("query", n, s, first + k) * Project("key", n, t, first + k)) / Math.Sqrt(3)))];
            return Sum(4, t => scores[t] * Project("value", n, t, o)) / scores.Sum();
        }

        AreNear(y, at => Sum(6, o => Head(at[0], at[1], o) * w["attention_output/kernel"].At(o, at[2])));
    }

    [Test]
    public void ShapesOfReshapingLayers()
    {
        Literal x = Numbers(2, 3, 4);

        Assert.That(Call(new Flatten(), x).Output.Type.ToString(), Is.EqualTo("f32[2,12]"));
        Assert.That(Call(new Graphene.Train.Reshape([6, 2]), x).Output.Type.ToString(), Is.EqualTo("f32[2,6,2]"));
        Literal twice = Call(new Concatenate(), [x, x], training: false).Outputs[0];
        Assert.That(twice.Type.ToString(), Is.EqualTo("f32[2,3,8]"));
        AreNear(Call(new Add(), [x, x, x], training: false).Outputs[0], at => 3 * x.At(at));
        AreNear(Call(new Multiply(), [x, x], training: false).Outputs[0], at => x.At(at) * x.At(at));
    }

    [Test]
    public void NamesAreKerasNames()
    {
        Assert.That(
            new Layer[]
            {
                new Dense(1), new Conv2D(1, 1), new Conv2DTranspose(1, 1), new DepthwiseConv2D(1), new MaxPooling2D(),
                new LSTM(1),
                new GRU(1), new BatchNormalization(), new MultiHeadAttention(1, 1),
            }
                .Select(l => l.Name),
            Is.EqualTo(new[]
            {
                "dense", "conv2d", "conv2d_transpose", "depthwise_conv2d", "max_pooling2d", "lstm", "gru",
                "batch_normalization",
                "multi_head_attention",
            }));
    }

    [Test]
    public void ALayerThatIsCalledTwiceHasOneSetOfWeights()
    {
        var graph = new Graph();
        var context = new LayerContext(graph, training: false);
        Tensor x = graph.Placeholder(DType.F32, ["batch", 3], "x");
        var layer = new Dense(3);
        layer.Call(context, layer.Call(context, x));

        Assert.That(layer.Weights, Has.Count.EqualTo(2));
        Assert.That(graph.Variables.Select(v => v.Name), Is.EqualTo(new[] { "dense/kernel", "dense/bias" }));
        Assert.That(
            () => layer.Call(new LayerContext(new Graph("other"), training: false), x),
            Throws.TypeOf<GraphException>().With.Property("Id").EqualTo(TrainDiagnostics.LayerInOtherGraph));
    }

    [Test]
    public void LayersOfOneKindHaveDifferentWeights()
    {
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, ["batch", 3], "x");
        foreach (string model in new[] { "a", "a" })
        {
            new Sequential(null, [new Dense(3), new Dense(3)], model).Call(new LayerContext(graph, training: false), x);
        }

        IEnumerable<Variable> kernels = graph.Variables.Where(v => v.Name.Contains("kernel", StringComparison.Ordinal));
        Assert.That(kernels.Select(v => v.InitialValue).Distinct().Count(), Is.EqualTo(4));
    }

    private static double Inside(Literal x, params long[] at) =>
        at.Zip(x.Shape).All(p => p.First >= 0 && p.First < p.Second.Value) ? x.At(at) : 0;

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    private static double Sum(long count, Func<long, double> term)
    {
        double sum = 0;
        for (long i = 0; i < count; i++)
        {
            sum += term(i);
        }
        return sum;
    }

    private static double Best(long count, Func<long, double> term) => Enumerable.Range(0, (int)count).Max(i => term(i));
}
