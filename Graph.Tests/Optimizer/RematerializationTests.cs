using Graphene.Codegen;
using Graphene.Optimizer;
using Graphene.Runtime;
using Graphene.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace Graphene.Tests.Optimizer;

/// <summary>A memory budget is met by computing again what is cheap, or the error says what stands in the way.</summary>
[TestFixture]
public sealed class RematerializationTests
{
    [Test]
    public void TheTrainingOfAnEncoderFitsIntoHalfOfTheMemory()
    {
        Module module = Training(layers: 6);
        long free = ArenaBytes(GraphOptimizer.Run(module));
        Module optimized = GraphOptimizer.Run(module, OptimizerOptions.Default with { ArenaBudgetInBytes = free / 2, Verify = true });

        Assert.That(ArenaBytes(optimized), Is.LessThanOrEqualTo(free / 2));
        MemoryPlanChecker.Check(BufferAssigner.Assign(optimized), _ => 0);
        Optimizing.AssertSameResults(GraphOptimizer.Run(module), optimized);
    }

    [Test]
    public void CompiledCodeKeepsTheBitsAndTheBudget()
    {
        Module module = Training(layers: 4);
        Literal[] arguments = [.. module.Entry.ParameterTypes.Select((t, i) => Optimizing.Random(t, i, special: false))];
        long free = ArenaBytes(GraphOptimizer.Run(module));
        var options = new GraphCompilerOptions { Optimizer = OptimizerOptions.Default with { ArenaBudgetInBytes = free * 6 / 10 } };
        (Literal[] kept, _) = Run(module, arguments, new GraphCompilerOptions(), 2);
        (Literal[] again, long scratch) = Run(module, arguments, options, 1);

        for (int i = 0; i < kept.Length; i++)
        {
            LiteralAssert.AreEqual(again[i], kept[i], $"result {i}");
        }
        Assert.That(scratch, Is.LessThan(free * 8 / 10), "workspaces of kernels come on top");
    }

    [Test]
    public void ABudgetThatCannotBeMetSaysWhatIsInTheWay()
    {
        Module module = Training(layers: 2);
        GraphException error = Assert.Throws<GraphException>(
            () => GraphOptimizer.Run(module, OptimizerOptions.Default with { ArenaBudgetInBytes = 1000 }))!;

        Assert.That(error.Id, Is.EqualTo(OptimizerDiagnostics.ArenaBudget));
        Assert.That(error.What, Does.Contain("bytes of scratch memory at least; the budget is 1000"));
        Assert.That(error.Why, Does.Contain("f32["));
    }

    [Test]
    public void ABudgetThatIsMetAnywayChangesNothing()
    {
        Module module = Training(layers: 2);
        Module optimized = GraphOptimizer.Run(module);
        Module again = Optimizing.Run(
            new Rematerialization(), optimized, OptimizerOptions.Default with { ArenaBudgetInBytes = ArenaBytes(optimized) });
        Assert.That(again, Is.SameAs(optimized));
    }

    [Test]
    public void RandomGraphsKeepTheirBitsWithinTheBudget([Values(1, 11, 21, 31)] int firstSeed)
    {
        int met = 0;
        for (int seed = firstSeed; seed < firstSeed + 10; seed++)
        {
            Module module = RandomGraph.Generate(seed, size: 45);
            var exact = new OptimizerOptions { FoldBatchNorm = false, Verify = true };
            long budget = ArenaBytes(GraphOptimizer.Run(module, exact)) * 8 / 10;
            Module optimized;
            try
            {
                optimized = GraphOptimizer.Run(module, exact with { ArenaBudgetInBytes = budget });
            }
            catch (GraphException e) when (e.Id == OptimizerDiagnostics.ArenaBudget)
            {
                continue; // most graphs hold nothing that could be computed again
            }
            met++;
            Assert.That(ArenaBytes(optimized), Is.LessThanOrEqualTo(budget), $"seed {seed}");
            MemoryPlanChecker.Check(BufferAssigner.Assign(optimized), _ => 0);
            Optimizing.AssertSameResults(module, optimized, seed);
        }
        Assert.That(met, Is.GreaterThanOrEqualTo(2), "graphs whose budget was met");
    }

    // The loss of residual layers with a wide middle, and its gradients by all weights.
    private static Module Training(int layers)
    {
        var graph = new Graph();
        var weights = new List<Tensor>();
        Tensor x = graph.Placeholder(DType.F32, [16, 24], "x");
        Tensor y = x;
        for (int i = 0; i < layers; i++)
        {
            weights.Add(graph.Placeholder(DType.F32, [24, 96], $"in{i}"));
            weights.Add(graph.Placeholder(DType.F32, [96, 24], $"out{i}"));
            y += y.MatMul(weights[^2]).Tanh().MatMul(weights[^1]);
        }
        Tensor loss = y.Square().ReduceMean();
        return graph.ToModule([loss, .. graph.Gradients([loss], [.. weights])], [x, .. weights]);
    }

    private static (Literal[] Results, long Scratch) Run(Module module, Literal[] arguments, GraphCompilerOptions options, int threads)
    {
        using NativeProgram program = NativeProgram.Load(GraphCompiler.Cpu(options).Compile(module, NullLogger.Instance, default));
        long[][] shapes = [.. program.Inputs.Select(i => i.Type.Shape.ToStatic())];
        return (
            program.Run(
                module.InputNames.Zip(arguments).ToDictionary(p => p.First, p => (Feed)p.Second), new RunOptions { MaxThreads = threads }),
            program.ScratchBytes(shapes));
    }

    private static long ArenaBytes(Module module) => BufferAssigner.Assign(module).Pack(_ => 0).SizeInBytes;
}
