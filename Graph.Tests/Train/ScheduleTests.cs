using Graphene.Runtime;
using Graphene.Train;
using NUnit.Framework;

namespace Graphene.Tests.Training;

internal sealed class ScheduleTests
{
    [Test]
    public void Decays()
    {
        Check(0.5, _ => 0.5);
        Check(new ExponentialDecay(0.1, 10, 0.5), s => 0.1 * Math.Pow(0.5, s / 10));
        Check(new ExponentialDecay(0.1, 10, 0.5, staircase: true), s => 0.1 * Math.Pow(0.5, Math.Floor(s / 10)));
        Check(new InverseTimeDecay(0.1, 10, 0.5), s => 0.1 / (1 + (0.5 * s / 10)));
        Check(new PolynomialDecay(0.1, 20, 0.01, 2), s => (0.09 * Math.Pow(1 - Math.Min(s, 20) / 20, 2)) + 0.01);
        Check(new PiecewiseConstantDecay([5, 20], [3, 2, 1]), s => s <= 5 ? 3 : s <= 20 ? 2 : 1);
    }

    [Test]
    public void Cosines()
    {
        Check(new CosineDecay(0.1, 20), s => 0.05 * (1 + Math.Cos(Math.PI * Math.Min(s, 20) / 20)));
        Check(new CosineDecay(0.1, 20, alpha: 0.1, warmupSteps: 5), s => s < 5
            ? 0.1 * (s + 1) / 5
            : (0.045 * (1 + Math.Cos(Math.PI * Math.Min(s - 5, 20) / 20))) + 0.01);
    }

    [Test]
    public void Warmup() => Check(
        new ExponentialDecay(0.1, 10, 0.5).WithWarmup(4), s => s < 4 ? 0.1 * (s + 1) / 4 : 0.1 * Math.Pow(0.5, (s - 4) / 10));

    private static void Check(Schedule schedule, Func<double, double> expected)
    {
        var graph = new Graph();
        Tensor step = graph.Placeholder(DType.F32, [], "step");
        Tensor value = schedule.At(step);
        Assert.That(value.Type.ToString(), Is.EqualTo("f32[]"));
        using var session = new Session(graph, new ReferenceCompiler());
        for (int s = 0; s < 30; s += 3)
        {
            double actual = session.Run([value, step], [(step, (float)s)])[0][0].AsDouble;
            Assert.That(actual, Is.EqualTo(expected(s)).Within(1e-6), $"step {s}");
        }
    }
}
