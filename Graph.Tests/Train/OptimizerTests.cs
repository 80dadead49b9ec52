using Graphene.Runtime;
using Graphene.Train;
using NUnit.Framework;

namespace Graphene.Tests.Training;

using Optimizer = Graphene.Train.Optimizer; // Graphene.Optimizer is a namespace

/// <summary>Optimizers against their formulas, written out in f64 for one parameter of two elements.</summary>
internal sealed class OptimizerTests
{
    private static readonly double[] Start = [1, -2];

    [Test]
    public void GradientDescent() => Check(new SGD(0.1), (w, g, _) => w - (0.1 * g));

    [TestCase(false)]
    [TestCase(true)]
    public void Momentum(bool nesterov)
    {
        var v = new double[2];
        Check(new SGD(0.1, 0.9, nesterov), (w, g, i) =>
        {
            v[i] = (0.9 * v[i]) - (0.1 * g);
            return nesterov ? w + (0.9 * v[i]) - (0.1 * g) : w + v[i];
        });
    }

    [TestCase(false, 0)]
    [TestCase(true, 0.5)]
    public void RootMeanSquare(bool centered, double momentum)
    {
        var s = new double[2];
        var a = new double[2];
        var m = new double[2];
        Check(new RMSprop(0.01, 0.8, momentum, centered: centered), (w, g, i) =>
        {
            s[i] = (0.8 * s[i]) + (0.2 * g * g);
            a[i] = (0.8 * a[i]) + (0.2 * g);
            double change = 0.01 * g / Math.Sqrt(s[i] - (centered ? a[i] * a[i] : 0) + 1e-7);
            m[i] = (momentum * m[i]) + change;
            return w - m[i];
        });
    }

    [Test]
    public void SumOfSquares()
    {
        double[] s = [0.1, 0.1];
        Check(new Adagrad(0.5), (w, g, i) => w - (0.5 * g / Math.Sqrt((s[i] += g * g) + 1e-7)));
    }

    [TestCase(0)]
    [TestCase(0.1)]
    public void AdaptiveMoments(double decay)
    {
        var m = new double[2];
        var v = new double[2];
        var t = new int[2];
        Optimizer optimizer = decay == 0 ? new Adam(0.05) : new AdamW(0.05, decay);
        Check(optimizer, (w, g, i) =>
        {
            t[i]++;
            m[i] = (0.9 * m[i]) + (0.1 * g);
            v[i] = (0.999 * v[i]) + (0.001 * g * g);
            double rate = 0.05 * Math.Sqrt(1 - Math.Pow(0.999, t[i])) / (1 - Math.Pow(0.9, t[i]));
            return w - (w * decay * 0.05) - (rate * m[i] / (Math.Sqrt(v[i]) + 1e-7));
        });
    }

    [Test]
    public void SignOfMomentum()
    {
        var m = new double[2];
        Check(new Lion(0.01), (w, g, i) =>
        {
            double mixture = (0.9 * m[i]) + (0.1 * g);
            m[i] = (0.99 * m[i]) + (0.01 * g);
            return w - (0.01 * Math.Sign(mixture));
        });
    }

    [Test]
    public void ScheduleAndStepCount()
    {
        int[] steps = new int[2];
        var optimizer = new SGD(new ExponentialDecay(0.1, 1, 0.5));
        Check(optimizer, (w, g, i) => w - (0.1 * Math.Pow(0.5, steps[i]++) * g));
        Assert.That(optimizer.LearningRateVariable, Is.Null);
    }

    [Test]
    public void ClippedByValueNormAndGlobalNorm()
    {
        double Norm(double[] g) => Math.Sqrt(g.Sum(x => x * x));
        Assert.That(Bounded(GradientClipping.ByValue(1), [3, 0.5], [-4]), Is.EqualTo(new[] { 1, 0.5, -1 }));
        double first = 2 / Norm([3, 0.5]);
        Assert.That(Bounded(GradientClipping.ByNorm(2), [3, 0.5], [1]), Is.EqualTo(new[] { 3 * first, 0.5 * first, 1 }).Within(1e-6));
        double all = 2 / Norm([3, 0.5, -4]);
        Assert.That(
            Bounded(GradientClipping.ByGlobalNorm(2), [3, 0.5], [-4]),
            Is.EqualTo(new[] { 3 * all, 0.5 * all, -4 * all }).Within(1e-6));
        Assert.That(
            Bounded(GradientClipping.ByGlobalNorm(9), [3, 0.5], [-4]),
            Is.EqualTo(new[] { 3, 0.5, -4 }), "small ones keep their bits");
    }

    [Test]
    public void GradientsOfSeveralStepsAreUsedTogether()
    {
        using var run = new Run(new SGD(0.1) { GradientAccumulationSteps = 3 });
        double[] values = [.. Enumerable.Range(0, 7).Select(_ => run.Step()[0])];

        // The gradient 2 w is that of the weight that was there for three steps.
        Assert.That(values, Is.EqualTo(new[] { 1, 1, 0.8, 0.8, 0.8, 0.64, 0.64 }).Within(1e-6));
        Assert.That(run.Session.ValueOf(run.Optimizer.Iterations!).As<long>()[0], Is.EqualTo(2));
    }

    [Test]
    public void MovingAveragesBeginAtTheFirstValue()
    {
        using var run = new Run(new SGD(0.1) { EmaMomentum = 0.9 });
        double average = 0;
        double w = 1;
        for (int i = 0; i < 4; i++)
        {
            run.Step();
            w *= 0.8;
            average = i == 0 ? w : (0.9 * average) + (0.1 * w);
        }
        Variable variable = run.Optimizer.AverageOf(run.Parameter)!;
        Assert.That(run.Session.ValueOf(variable)[0].AsDouble, Is.EqualTo(average).Within(1e-6));
    }

    [Test]
    public void AScaledLossGivesTheSameStepsAndInfinitiesAreLeftOut()
    {
        using var run = new Run(new SGD(0.1) { LossScaling = new LossScaling { InitialScale = 1024, GrowthSteps = 2 } });
        Variable scale = run.Graph.Variables.Single(v => v.Name == "SGD/loss_scale");

        Assert.That(run.Step()[0], Is.EqualTo(0.8).Within(1e-6));
        Assert.That(run.Step()[0], Is.EqualTo(0.64).Within(1e-6));
        Assert.That(run.Session.ValueOf(scale)[0].AsDouble, Is.EqualTo(2048), "two good steps double the scale");
        run.Session.Assign(scale, Literal.From([3e38f]));
        Assert.That(run.Step()[0], Is.EqualTo(0.64).Within(1e-6), "an infinite gradient changes nothing");
        Assert.That(run.Session.ValueOf(scale)[0].AsDouble, Is.EqualTo(1.5e38).Within(1e33));
        Assert.That(run.Session.ValueOf(run.Optimizer.Iterations!).As<long>()[0], Is.EqualTo(2));
    }

    [Test]
    public void StateIsVariablesThatNobodyTrains()
    {
        using var run = new Run(new Adam(0.1));
        run.Step();

        Assert.That(
            run.Graph.Variables.Where(v => !v.Trainable).Select(v => v.Name),
            Is.EquivalentTo(new[] { "Adam/iterations", "Adam/learning_rate", "w/momentum", "w/velocity" }));
        run.Session.Assign(run.Optimizer.LearningRateVariable!, Literal.From([0f]));
        Assert.That(run.Step(), Is.EqualTo(run.Step()), "the rate can be changed from outside");
    }

    private static void Check(Optimizer optimizer, Func<double, double, int, double> next)
    {
        using var run = new Run(optimizer);
        double[] w = [.. Start];
        for (int step = 0; step < 5; step++)
        {
            w = [.. w.Select((x, i) => next(x, 2 * x, i))];
            Assert.That(run.Step(), Is.EqualTo(w).Within(2e-6), $"step {step}");
        }
    }

    private static double[] Bounded(GradientClipping clipping, params double[][] gradients)
    {
        var graph = new Graph();
        Tensor[] tensors = [.. gradients.Select(g => graph.Constant(Array.ConvertAll(g, x => (float)x)))];
        using var session = new Session(graph, new ReferenceCompiler());
        return [.. session.Run([.. clipping.Apply(tensors)], []).SelectMany(l => l.ToDoubles())];
    }

    /// <summary>The loss w * w, whose gradient is 2 w, and an optimizer.</summary>
    private sealed class Run : IDisposable
    {
        private readonly Operation _step;

        public Run(Optimizer optimizer)
        {
            Optimizer = optimizer;
            Parameter = Graph.Variable(Literal.From<float>([1, -2], 2), "w");
            Tensor w = Parameter.Read();
            _step = optimizer.Minimize((w * w).ReduceSum(), [Parameter]);
            Session = new Session(Graph, new ReferenceCompiler());
        }

        public Graph Graph { get; } = new();

        public Optimizer Optimizer { get; }

        public Variable Parameter { get; }

        public Session Session { get; }

        public double[] Step()
        {
            Session.Run([], [], [_step]);
            return Session.ValueOf(Parameter).ToDoubles();
        }

        public void Dispose() => Session.Dispose();
    }
}
