using System.Collections.Immutable;
using Graphene.Optimizer;
using NUnit.Framework;

namespace Graphene.Tests.Optimizer;

/// <summary>Schedules and buffers: executed on real memory, with as little memory and as few copies as a person would use.</summary>
[TestFixture]
public sealed class MemoryPlanTests
{
    private static readonly TensorType Vector = new(DType.F32, Shape.Of(64));
    private static readonly TensorType Number = TensorType.Scalar(DType.I32);

    [Test]
    public void ChainNeedsTwoTemporariesAtMost()
    {
        MemoryPlan plan = PlanOf(b =>
        {
            Node x = b.Parameter(0, Vector);
            for (int i = 0; i < 10; i++)
            {
                x = Matrix(b, x);
            }
            return [x];
        });
        Assert.That(plan.Pack(_ => 0).SizeInBytes, Is.EqualTo(2 * 256));
    }

    [Test]
    public void ElementwiseChainRunsInTheResult()
    {
        MemoryPlan plan = PlanOf(
            b => [b.Negate(b.Exponential(b.Negate(b.Parameter(0, Vector))))], fuse: true, new() { MaxFusionSize = 1 });
        Assert.That(plan.Pack(_ => 0).SizeInBytes, Is.Zero);
        Assert.That(plan.Entry.Steps.Cast<RunStep>().SelectMany(s => s.Results).Distinct().Count(), Is.EqualTo(1));
    }

    [Test]
    public void ReshapeIsTheSameBuffer()
    {
        MemoryPlan plan = PlanOf(b => [b.ReduceSum(b.Reshape(Matrix(b, b.Parameter(0, Vector)), Shape.Of(8, 8)), [1])]);
        Assert.That(plan.Buffers.Count(b => b.Kind == BufferKind.Temporary), Is.EqualTo(1));
    }

    [Test]
    public void ParameterConstantAndTwiceTheSameValueAsResults()
    {
        MemoryPlan plan = PlanOf(b =>
        {
            Node x = b.Parameter(0, Vector);
            Node y = b.Negate(x);
            return [x, y, y, b.Constant(Literal.From<float>([1, 2, 3], 3))];
        });
        Assert.That(PlanInterpreter.Copies, Is.EqualTo(3));
    }

    [Test]
    public void CountingLoopCopiesNothingPerRound()
    {
        MemoryPlan plan = PlanOf(b => Loop(b, [b.Negate(b.Parameter(0, Vector))], (body, x) => [body.Negate(x[0])]));
        Assert.That(LoopOf(plan).Body.Steps, Has.None.InstanceOf<CopyStep>());
        Assert.That(PlanInterpreter.Copies, Is.EqualTo(1), "only the counter's constant 0 is copied in");
    }

    [Test]
    public void InvariantOfALoopIsNeverCopied()
    {
        MemoryPlan plan = PlanOf(b => Loop(
            b, [b.Negate(b.Parameter(0, Vector)), b.Parameter(1, Vector)], (body, x) => [body.Add(x[0], x[1]), x[1]]));
        Assert.That(LoopOf(plan).Carried[2], Is.EqualTo(plan.Entry.Parameters[1]));
    }

    [Test]
    public void LoopThatSwapsNeedsATemporary()
    {
        PlanOf(b => Loop(b, [b.Parameter(0, Vector), b.Parameter(1, Vector)], (_, x) => [x[1], x[0]]));
        Assert.That(PlanInterpreter.Copies, Is.EqualTo(3 + (5 * 3)), "three copies in, and three per swap");
    }

    [Test]
    public void FibonacciReadsTheOldValueBeforeItIsOverwritten() =>
        PlanOf(b => Loop(b, [b.Parameter(0, Vector), b.Parameter(1, Vector)], (body, x) => [x[1], body.Add(x[0], x[1])]));

    [Test]
    public void NestedLoopsShareTheAccumulator()
    {
        MemoryPlan plan = PlanOf(b => Loop(b, [b.Negate(b.Parameter(0, Vector))], (body, x) =>
            [Loop(body, [x[0]], (inner, y) => [inner.Negate(y[0])])[1]]));
        WhileStep outer = LoopOf(plan);
        WhileStep nested = outer.Body.Steps.OfType<WhileStep>().Single();
        Assert.That(nested.Carried[1], Is.EqualTo(outer.Carried[1]));
        Assert.That(outer.Body.Steps.OfType<CopyStep>().Count(), Is.EqualTo(1), "only the inner counter starts again");
    }

    [Test]
    public void BranchesWriteTheResultOfTheConditional()
    {
        MemoryPlan plan = PlanOf(b =>
        {
            Node x = b.Parameter(0, Vector);
            Node isPositive = b.Greater(b.Parameter(1, Number), b.Constant(DType.I32, 0));
            return b.If(isPositive, [x], Body(c => [c.Negate(c.Parameter(0, Vector))]), Body(c => [c.Parameter(0, Vector)]));
        });
        BranchStep step = plan.Entry.Steps.OfType<BranchStep>().Single();
        Assert.That(step.Branches[0].Steps, Has.None.InstanceOf<CopyStep>());
        Assert.That(step.Branches[1].Steps, Has.One.InstanceOf<CopyStep>());
    }

    [Test]
    public void DonatedParameterIsUpdatedInPlace()
    {
        MemoryPlan plan = PlanOf(
            b =>
            {
                Node w = b.Parameter(0, Vector);
                return [b.Add(w, b.Parameter(1, Vector))];
            },
            fuse: true, options: null,
            new MemoryPlanOptions { Donations = ImmutableDictionary<int, int>.Empty.Add(0, 0) });
        Assert.That(plan.Entry.Results[0], Is.EqualTo(plan.Entry.Parameters[0]));
        Assert.That(plan.Entry.Steps, Has.None.InstanceOf<CopyStep>());
    }

    [Test]
    public void DonatedParameterThatIsReadLaterIsCopiedAtTheEnd() => PlanOf(
        b =>
        {
            Node w = b.Parameter(0, Vector);
            return [Matrix(b, w), w];
        },
        fuse: true, options: null,
        new MemoryPlanOptions { Donations = ImmutableDictionary<int, int>.Empty.Add(0, 0) });

    [Test]
    public void WorkspaceLivesDuringItsStepOnly()
    {
        var options = new MemoryPlanOptions { Workspaces = node => node.Op is FusionOp { Kind: FusionKind.Dot } ? [4096] : [] };
        MemoryPlan plan = PlanOf(b => [Matrix(b, Matrix(b, Matrix(b, b.Parameter(0, Vector))))], true, null, options);
        Assert.That(plan.Pack(_ => 0).SizeInBytes, Is.EqualTo(4096 + 256 + 256));
    }

    [Test]
    public void SizesFollowTheSymbols()
    {
        Dim batch = Dim.Symbol("batch", 1, 512);
        Module module = Optimizing.ModuleOf(b =>
        {
            Node x = b.Parameter(0, new TensorType(DType.F32, [batch, 64]));
            Node w = b.Parameter(1, new TensorType(DType.F32, Shape.Of(64, 64)));
            return [b.Dot(b.Dot(x, w), w)];
        });
        MemoryPlan plan = BufferAssigner.Assign(Optimizing.Run(new Fusion(), module));
        Assert.That(plan.Pack(_ => 1).SizeInBytes, Is.EqualTo(256));
        Assert.That(plan.Pack(_ => 7).SizeInBytes, Is.EqualTo(7 * 256));
        MemoryPlanChecker.Check(plan, _ => 7);
    }

    private static Node Matrix(GraphBuilder b, Node x) =>
        b.Dot(x, b.Constant(Optimizing.Random(new TensorType(DType.F32, Shape.Of(64, 64)), 3)));

    private static WhileStep LoopOf(MemoryPlan plan) => plan.Entry.Steps.OfType<WhileStep>().Single();

    private static Computation Body(Func<GraphBuilder, IReadOnlyList<Node>> build)
    {
        var b = new GraphBuilder();
        return b.Build("branch", build(b));
    }

    // Five rounds; result 0 is the counter.
    private static Node[] Loop(GraphBuilder b, Node[] initial, Func<GraphBuilder, Node[], Node[]> next)
    {
        TensorType[] types = [Number, .. initial.Select(n => n.Type)];
        var c = new GraphBuilder();
        Node[] state = [.. types.Select((t, i) => c.Parameter(i, t))];
        Computation condition = c.Build(
            "condition", [c.Less(state[0], c.Constant(DType.I32, 5))]);
        var body = new GraphBuilder();
        Node[] carried = [.. types.Select((t, i) => body.Parameter(i, t))];
        Node[] results = [body.Add(carried[0], body.Constant(DType.I32, 1)), .. next(body, carried[1..])];
        return b.While([b.Constant(DType.I32, 0), .. initial], condition, body.Build("body", results));
    }

    // Plans, checks, executes on memory, and compares with the evaluator.
    private static MemoryPlan PlanOf(
        Func<GraphBuilder, IReadOnlyList<Node>> build,
        bool fuse = true,
        OptimizerOptions? options = null,
        MemoryPlanOptions? planOptions = null)
    {
        Module module = Optimizing.ModuleOf(build);
        Module fused = fuse ? Optimizing.Run(new Fusion(), module, options) : module;
        MemoryPlan plan = BufferAssigner.Assign(fused, planOptions);
        MemoryPlanChecker.Check(plan, _ => 0);
        Literal[] arguments = [.. module.Entry.ParameterTypes.Select((type, i) => Optimizing.Random(type, i + 1))];
        Literal[] expected = Evaluator.Evaluate(module.Entry, arguments);
        Assert.That(PlanInterpreter.Run(plan, arguments), Is.EqualTo(expected));
        return plan;
    }
}
