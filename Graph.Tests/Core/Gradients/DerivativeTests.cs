using Graphene.Tests.Core.Authoring;
using Graphene.Tests.Support;
using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core.Gradients;

/// <summary>Forward mode, products with Hessians, Jacobians, custom gradients, checkpoints, rows of tables.</summary>
internal sealed class DerivativeTests
{
    [Test]
    public void DerivativesAlongADirection()
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F32, [2], "x");
        Tensor y = g.Placeholder(DType.F32, [2], "y");
        Tensor direction = g.Constant(new[] { 1f, 10f });

        Tensor[] found = g.Jvp([x * y, x.Floor()], [x], [direction]);

        Literal[] values = new TestSession(g).Run(found, [(x, F32([2], 1, 2)), (y, F32([2], 3, 4))]);
        Assert.That(values[0].As<float>().ToArray(), Is.EqualTo(new float[] { 3, 40 }));
        Assert.That(values[1].As<float>().ToArray(), Is.EqualTo(new float[] { 0, 0 }));
    }

    [Test]
    public void HessianProductsAndHessians()
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F64, [2], "x");
        Tensor y = (x * x * x).ReduceSum() + (x.SliceAxis(0, 0, 1) * x.SliceAxis(0, 1, 2)).ReduceSum();
        Tensor vector = g.Constant(new[] { 1.0, 2.0 });

        Tensor product = g.HessianVectorProduct(y, [x], [vector])[0];
        Tensor hessian = g.Hessian(y, x);

        Literal[] values = new TestSession(g).Run([product, hessian], [(x, Literal.From<double>([3, 5], 2))]);
        Assert.That(values[1].Shape, Is.EqualTo(Shape.Of(2, 2)));
        Assert.That(values[1].As<double>().ToArray(), Is.EqualTo(new double[] { 18, 1, 1, 30 }));
        Assert.That(values[0].As<double>().ToArray(), Is.EqualTo(new double[] { 20, 61 }));
    }

    [Test]
    public void AJacobianOverASymbolicDimension()
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F64, ["n"], "x");
        Tensor y = x * x.ReduceSum();

        Tensor jacobian = g.Jacobian(y, x);

        // d (x_i * sum) / d x_j = sum where i = j, plus x_i.
        Literal value = new TestSession(g).Run([jacobian], [(x, Literal.From<double>([1, 2, 3], 3))])[0];
        Assert.That(value.As<double>().ToArray(), Is.EqualTo(new double[] { 7, 1, 1, 2, 8, 2, 3, 3, 9 }));
    }

    [Test]
    public void AFunctionWithAGradientOfItsOwn()
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F64, [], "x");
        Tensor factor = g.Placeholder(DType.F64, [], "factor");

        // A step function whose gradient is that of a line, times the factor.
        Tensor y = g.CustomGradient([x], p => [p[0].Floor() * factor], (p, _, d) => [d[0] * factor * p[0]])[0];
        Tensor slope = g.Gradient(y * y, x);
        Tensor along = g.Jvp([y], [x], [g.Constant(3.0)])[0];

        var session = new TestSession(g);
        (Tensor, Literal)[] feeds = [(x, Literal.From<double>([2.5])), (factor, Literal.From<double>([10.0]))];
        Assert.That(session.Scalar(slope, feeds), Is.EqualTo(2 * 20 * 10 * 2.5));
        Assert.That(session.Scalar(along, feeds), Is.EqualTo(3 * 10 * 2.5));
        Assert.That(session.Scalar(g.Gradient(slope, x), feeds), Is.EqualTo(2 * ((10 * 2.5 * 10 * 2.5) + (20 * 10))));
        Assert.That(
            () => g.Gradient(y, factor), Throws.InstanceOf<GraphException>(), "what is captured counts as a constant");
    }

    [Test]
    public void ACustomGradientMustFit()
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F32, [2], "x");

        Assert.That(() => g.CustomGradient([x], p => [p[0]], (_, _, _) => []), Refuses());
        Assert.That(() => g.CustomGradient([x], p => [p[0]], (_, _, d) => [d[0].ReduceSum()]), Refuses());
        Assert.That(
            () => g.CustomGradient(
                [x],
                p =>
                {
                    g.Print("x", [p[0]]);
                    return [p[0]];
                },
                (_, _, d) => [d[0]]),
            Refuses());

        static NUnit.Framework.Constraints.Constraint Refuses() => Throws.InstanceOf<GraphException>()
            .With.Property(nameof(GraphException.Id)).EqualTo(DiagnosticId.BadCustomGradient);
    }

    [TestCase(Recompute.Everything, 3)]
    [TestCase(Recompute.AllButProducts, 2)]
    public void ACheckpointIsComputedAgain(Recompute recompute, int products)
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F64, [2, 2], "x");
        Variable w = g.Variable(Noise([2, 2], 1, DType.F64), "w");
        Tensor Layers(Tensor input) => input.MatMul(w.Read()).Tanh().MatMul(w.Read()).Tanh();

        Tensor kept = g.Gradients(Layers(x).ReduceSum(), [w])[0];
        Tensor again = g.Gradients(g.Checkpoint(() => Layers(x), recompute).ReduceSum(), [w])[0];

        Literal[] values = new TestSession(g).Run([kept, again], [(x, Noise([2, 2], 2, DType.F64))]);
        LiteralAssert.AreClose(values[1], values[0], 1e-12, 1e-12, "recomputed");

        // Three products belong to the gradient itself; two make the result, and the first of them is computed again or not.
        Module module = g.ToModule([again]);
        Assert.That(CountProducts(module.Entry) - 3, Is.EqualTo(products), Printer.Print(module));
    }

    [Test]
    public void ATableHasAGradientOfRows()
    {
        var g = new Graph();
        Variable table = g.Variable(F32([4, 2], 1, 2, 3, 4, 5, 6, 7, 8), "table");
        Tensor numbers = g.Placeholder(DType.I32, [2, 2], "numbers");
        Tensor rows = table.Read().Gather(numbers);
        Tensor loss = (rows * rows).ReduceSum() + table.Read().Gather(g.Constant(new[] { 3 })).ReduceSum();

        IndexedSlices? slices = g.IndexedGradient(loss, table);
        Tensor dense = g.Gradients(loss, [table])[0];

        Assert.That(slices, Is.Not.Null);
        Assert.That(slices!.Values.Shape, Is.EqualTo(Shape.Of(5, 2)));
        Tensor difference = slices.ToDense() - dense;
        Operation step = table.AssignAdd(slices.WithValues(slices.Values * -0.5));
        Tensor after = table.Read();
        Literal[] values = new TestSession(g).Run([difference, after], [(numbers, I32([2, 2], 0, 2, 2, 0))], [step]);
        Assert.That(values[0].As<float>().ToArray(), Has.All.EqualTo(0));
        Assert.That(values[1].As<float>().ToArray(), Is.EqualTo(new float[] { -1, -2, 3, 4, -5, -6, 6.5f, 7.5f }));
        Assert.That(g.IndexedGradient((table.Read() * 2).ReduceSum(), table), Is.Null, "all rows are used");
    }

    [Test]
    public void RowsThatOccurTwiceCanBeCombined()
    {
        var g = new Graph();
        Variable table = g.Variable(F32([5, 1], 1, 2, 3, 4, 5), "table");
        Tensor numbers = g.Placeholder(DType.I32, ["n"], "numbers");
        Tensor rows = table.Read().Gather(numbers);
        IndexedSlices slices = g.IndexedGradient((rows * rows).ReduceSum(), table)!;

        IndexedSlices combined = slices.Combined();

        Literal[] values = new TestSession(g).Run(
            [combined.Indices, combined.Values, combined.ToDense() - slices.ToDense()], [(numbers, I32([5], 4, 0, 4, 2, 0))]);
        Assert.That(values[0].As<long>().ToArray(), Is.EqualTo(new long[] { 0, 2, 4, 5, 5 }));
        Assert.That(values[1].As<float>().ToArray(), Is.EqualTo(new float[] { 4, 6, 20, 0, 0 }));
        Assert.That(values[2].As<float>().ToArray(), Has.All.EqualTo(0));
    }

    [Test]
    public void AStepOfAStepIsDifferentiated()
    {
        // The outer gradient of a loss behind an inner gradient step, as in MAML, against differences.
        var g = new Graph();
        Tensor w = g.Placeholder(DType.F64, [3], "w");
        Tensor data = g.Constant(new[] { 0.3, -1.2, 0.8 });
        Tensor Loss(Tensor weights) => ((weights * data).Tanh() - 0.5).Square().ReduceSum();
        Tensor adapted = w - (g.Gradient(Loss(w), w) * 0.1);
        Tensor outer = Loss(adapted);
        Tensor gradient = g.Gradient(outer, w);
        var session = new TestSession(g);
        double[] at = [0.5, 0.1, -0.7];

        double[] found = session.Run([gradient], [(w, Literal.From<double>(at, 3))])[0].ToDoubles();

        for (int i = 0; i < at.Length; i++)
        {
            double expected = (Outer(i, 1e-5) - Outer(i, -1e-5)) / 2e-5;
            Assert.That(found[i], Is.EqualTo(expected).Within(1e-8));
        }

        double Outer(int element, double step)
        {
            double[] moved = [.. at];
            moved[element] += step;
            return session.Scalar(outer, (w, Literal.From<double>(moved, 3)));
        }
    }

    [Test]
    public void WhatStandsInTheWayIsListedWithItsPath()
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F32, [3], "x");
        Tensor unused = g.Placeholder(DType.F32, [], "unused");
        Tensor y = g.While(
            [g.Constant(0), x],
            p => p[0].Less(3),
            p => [p[0] + 1, (p[1] * 2).CumSum(0)])[1].Exp();
        Tensor scattered = x.Gather(g.Constant(new[] { 2, 0 }));

        Assert.That(g.CheckDifferentiable(y, [x]), Is.Empty);
        IReadOnlyList<GradientObstacle> obstacles = g.CheckDifferentiable(scattered * 2, [x, unused]);
        Assert.That(obstacles, Has.Count.EqualTo(1));
        Assert.That(obstacles[0].Id, Is.EqualTo(DiagnosticId.Unconnected));
        Assert.That(obstacles[0].Reason, Does.Contain("'unused'"));
    }

    [Test]
    public void RefusalsNameTheWayToThem()
    {
        var b = new GraphBuilder();
        Node x = b.Parameter(0, new TensorType(DType.F32, Shape.Of(2)));
        Node call = b.CustomCall("solve", [b.Exponential(x)], [x.Type]);
        GradientObstacle obstacle = GradientObstacles.Find([b.Negate(b.Add(call, x))], [x]).Single();

        Assert.That(obstacle.Id, Is.EqualTo(DiagnosticId.NotDifferentiable));
        Assert.That(
            obstacle.Path.Select(p => p[..p.IndexOf('(', StringComparison.Ordinal)]), Is.EqualTo(new[] { "negate", "add", "custom_call" }));
        Assert.That(obstacle.ToString(), Does.Contain("through custom_call"));
    }

    private static int CountProducts(Computation computation) => computation.PostOrder().Sum(
        n => (n.Op is DotGeneralOp ? 1 : 0) + n.Op.Computations.Sum(CountProducts));
}
