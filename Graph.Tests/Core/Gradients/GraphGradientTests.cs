using Graphene.Tests.Core.Authoring;
using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core.Gradients;

/// <summary>Gradients as users ask for them: of tensors and variables, in graphs, bodies and frozen parts.</summary>
internal sealed class GraphGradientTests
{
    [Test]
    public void AGradientIsATensor()
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F32, [], "x");
        Tensor y = x * x * x;

        Tensor slope = g.Gradient(y, x);
        Tensor curvature = g.Gradient(slope, x);
        Tensor third = g.Gradient(curvature, x);

        var session = new TestSession(g);
        Assert.That(session.Scalar(slope, (x, F32([], 2))), Is.EqualTo(12));
        Assert.That(session.Scalar(curvature, (x, F32([], 2))), Is.EqualTo(12));
        Assert.That(session.Scalar(third, (x, F32([], 2))), Is.EqualTo(6));
    }

    [Test]
    public void ALinearLayerOverASymbolicBatch()
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F32, ["batch", 2], "x");
        Variable weights = g.Variable(F32([2, 3], 1, 2, 3, 4, 5, 6), "weights");
        Variable bias = g.Variable(F32([3], 0, 0, 0), "bias");
        Tensor y = x.MatMul(weights.Read()) + bias.Read();
        Tensor loss = y.ReduceSum();

        Tensor[] gradients = g.Gradients(loss, [weights, bias]);

        Literal[] values = new TestSession(g).Run(gradients, [(x, F32([4, 2], 1, 2, 3, 4, 5, 6, 7, 8))]);
        Assert.That(gradients.Select(t => t.Type), Is.EqualTo(new[] { weights.Type, bias.Type }));
        Assert.That(values[0].As<float>().ToArray(), Is.EqualTo(new float[] { 16, 16, 16, 20, 20, 20 }));
        Assert.That(values[1].As<float>().ToArray(), Is.EqualTo(new float[] { 4, 4, 4 }));
    }

    [Test]
    public void AllReadsOfAVariableCount()
    {
        var g = new Graph();
        Variable v = g.Variable(F32([], 3), "v");
        Tensor first = v.Read();
        Operation twice = v.Assign(first * 2);
        Tensor second = v.Read();
        Tensor loss = (first * 10) + (second * second);

        Tensor gradient = g.Gradients(loss, [v])[0];

        // 10 from the read before the assignment, 2 * 6 from the one behind it: nothing flows through the assignment.
        Literal[] values = new TestSession(g).Run([gradient], null, [twice]);
        Assert.That(values[0][0].AsDouble, Is.EqualTo(22));
    }

    [Test]
    public void CotangentsWeighTheResults()
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F32, [2], "x");
        Tensor weights = g.Constant(new[] { 10f, 100f });

        Tensor gradient = g.Gradients([x * x, x], [x], [weights, null])[0];

        Literal value = new TestSession(g).Run([gradient], [(x, F32([2], 1, 2))])[0];
        Assert.That(value.As<float>().ToArray(), Is.EqualTo(new float[] { 21, 401 }));
    }

    [Test]
    public void StoppedTensorsAreConstants()
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F32, [], "x");
        Tensor square = x * x;

        Tensor marked = g.Gradient(square.StopGradient() * x, x);
        Tensor listed = g.Gradients([square * x], [x], stopGradients: [square])[0];

        var session = new TestSession(g);
        Assert.That(session.Scalar(marked, (x, F32([], 3))), Is.EqualTo(9));
        Assert.That(session.Scalar(listed, (x, F32([], 3))), Is.EqualTo(9));
    }

    [Test]
    public void StoppedTensorsThatAreAskedForGetPartialDerivatives()
    {
        var g = new Graph();
        Tensor a = g.Placeholder(DType.F32, [], "a");
        Tensor b = a * 2;

        Tensor[] gradients = g.Gradients([a + b], [a, b], stopGradients: [a, b]);

        Literal[] values = new TestSession(g).Run(gradients, [(a, F32([], 3))]);
        Assert.That(values.Select(v => v[0].AsDouble), Is.EqualTo(new double[] { 1, 1 }));
    }

    [Test]
    public void TensorsOnTheWayCanBeDifferentiatedBy()
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F32, [], "x");
        Tensor u = x * 3;
        Tensor y = u * u;

        Tensor[] gradients = g.Gradients([y], [u, x]);

        Literal[] values = new TestSession(g).Run(gradients, [(x, F32([], 2))]);
        Assert.That(values.Select(v => v[0].AsDouble), Is.EqualTo(new double[] { 12, 36 }));
    }

    [Test]
    public void WhatIsNotConnectedIsAnErrorOrZeroOrNull()
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F32, [], "x");
        Tensor other = g.Placeholder(DType.F32, [2], "other");
        Tensor y = x * 2;

        GraphException? error = Assert.Throws<GraphException>(() => g.Gradients([y], [other]));
        Assert.That(error!.Id, Is.EqualTo(DiagnosticId.Unconnected));
        Assert.That(error.Message, Does.Contain("'other'"));
        Tensor zeros = g.Gradients([y], [other], unconnected: Unconnected.Zero)[0];
        Assert.That(zeros.Type, Is.EqualTo(other.Type));
        Assert.That(g.GradientsOrNull([y], [other, x])[0], Is.Null);
        GraphException? flat = Assert.Throws<GraphException>(() => g.Gradients([x.Floor()], [x]));
        Assert.That(flat!.Message, Does.Contain("floor"));
    }

    [Test]
    public void OnlyFloatingValuesHaveGradients()
    {
        var g = new Graph();
        Tensor n = g.Placeholder(DType.I32, [], "n");
        Tensor x = g.Placeholder(DType.F32, [], "x");

        Assert.That(() => g.Gradient(n.Cast(DType.F32) * x, n), Refuses(DiagnosticId.NotFloating));
        Assert.That(() => g.Gradient(x.Greater(0), x), Refuses(DiagnosticId.NotFloating));
        Assert.That(
            () => g.Gradients([x], [x], [g.Constant(new[] { 1f, 2f })]), Refuses(DiagnosticId.BadCotangent));
    }

    [TestCase(3f, 2 * 3 * 5f)]
    [TestCase(-3f, -1f)]
    public void BranchesWithCapturedTensors(float value, float expected)
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F32, [], "x");
        Variable factor = g.Variable(F32([], 5), "factor");
        Tensor y = g.Cond(x.Greater(0), () => x * x * factor.Read(), () => -x);

        Tensor slope = g.Gradient(y, x);

        Assert.That(new TestSession(g).Scalar(slope, (x, F32([], value))), Is.EqualTo(expected));
        Tensor byFactor = g.Gradients(y, [factor])[0];
        Assert.That(new TestSession(g).Scalar(byFactor, (x, F32([], value))), Is.EqualTo(value > 0 ? 9 : 0));
    }

    [Test]
    public void ALoopWithARuntimeTripCount()
    {
        var g = new Graph();
        Tensor n = g.Placeholder(DType.I32, [], "n");
        Tensor x = g.Placeholder(DType.F32, [], "x");
        Tensor power = g.While([g.Constant(0), g.Constant(1f)], p => p[0].Less(n), p => [p[0] + 1, p[1] * x])[1];

        Tensor slope = g.Gradient(power, x);

        var session = new TestSession(g);
        foreach (int count in new[] { 0, 1, 5 })
        {
            Assert.That(
                session.Scalar(slope, (n, I32([], count)), (x, F32([], 2))), Is.EqualTo(count * Math.Pow(2, count - 1)), $"{count}");
        }
    }

    [Test]
    public void AGradientInsideABody()
    {
        var g = new Graph();
        Tensor start = g.Placeholder(DType.F64, [], "start");

        // Ten steps of Newton's method for x^3 = 8.
        Tensor root = g.While(
            [g.Constant(0), start],
            p => p[0].Less(10),
            p =>
            {
                Tensor y = (p[1] * p[1] * p[1]) - 8;
                return [p[0] + 1, p[1] - (y / g.Gradient(y, p[1]))];
            })[1];

        Assert.That(new TestSession(g).Scalar(root, (start, Literal.From<double>([5.0]))), Is.EqualTo(2).Within(1e-12));
    }

    [Test]
    public void PrintedTensorsPassGradientsOn()
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F32, [], "x");

        Tensor slope = g.Gradient(x.Print("x is") * x, x);

        Assert.That(new TestSession(g).Scalar(slope, (x, F32([], 4))), Is.EqualTo(8));
    }

    [Test]
    public void EffectsOfABranchAreNotRepeated()
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F32, [], "x");
        Tensor y = g.Cond(
            x.Greater(0),
            () =>
            {
                g.Print("positive", [x]);
                return x * x;
            },
            () => x);

        Module module = g.ToModule([y, g.Gradient(y, x)]);

        Assert.That(Verifier.Check(module), Is.Empty);
        Assert.That(module.Entry.Effects, Has.Length.EqualTo(1));
    }

    private static NUnit.Framework.Constraints.Constraint Refuses(DiagnosticId id) =>
        Throws.InstanceOf<GraphException>().With.Property(nameof(GraphException.Id)).EqualTo(id);
}
