using Graphene.Codegen;
using Graphene.Optimizer;
using Graphene.Runtime;
using Graphene.Tests.Codegen.KernelIr;
using Graphene.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Lowering;

/// <summary>A table that a product reads packed is looked up in its panels, and is not kept a second time.</summary>
[TestFixture]
internal sealed class PackedLookupTests
{
    private const int Rows = 301; // no multiple of any panel's width
    private const int Width = 70;

    private static readonly KernelTarget Target = KernelTarget.Of(GraphCompiler.Cpu().Target);

    // One copy: a panel is at most 64 columns wide, so less than 64 rows are filled up.
    [TestCase(true)]
    [TestCase(false)]
    public void ATableForLookupsAndProductsIsKeptOnce(bool isTied)
    {
        Module module = LanguageModel(DType.F32, isTied);
        using Executable executable = GraphCompiler.Cpu().Compile(module, NullLogger.Instance, default);
        long once = (Rows + 64) * Width * sizeof(float);
        Assert.That(executable.Constants.Length, isTied ? Is.LessThan(once) : Is.GreaterThan(once));
    }

    [Test]
    public void LookupsInPanelsGiveTheRows([Values] bool isTied)
    {
        foreach (DType type in new[] { DType.F32, DType.F64, DType.F16, DType.BF16 })
        {
            Module module = LanguageModel(type, isTied);
            Literal ids = Ids(0, 1, 300, 299, 31, 32, 33, -5, 1000, 48);
            Literal[] compiled = CompiledModule.Run(module, [ids]);
            Literal[] expected = Evaluator.Evaluate(module.Entry, [ids]);
            Assert.That(compiled[0], Is.EqualTo(expected[0]), $"{type}: rows are moved, not computed");
            double tolerance = type.SizeInBytes() == 2 ? 0.05 : 1e-4;
            Assert.That(compiled[1].ToDoubles(), Is.EqualTo(expected[1].ToDoubles()).Within(tolerance), $"{type}");
            Assert.That(new InterpretedModule(module).Run([ids])[0], Is.EqualTo(expected[0]), $"{type}: interpreted");
        }
    }

    [Test]
    public void ATableOfColumnsIsLookedUpToo()
    {
        // x table, with table [k, column], and slices of it along either dimension
        Module module = CompiledModule.Build(b =>
        {
            Node x = b.Parameter(0, new TensorType(DType.F32, Shape.Of(3, Rows)));
            Node ids = b.Parameter(1, new TensorType(DType.I64, Shape.Of(10)));
            Node table = b.Constant(Sines(DType.F32, Rows, Width));
            return [b.MatMul(x, table), b.Take(table, ids, 0), b.Take(table, ids, 1)];
        });
        Literal ids = Ids(0, 1, 69, 68, 31, 32, 33, -5, 1000, 48);
        Literal x = Sines(DType.F32, 3, Rows);
        Literal[] compiled = CompiledModule.Run(module, [x, ids]);
        Literal[] expected = Evaluator.Evaluate(module.Entry, [x, ids]);
        Assert.That(compiled[0].ToDoubles(), Is.EqualTo(expected[0].ToDoubles()).Within(1e-4));
        Assert.That(compiled[1..], Is.EqualTo(expected[1..]));
        using Executable executable = GraphCompiler.Cpu().Compile(module, NullLogger.Instance, default);
        Assert.That(executable.Constants.Length, Is.LessThan(Rows * (Width + 64) * sizeof(float)));
    }

    [Test]
    public void ATableThatSomebodyReadsAsItIsStaysAsItIs()
    {
        Module module = CompiledModule.Build(b =>
        {
            (Node[] results, Node table) = Layers(b, DType.F32, isTied: true);
            return [.. results, b.Add(table, b.Parameter(1, table.Type))];
        });
        Module optimized = GraphOptimizer.Run(module);
        PackedLookups lookups = PackedLookups.Find(optimized, n => NodeLowering.Lower("k", n, Target, _ => false));
        foreach (Node node in optimized.Entry.PostOrder())
        {
            Assert.That(Enumerable.Range(0, node.Operands.Length).Select(i => lookups.Of(node, i)), Is.All.Null);
        }
        Literal[] arguments = [Ids(7, 6, 5, 4, 3, 2, 1, 0, 8, 9), Sines(DType.F32, Rows, Width)];
        Literal[] compiled = CompiledModule.Run(module, arguments);
        Literal[] expected = Evaluator.Evaluate(module.Entry, arguments);
        Assert.That(compiled[0], Is.EqualTo(expected[0]));
        Assert.That(compiled[2], Is.EqualTo(expected[2]));
    }

    [Test]
    public void ATableThatIsAResultStaysAsItIs()
    {
        Module module = CompiledModule.Build(b =>
        {
            (Node[] results, Node table) = Layers(b, DType.F32, isTied: true);
            return [.. results, table];
        });
        Literal ids = Ids(7, 6, 5, 4, 3, 2, 1, 0, 8, 9);
        Literal[] compiled = CompiledModule.Run(module, [ids]);
        Literal[] expected = Evaluator.Evaluate(module.Entry, [ids]);
        Assert.That(compiled[0], Is.EqualTo(expected[0]));
        Assert.That(compiled[2], Is.EqualTo(expected[2]));
    }

    // Rows of a table by number, and all scores of something against that table or another one.
    private static Module LanguageModel(DType type, bool isTied) => CompiledModule.Build(b => Layers(b, type, isTied).Results);

    private static (Node[] Results, Node Table) Layers(GraphBuilder b, DType type, bool isTied)
    {
        Node ids = b.Parameter(0, new TensorType(DType.I64, Shape.Of(10)));
        Node table = b.Constant(Sines(type, Rows, Width));
        Node last = isTied ? table : b.Constant(Sines(type, Rows + 1, Width));
        Node rows = b.Take(table, ids, 0);
        Node x = b.Elementwise(ElementwiseTable.HyperbolicTangent, rows);
        return ([rows, b.MatMul(x, b.Transpose(last, [1, 0]))], table);
    }

    private static Literal Ids(params long[] ids) => Literal.From<long>(ids, ids.Length);

    private static Literal Sines(DType type, params long[] shape) => Literal.Generate(
        new TensorType(type, Shape.Of(shape)), at => Scalar.FromNumber(type, Math.Sin((at[0] * 1.3) + (at[1] * 0.37))));
}
