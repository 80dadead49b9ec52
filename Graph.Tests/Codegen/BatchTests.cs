using Graphene.Codegen;
using Graphene.Optimizer;
using Graphene.Runtime;
using Graphene.Tests.Codegen.KernelIr;
using Graphene.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace Graphene.Tests.Codegen;

/// <summary>Batches compiled: one call, one body for all sizes, the bits of kernels that are called one by one.</summary>
[TestFixture]
internal sealed class BatchTests
{
    private static readonly GraphCompilerOptions Apart = new()
    {
        Optimizer = OptimizerOptions.Default with { Debug = DebugOptions.None with { DisabledPasses = ["batch-fusion"] } },
    };

    [TestCase(1)]
    [TestCase(2)]
    public void UpdatesHaveTheBitsOfSingleKernels(int threads)
    {
        Module module = Updates([[64, 10], [10], [3, 5, 7], [1], [300, 200], [17], [40_000], [1, 1]]);
        Literal[] arguments = [.. module.Entry.ParameterTypes.Select(Filled)];

        Assert.That(CallsOf(module, null), Is.EqualTo(1));
        Assert.That(CallsOf(module, Apart), Is.EqualTo(8));
        AssertSame(Run(module, arguments, null, threads), Run(module, arguments, Apart, 1));
    }

    [TestCase(1)]
    [TestCase(2)]
    public void SymbolicSizesArePassedToo(int threads)
    {
        var n = Dim.Symbol("n", 1, 4096);
        var m = Dim.Symbol("m", 1, 4096);
        Module module = Updates([[n, 8], [m], [n * m], [5]]);
        foreach ((long nValue, long mValue) in ((long, long)[])[(1, 1), (3, 700), (129, 65), (2000, 9)])
        {
            long Size(DimSymbol symbol) => symbol.Name == "n" ? nValue : mValue;
            Literal[] arguments = [.. module.Entry.ParameterTypes.Select(
                (t, i) => Filled(t with { Shape = Shape.From(t.Shape.Select(d => (Dim)d.Evaluate(Size))) }, i))];
            AssertSame(Run(module, arguments, null, threads), Run(module, arguments, Apart, 1));
        }
    }

    [Test]
    public void KernelsThatDifferInSizesAreOneAndAreReadBack()
    {
        Module module = Updates([[64, 10], [10], [3, 5, 7], [129]]);
        var interpreted = new InterpretedModule(module);
        Kernel[] kernels = [.. interpreted.Kernels];

        Assert.That(kernels, Has.Length.EqualTo(4));
        Assert.That(kernels.Distinct(ReferenceEqualityComparer.Instance).Count(), Is.EqualTo(1));
        string text = KernelPrinter.Print(kernels[0]);
        Assert.That(text, Does.Contain("symbol elements in 1..1099511627776 size 0"));
        Assert.That(KernelPrinter.Print(KernelParser.Parse(text)), Is.EqualTo(text));
        Literal[] arguments = [.. module.Entry.ParameterTypes.Select(Filled)];
        AssertSame(Run(module, arguments, null, 2), interpreted.Run(arguments));
    }

    [Test]
    public void MembersOfAnyKindKeepTheirKernels()
    {
        Module module = CompiledModule.Build(b =>
        {
            Node x = b.Parameter(0, F32(40, 33));
            Node y = b.Parameter(1, F32(70, 11));
            Node z = b.Parameter(2, F32(5, 6));
            return
            [
                b.Softmax(x, 1), b.ReduceSum(y, [0]), b.Transpose(z, [1, 0]), b.ReduceMax(b.Parameter(3, F32(9000)), [0]),
                b.Concatenate([b.Parameter(4, F32(3, 2)), b.Parameter(5, F32(3, 4))], 1), b.Exponential(b.Parameter(6, F32(7))),
            ];
        });
        Literal[] arguments = [.. module.Entry.ParameterTypes.Select(Filled)];

        Assert.That(CallsOf(module, null), Is.EqualTo(1));
        AssertSame(Run(module, arguments, null, 2), Run(module, arguments, Apart, 1));
        AssertSame(Run(module, arguments, null, 1), new InterpretedModule(module).Run(arguments));
    }

    [Test]
    public void AScalarOperandIsSharedByAllSizes()
    {
        Module module = CompiledModule.Build(b =>
        {
            Node rate = b.Parameter(0, F32());
            return [.. ((int[][])[[4, 5], [6], [2, 3, 4]]).Select((shape, i) =>
            {
                Node w = b.Parameter(i + 1, F32(shape));
                Node scaled = b.Multiply(w, b.BroadcastInDim(rate, w.Shape, []));
                return b.Select(b.Greater(scaled, b.Splat(DType.F32, w.Shape, 0.5)), scaled, b.Negate(w));
            })];
        });
        Literal[] arguments = [.. module.Entry.ParameterTypes.Select(Filled)];

        Assert.That(new InterpretedModule(module).Kernels.Distinct(ReferenceEqualityComparer.Instance).Count(), Is.EqualTo(1));
        AssertSame(Run(module, arguments, null, 2), Run(module, arguments, Apart, 1));
    }

    [Test]
    public void RandomGraphsKeepTheBitsOfSingleKernels([Range(1, 25)] int seed)
    {
        Module module = RandomGraph.Generate(seed, size: 45);
        Literal[] arguments = [.. module.Entry.ParameterTypes.Select(Filled)];
        AssertSame(Run(module, arguments, null, 2), Run(module, arguments, Apart, 1));
    }

    // Two results each, from operands of all kinds of shapes.
    private static Module Updates(Dim[][] shapes) => CompiledModule.Build(b =>
    {
        var results = new List<Node>();
        for (int i = 0; i < shapes.Length; i++)
        {
            var type = new TensorType(DType.F32, Shape.From(shapes[i]));
            Node w = b.Parameter(2 * i, type);
            Node g = b.Parameter((2 * i) + 1, type);
            Node m = b.Add(b.Multiply(w, b.Splat(DType.F32, type.Shape, 0.9)), b.Multiply(g, g));
            results.Add(m);
            Node root = b.Elementwise(
                ElementwiseTable.SquareRoot, b.Add(b.Abs(g), b.Splat(DType.F32, type.Shape, 1e-3)));
            results.Add(b.Subtract(w, b.Divide(m, root)));
        }
        return [.. results];
    });

    private static TensorType F32(params int[] shape) => new(DType.F32, Shape.From(shape.Select(d => (Dim)d)));

    private static Literal Filled(TensorType type, int seed) => Optimizer.Optimizing.Random(type, seed, special: false);

    private static Literal[] Run(Module module, Literal[] arguments, GraphCompilerOptions? options, int threads)
    {
        using NativeProgram program = NativeProgram.Load(GraphCompiler.Cpu(options).Compile(module, NullLogger.Instance, default));
        return program.Run(
            module.InputNames.Zip(arguments).ToDictionary(p => p.First, p => (Feed)p.Second), new RunOptions { MaxThreads = threads });
    }

    private static int CallsOf(Module module, GraphCompilerOptions? options)
    {
        using Executable executable = GraphCompiler.Cpu(options).Compile(module, NullLogger.Instance, default);
        return executable.Plan.Kernels.Length;
    }

    private static void AssertSame(Literal[] found, Literal[] wanted)
    {
        for (int i = 0; i < wanted.Length; i++)
        {
            LiteralAssert.AreEqual(found[i], wanted[i], $"result {i}");
        }
    }
}
