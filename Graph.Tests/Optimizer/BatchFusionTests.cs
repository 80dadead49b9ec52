using Graphene.Optimizer;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Optimizer;

/// <summary>Which fusions become batches, what they may overwrite, and that plans stay small and results the same.</summary>
[TestFixture]
public sealed class BatchFusionTests
{
    private static readonly TensorType Vector = new(DType.F32, Shape.Of(64));

    [Test]
    public void WhatOneMemberReadsNoOtherOverwrites()
    {
        // x dies in both of its readers.
        RunStep step = BatchStep(b =>
        {
            Node x = b.SortValues(b.Parameter(0, Vector));
            Node pairs = b.Reshape(x, Shape.Of(32, 2));
            return [b.SortValues(b.Exponential(x)), b.SortValues(b.Concatenate([pairs, pairs], 1))];
        });
        Assert.That(step.Results.Intersect(step.Operands), Is.Empty);
    }

    [Test]
    public void AMemberOverwritesWhatItAloneReads()
    {
        RunStep step = BatchStep(b =>
        {
            Node x = b.SortValues(b.Parameter(0, Vector));
            Node y = b.SortValues(b.Parameter(1, Vector));
            return [b.SortValues(b.Exponential(x)), b.SortValues(b.Negate(y))];
        });
        Assert.That(step.Results, Is.EqualTo(step.Operands));
    }

    [Test]
    public void TheArenaDoesNotGrowMuch()
    {
        // 64 products of 16 KiB, each needed for its sum alone: one after the other they need little memory.
        Module Sums(OptimizerOptions? options) => GraphOptimizer.Run(
            Optimizing.ModuleOf(b => [.. Enumerable.Range(0, 64).Select(i =>
            {
                Node x = b.Parameter(i, new TensorType(DType.F32, Shape.Of(64, 64)));
                return b.ReduceSum(b.Dot(x, x), [1]);
            })]),
            options);
        Module apart = Sums(OptimizerOptions.Default with { Debug = DebugOptions.None with { DisabledPasses = ["batch-fusion"] } });
        Module together = Sums(null);

        Assert.That(ArenaBytes(apart), Is.LessThanOrEqualTo(64 * 1024));
        Assert.That(ArenaBytes(together), Is.LessThanOrEqualTo(ArenaBytes(apart) + (64 * 1024)));
        Assert.That(Batches(together).Count(), Is.InRange(16, 32), "several batches, and fewer than kernels");
    }

    [Test]
    public void WhatWaitsForAnEffectIsNotBatchedWithWhatTheEffectWaitsFor()
    {
        // The second print waits for the first, which needs exp(x); log(z) needs the second.
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, [8], "x");
        Tensor y = graph.Placeholder(DType.F32, [4], "y");
        Tensor first = x.Exp().Print("first {0}");
        Tensor second = y.Print("second {0}");
        Module module = graph.ToModule([first, second.Log()], [x, y]);
        Module optimized = GraphOptimizer.Run(module);

        MemoryPlanChecker.Check(BufferAssigner.Assign(optimized), _ => 0);
        Assert.That(Batches(optimized), Is.Empty);
    }

    // Members run on real memory in the order that is the worst: the last one first.
    [Test]
    public void MembersMayRunInAnyOrder([Range(1, 60)] int seed)
    {
        Module module = RandomGraph.Generate(seed, size: 45);
        Module optimized = GraphOptimizer.Run(module, new OptimizerOptions { FoldBatchNorm = false, Verify = true });
        MemoryPlan plan = BufferAssigner.Assign(optimized);
        MemoryPlanChecker.Check(plan, _ => 0);
        Literal[] arguments = [.. module.Entry.ParameterTypes.Select((type, i) => Optimizing.Random(type, seed + i))];
        Literal[] wanted = Evaluator.Evaluate(module.Entry, arguments);
        Literal[] found = PlanInterpreter.Run(plan, arguments, RunBackwards);
        for (int i = 0; i < wanted.Length; i++)
        {
            LiteralAssert.AreEqual(found[i], wanted[i], $"result {i} of\n{Printer.Print(optimized.Entry)}");
        }
    }

    [Test]
    public void RandomGraphsHaveBatches() => Assert.That(
        Enumerable.Range(1, 60).Count(seed => Batches(GraphOptimizer.Run(RandomGraph.Generate(seed, size: 45))).Any()),
        Is.GreaterThan(20));

    private static void RunBackwards(RunStep step, Func<int, Memory<byte>> memory)
    {
        if (step.Node.Op is not FusionOp { Kind: FusionKind.Batch } batch)
        {
            Run(step.Node, i => memory(step.Operands[i]), i => memory(step.Results[i]));
            return;
        }
        foreach (Node member in BatchBody.Members(batch.Body).Reverse())
        {
            Run(
                member,
                i => memory(step.Operands[((ParameterOp)member.Operands[i].Op).Number]),
                i => memory(step.Results[Enumerable.Range(0, step.Results.Length).Single(
                    r => BatchBody.SourceOf(batch.Body, r) is var (source, own) && ReferenceEquals(source, member) && own == i)]));
        }
    }

    private static void Run(Node node, Func<int, Memory<byte>> operand, Func<int, Memory<byte>> result)
    {
        Literal[] operands =
        [
            .. node.Operands.Select(
                (o, i) => new Literal(o.Type, operand(i)[..(int)o.Type.SizeInBytes.Value].ToArray())),
        ];
        Literal[] results = node.Op.EvaluateAll(operands, node.Types);
        for (int i = 0; i < results.Length; i++)
        {
            results[i].Bytes.CopyTo(result(i));
        }
    }

    private static IEnumerable<Node> Batches(Module module) => ComputationRewriter.InnermostFirst(module.Entry)
        .SelectMany(c => c.Computation.PostOrder()).Where(n => n.Op is FusionOp { Kind: FusionKind.Batch });

    private static RunStep BatchStep(Func<GraphBuilder, IReadOnlyList<Node>> build)
    {
        MemoryPlan plan = BufferAssigner.Assign(GraphOptimizer.Run(Optimizing.ModuleOf(build)));
        MemoryPlanChecker.Check(plan, _ => 0);
        return plan.Entry.Steps.OfType<RunStep>().Single(s => s.Node.Op is FusionOp { Kind: FusionKind.Batch });
    }

    private static long ArenaBytes(Module module) => BufferAssigner.Assign(module).Pack(_ => 0).SizeInBytes;
}
