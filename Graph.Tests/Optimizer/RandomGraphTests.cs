using Graphene.Optimizer;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Optimizer;

/// <summary>What holds for every graph: optimization, planning and compilation keep the results, to the bit.</summary>
/// <remarks><c>GRAPHENE_RANDOM_GRAPHS=2000</c> looks at so many graphs per test instead of a few.</remarks>
[TestFixture]
public sealed class RandomGraphTests
{
    // Folding batch norm changes results by rounding; everything else may not.
    private static readonly OptimizerOptions Exact = new() { FoldBatchNorm = false, Verify = true };

    private static IEnumerable<int> Many => Seeds(60);

    private static IEnumerable<int> Some => Seeds(25);

    private static IEnumerable<int> Seeds(int usual) => Enumerable.Range(
        1, int.TryParse(Environment.GetEnvironmentVariable("GRAPHENE_RANDOM_GRAPHS"), out int count) ? count : usual);

    [TestCaseSource(nameof(Many))]
    public void OptimizedGraphsGiveTheSameBits(int seed)
    {
        Module module = RandomGraph.Generate(seed);
        Module optimized = GraphOptimizer.Run(module, Exact);
        RandomGraphChecks.Keeps(seed, module, () => Optimizing.AssertSameResults(module, optimized, seed));
    }

    [TestCaseSource(nameof(Many))]
    public void EachPassAloneKeepsTheBitsAndIsDoneAfterItself(int seed)
    {
        foreach (IGraphPass pass in Pipelines.Default().Passes.Where(p => p.Name != "batch-norm-folding"))
        {
            Module module = RandomGraph.Generate(seed);
            RandomGraphChecks.Keeps(seed, module, () =>
            {
                Module once = Optimizing.Run(pass, module, Exact);
                Optimizing.AssertSameResults(module, once, seed);
                Assert.That(Optimizing.Run(pass, once, Exact), Is.SameAs(once), $"{pass.Name} finds more to do");
            });
        }
    }

    [TestCaseSource(nameof(Many))]
    public void PlansExecutedOnMemoryGiveTheSameBits(int seed)
    {
        Module module = RandomGraph.Generate(seed);
        Module optimized = GraphOptimizer.Run(module, Exact);
        RandomGraphChecks.Keeps(seed, module, () =>
        {
            Literal[] arguments = [.. module.Entry.ParameterTypes.Select((type, i) => Optimizing.Random(type, seed + i))];
            Literal[] wanted = Evaluator.Evaluate(optimized.Entry, arguments);
            foreach (bool sharesParts in (bool[])[false, true])
            {
                MemoryPlan plan = BufferAssigner.Assign(optimized, new MemoryPlanOptions { SharesParts = sharesParts });
                MemoryPlanChecker.Check(plan, _ => 0);
                Literal[] found = PlanInterpreter.Run(plan, arguments);
                for (int i = 0; i < wanted.Length; i++)
                {
                    LiteralAssert.AreEqual(found[i], wanted[i], $"result {i}");
                }
            }
        });
    }

    // Whole numbers only: kernels add in another order than the evaluator, and use other formulas for exp and the like.
    [TestCaseSource(nameof(Some))]
    public void CompiledGraphsGiveTheSameBits(int seed)
    {
        Module module = RandomGraph.Generate(seed, wholeNumbers: true);
        RandomGraphChecks.Keeps(seed, module, () =>
        {
            Literal[] arguments = [.. module.Entry.ParameterTypes.Select((type, i) => RandomGraphChecks.Whole(type, seed + i))];
            Literal[] wanted = Evaluator.Evaluate(module.Entry, arguments);
            Literal[] found = CompiledModule.Run(module, arguments);
            for (int i = 0; i < wanted.Length; i++)
            {
                LiteralAssert.AreEqual(found[i], wanted[i], $"result {i}");
            }
        });
    }

    [TestCaseSource(nameof(Some))]
    public void EveryNodeOutsideOfKernelsIsOfAKnownKind(int seed)
    {
        Module optimized = GraphOptimizer.Run(RandomGraph.Generate(seed), Exact);
        foreach ((Computation computation, Op? owner) in ComputationRewriter.InnermostFirst(optimized.Entry))
        {
            if (ControlFlow.IsExecuted(owner))
            {
                Assert.That(
                    computation.PostOrder().Select(n => n.Op),
                    Has.All.Matches<Op>(op => op is FusionOp or ParameterOp or ConstantOp or ReshapeOp or GetTupleElementOp ||
                        ControlFlow.IsExecuted(op)));
            }
        }
    }
}
