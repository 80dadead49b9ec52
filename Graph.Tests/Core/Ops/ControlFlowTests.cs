using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core.Ops;

internal sealed class ControlFlowTests
{
    private static readonly TensorType ScalarType = TensorType.Scalar(DType.F32);

    [TestCase(true, 9)]
    [TestCase(false, 6)]
    public void IfRunsOneBranch(bool predicate, float expected)
    {
        Literal y = One(b =>
        {
            Node x = b.Constant(DType.F32, 3);
            return b.If(b.Constant(Scalar.FromBool(predicate)), [x], Unary(ElementwiseTable.Multiply), Unary(ElementwiseTable.Add))[0];
        });

        Assert.That(y[0].AsDouble, Is.EqualTo(expected));
    }

    [TestCase(0, 9)]
    [TestCase(1, 6)]
    [TestCase(2, 0)]
    [TestCase(-1, 0)]
    [TestCase(7, 0)]
    public void CaseRunsTheNumberedBranchAndTheLastForAnyOtherNumber(int number, float expected)
    {
        Computation[] cases =
            [Unary(ElementwiseTable.Multiply), Unary(ElementwiseTable.Add), Unary(ElementwiseTable.Subtract)];

        Literal y = One(b => b.Case(b.Constant(DType.I32, number), [b.Constant(DType.F32, 3)], cases)[0]);

        Assert.That(y[0].AsDouble, Is.EqualTo(expected));
    }

    [Test]
    public void WhileRunsUntilItsConditionFails()
    {
        var condition = new GraphBuilder();
        Computation isFinite = condition.Build(
            "finite", [condition.IsFinite(condition.Parameter(0, ScalarType))]);

        Literal y = One(b => b.While([b.Constant(DType.F32, 2)], isFinite, Unary(ElementwiseTable.Multiply))[0]);

        Assert.That(y[0].AsDouble, Is.EqualTo(double.PositiveInfinity));
    }

    [Test]
    public void ALoopThatNeedNotRunGivesItsInitialValues()
    {
        var condition = new GraphBuilder();
        condition.Parameter(0, ScalarType);
        Computation never = condition.Build("never", [condition.Constant(Scalar.FromBool(false))]);

        Assert.That(
            One(b => b.While([b.Constant(DType.F32, 5)], never, Unary(ElementwiseTable.Add))[0])[0].AsDouble, Is.EqualTo(5));
    }

    [Test]
    public void BranchesOfDifferentTypesAreRefused()
    {
        var other = new GraphBuilder();
        Node x = other.Parameter(0, ScalarType);
        Computation wide = other.Build("wide", [other.BroadcastInDim(x, Shape.Of(2), [])]);
        var b = new GraphBuilder();

        GraphException error = Assert.Throws<GraphException>(() => b.If(
            b.Constant(Scalar.FromBool(true)), [b.Constant(DType.F32, 3)], Unary(ElementwiseTable.Add), wide))!;

        Assert.That(error.Message, Does.StartWith("GR1008 if: branches return different types: (f32[]) and (f32[2])"));
    }

    [Test]
    public void APredicateThatIsNoScalarIsRefused()
    {
        var b = new GraphBuilder();

        GraphException error = Assert.Throws<GraphException>(() => b.If(
            b.Constant(DType.F32, 1), [b.Constant(DType.F32, 3)], Unary(ElementwiseTable.Add), Unary(ElementwiseTable.Add)))!;

        Assert.That(error.Id, Is.EqualTo(DiagnosticId.BadPredicate));
    }

    // x => fn(x, x)
    private static Computation Unary(ElementwiseFn fn)
    {
        var b = new GraphBuilder();
        Node x = b.Parameter(0, ScalarType);
        return b.Build(fn.Name, [b.Elementwise(fn, x, x)]);
    }
}
