using Graphene.Optimizer;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Optimizer;

/// <summary>Which loops may run at the same time, and that none of them touches what another writes.</summary>
[TestFixture]
internal sealed class LoopsSideBySideTests
{
    private static readonly LoopSharing Usual = new(1 << 20);

    private static readonly LoopSharing Any = new(long.MaxValue)
    {
        LeastWork = 0, LargestRatio = 1e300, MostBytesEarlier = 1L << 40,
    };

    private static readonly TensorType Sequence = new(DType.F32, Shape.Of(5, 4, LoopPairs.Width));

    [Test]
    public void TwoDirectionsOfALayerRunSideBySide() =>
        Assert.That(Beside(PlanOf((b, x, start) => Directions(b, x, start, 1))), Is.EqualTo(new[] { 1, 0 }));

    [Test]
    public void ThreeLoopsDo() => Assert.That(
        Beside(PlanOf((b, x, start) =>
            [.. Directions(b, x, start, 1), .. LoopPairs.Direction(b, x, b.Negate(start), 3)])), Is.EqualTo(new[] { 2, 1, 0 }));

    [Test]
    public void LayersOnTopOfEachOtherAreTwoPairs() => Assert.That(
        Beside(PlanOf((b, x, start) =>
        {
            Node[] below = Directions(b, x, start, 1);
            return Directions(b, b.Add(below[0], below[2]), start, 3);
        })),
        Is.EqualTo(new[] { 1, 0, 1, 0 }));

    [Test]
    public void ALoopThatReadsAnotherOnesResultWaits() => Assert.That(
        Beside(PlanOf((b, x, start) =>
        {
            Node[] first = LoopPairs.Direction(b, x, start, 1);
            return LoopPairs.Direction(b, x, first[1], 2);
        })),
        Is.EqualTo(new[] { 0, 0 }));

    [Test]
    public void LoopsThatEndAtOtherRoundsStayApart() => Assert.That(
        Beside(PlanOf((b, x, start) =>
            [.. LoopPairs.Direction(b, x, start, 1), .. LoopPairs.Direction(b, x, start, 2, rounds: 3)])),
        Is.EqualTo(new[] { 0, 0 }));

    [Test]
    public void LoopsOfOtherCostStayApart() => Assert.That(
        Beside(PlanOf((b, x, start) =>
        [
            .. LoopPairs.Direction(b, x, start, 1),
            .. LoopPairs.Direction(b, x, start, 2),
            .. LoopPairs.Direction(b, x, b.Dot(start, b.Constant(LoopPairs.Weights(4))), 2, change: (body, next) =>
                body.Dot(next, body.Constant(LoopPairs.Weights(9)))),
        ])),
        Is.EquivalentTo(new[] { 1, 0, 0 }));

    [Test]
    public void LoopsWithEffectsStayApart() => Assert.That(
        Beside(PlanOf(
            (b, x, start) =>
            [
                .. LoopPairs.Direction(b, x, start, 1, inRound: Print(1)),
                .. LoopPairs.Direction(b, x, start, 2, inRound: Print(2)),
            ], runs: false)),
        Is.EqualTo(new[] { 0, 0 }));

    [Test]
    public void WeightsMustFitTheCacheOfAThread()
    {
        long bytes = LoopPairs.Weights(1).Type.SizeInBytes.Value;
        MemoryPlan Plan(long cache) => PlanOf((b, x, start) => Directions(b, x, start, 1), new LoopSharing(cache));
        Assert.That(Beside(Plan(bytes)), Is.EqualTo(new[] { 1, 0 }));
        Assert.That(Beside(Plan(bytes - 1)), Is.EqualTo(new[] { 0, 0 }));
    }

    [Test]
    public void WhatComesEarlierMayNotTakeMuchMemory()
    {
        // The second sequence would have to be there before the first loop.
        MemoryPlan Plan(long most) => PlanOf(
            (b, x, start) =>
            [
                LoopPairs.Direction(b, Through(b, x, 5), start, 1)[1],
                LoopPairs.Direction(b, Through(b, x, 6), start, 2)[1],
            ],
            Usual with { MostBytesEarlier = most });
        Assert.That(Beside(Plan(Usual.MostBytesEarlier)), Is.EqualTo(new[] { 1, 0 }));
        Assert.That(Beside(Plan(0)), Is.EqualTo(new[] { 0, 0 }));
    }

    [Test]
    public void EffectsBetweenLoopsKeepTheirOrder()
    {
        MemoryPlan plan = PlanOf(
            (b, x, start) =>
            {
                Node[] first = LoopPairs.Direction(b, x, start, 1);
                Node one = b.HostCall(HostCallKind.Print, "first", 1, first[1]);
                Node two = b.HostCall(HostCallKind.Print, "second", 2, start);
                Node[] second = LoopPairs.Direction(b, x, start, 2, backwards: true);
                Node three = b.HostCall(HostCallKind.Print, "third", 3, second[1]);
                return [first[0], second[0], one, two, three];
            },
            runs: false, effects: 3);
        Assert.That(Beside(plan), Is.EqualTo(new[] { 1, 0 }));
        IEnumerable<HostCallOp> calls = plan.Entry.Steps.OfType<RunStep>().Select(s => s.Node.Op).OfType<HostCallOp>();
        Assert.That(calls.Select(c => c.Ordinal), Is.EqualTo(new[] { 1, 2, 3 }));
    }

    [Test]
    public void LoopsInALoopDoToo()
    {
        MemoryPlan plan = PlanOf((b, x, start) => b.Repeat(3, [start], [x], (body, _, carried, fixedValues) =>
        {
            Node[] both = Directions(body, fixedValues[0], carried[0], 1);
            return [body.Maximum(both[1], both[3])];
        }));
        Assert.That(Beside(plan), Is.EqualTo(new[] { 0, 1, 0 }));
    }

    [Test]
    public void RoundsMayBeAsManyAsIsFed()
    {
        Dim time = Dim.Symbol("time", 1, 64);
        Module module = Optimizing.ModuleOf(b =>
        {
            Node x = b.Parameter(0, new TensorType(DType.F32, [time, 4, LoopPairs.Width]));
            return Directions(b, x, b.Parameter(1, LoopPairs.State), 1);
        });
        var options = new MemoryPlanOptions { SharesParts = true, Loops = Usual };
        MemoryPlan plan = BufferAssigner.Assign(GraphOptimizer.Run(module), options);
        Assert.That(Beside(plan), Is.EqualTo(new[] { 1, 0 }));
        MemoryPlanChecker.Check(plan, _ => 1);
        MemoryPlanChecker.Check(plan, _ => 17);
    }

    // Loops over the same values, which swap, keep and hand on what they carry, anywhere in a graph.
    [Test]
    public void LoopsOfRandomGraphsTouchNothingOfEachOther()
    {
        int together = 0;
        for (int seed = 1; seed <= 80; seed++)
        {
            Module module = GraphOptimizer.Run(
                RandomGraph.Generate(seed, size: 40), new OptimizerOptions { FoldBatchNorm = false, Verify = true });
            var options = new MemoryPlanOptions { SharesParts = seed % 2 == 0, Loops = Any };
            MemoryPlan plan = BufferAssigner.Assign(module, options);
            MemoryPlanChecker.Check(plan, _ => 0);
            Literal[] arguments =
                [.. module.Entry.ParameterTypes.Select((type, i) => Optimizing.Random(type, seed + i))];
            Literal[] wanted = Evaluator.Evaluate(module.Entry, arguments);
            Literal[] found = PlanInterpreter.Run(plan, arguments);
            for (int i = 0; i < wanted.Length; i++)
            {
                LiteralAssert.AreEqual(found[i], wanted[i], $"result {i} of seed {seed}");
            }
            together += Beside(plan).Count(n => n > 0);
        }
        Assert.That(together, Is.GreaterThan(2), "loops that run side by side");
    }

    private static Action<GraphBuilder, Node, List<Node>> Print(long ordinal) =>
        (body, next, effects) => effects.Add(body.HostCall(HostCallKind.Print, "state", ordinal, next));

    private static Node Through(GraphBuilder b, Node x, int seed) =>
        b.Reshape(b.Dot(b.Reshape(x, Shape.Of(20, LoopPairs.Width)), b.Constant(LoopPairs.Weights(seed))), x.Shape);

    private static Node[] Directions(GraphBuilder b, Node x, Node start, int seed) =>
        [.. LoopPairs.Direction(b, x, start, seed), .. LoopPairs.Direction(b, x, start, seed + 1, backwards: true)];

    private static int[] Beside(MemoryPlan plan) => [.. LoopPairs.LoopsOf(plan.Entry).Select(l => l.Beside)];

    // Plans, checks, executes on memory, and compares with the evaluator. The last results may be effects.
    private static MemoryPlan PlanOf(
        Func<GraphBuilder, Node, Node, Node[]> build, LoopSharing? sharing = null, bool runs = true, int effects = 0)
    {
        var b = new GraphBuilder();
        Node[] nodes = build(b, b.Parameter(0, Sequence), b.Parameter(1, LoopPairs.State));
        Computation entry = b.Build("entry", nodes[..^effects], nodes[^effects..]);
        var module = new Module(
            "test", entry, ["x", "start"], [.. entry.Results.Select((_, i) => $"y{i}")], b.Provenance);
        Module optimized = GraphOptimizer.Run(module);
        var options = new MemoryPlanOptions { SharesParts = true, Loops = sharing ?? Usual };
        MemoryPlan plan = BufferAssigner.Assign(optimized, options);
        MemoryPlanChecker.Check(plan, _ => 0);
        if (runs && effects == 0)
        {
            Literal[] arguments = [.. module.Entry.ParameterTypes.Select(LoopPairs.Whole)];
            Assert.That(PlanInterpreter.Run(plan, arguments), Is.EqualTo(Evaluator.Evaluate(module.Entry, arguments)));
        }
        return plan;
    }
}
