using Graphene.Tests.Optimizer;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>Random graphs through the schedules for a GPU: whole numbers to the bit, others within rounding.</summary>
/// <remarks><c>GRAPHENE_RANDOM_GRAPHS=2000</c> looks at so many graphs per test instead of a few.</remarks>
internal sealed class GpuRandomGraphTests
{
    private static IEnumerable<int> Seeds => Enumerable.Range(
        1, int.TryParse(Environment.GetEnvironmentVariable("GRAPHENE_RANDOM_GRAPHS"), out int count) ? count : 30);

    [TestCaseSource(nameof(Seeds))]
    public void WholeNumbersGiveTheSameBits(int seed)
    {
        Module module = RandomGraph.Generate(seed, wholeNumbers: true);
        Literal[] arguments = [.. module.Entry.ParameterTypes.Select((type, i) => RandomGraphChecks.Whole(type, seed + i))];
        RandomGraphChecks.Keeps(seed, module, () => Compare(
            module, arguments, (found, wanted, r) => LiteralAssert.AreEqual(found, wanted, $"result {r}")));
    }

    [TestCaseSource(nameof(Seeds))]
    public void OthersAreAsNearAsTheProcessors(int seed)
    {
        Module module = RandomGraph.Generate(5000 + seed);
        Literal[] arguments = [.. module.Entry.ParameterTypes.Select((type, i) => Optimizing.Random(type, seed + i, special: false))];
        // Functions of differences of like numbers may differ much; then the processor's kernels must give the same.
        RandomGraphChecks.Keeps(seed, module, () => Compare(module, arguments, (found, wanted, r) =>
        {
            Literal processors = new KernelIr.InterpretedModule(module).Run(arguments)[r];
            if (!found.Equals(processors))
            {
                LiteralAssert.AreClose(found, wanted, 1e-4, 1e-4, $"result {r}");
            }
        }));
    }

    private static void Compare(Module module, Literal[] arguments, Action<Literal, Literal, int> compare)
    {
        Literal[] wanted = Evaluator.Evaluate(module.Entry, arguments);
        var gpu = new GpuModule(module);
        Literal[] found = gpu.Run(arguments);
        try
        {
            for (int i = 0; i < wanted.Length; i++)
            {
                compare(found[i], wanted[i], i);
            }
        }
        catch (AssertionException e)
        {
            throw new AssertionException($"{e.Message}\n{string.Join('\n', gpu.FindWrongSteps(arguments, 1e-4).Take(3))}", e);
        }
    }
}
