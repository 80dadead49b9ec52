using System.Runtime.InteropServices;
using Graphene.Codegen;
using Graphene.Codegen.Llvm;
using Graphene.Codegen.Ptx;
using Graphene.Tests.Codegen.Gpu;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.KernelIr;

/// <summary>Tables of eight numbers, in registers and in memory.</summary>
internal sealed class LookupTests
{
    private const int Count = 100;

    private static readonly ValueList<Scalar> Entries =
        Enumerable.Range(0, KLookup.Count).Select(i => Scalar.FromDouble(DType.F32, (i * 1.25) - 3)).ToValueList();

    private static IEnumerable<TestCaseData> Cases =>
        from target in new[] { ("table", LlvmTarget.X64), ("AVX2", LlvmTarget.X64V3), ("AVX-512", LlvmTarget.X64V4), ("host", LlvmTarget.Host()) }
        from lanes in new[] { 1, 2, 4, 8, 16, 32 }
        select new TestCaseData(target.Item2, lanes).SetArgDisplayNames(target.Item1, $"{lanes}");

    [TestCaseSource(nameof(Cases))]
    public void TheLowestBitsChoose(LlvmTarget target, int lanes)
    {
        Processor.Require(target);
        var random = new Random(lanes);
        int[] indices = [.. Enumerable.Range(0, Count).Select(i => i < 16 ? i - 8 : random.Next(int.MinValue, int.MaxValue))];
        byte[][] buffers = [MemoryMarshal.AsBytes<int>(indices).ToArray(), new byte[4 * Count]];
        using var compiled = new CompiledKernel(Kernel(lanes), target);
        compiled.Run(0, 1, buffers);
        float[] expected = [.. indices.Select(i => ((i & 7) * 1.25f) - 3)];
        Assert.That(MemoryMarshal.Cast<byte, float>(buffers[1]).ToArray(), Is.EqualTo(expected));

        byte[][] interpreted = [buffers[0], new byte[4 * Count]];
        new KernelInterpreter(Kernel(lanes), Array.ConvertAll(interpreted, b => (Memory<byte>)b)).Run();
        Assert.That(interpreted[1], Is.EqualTo(buffers[1]));
    }

    [Test]
    public void AModuleDefinesATableOnceAndOnlyWhereThereIsNoInstruction()
    {
        Kernel kernel = Kernel(4);
        Assert.That(Tables(new LlvmKernelPrinter(LlvmTarget.X64, _ => 0)), Is.EqualTo(1));
        Assert.That(Tables(new LlvmKernelPrinter(LlvmTarget.X64V3, _ => 0)), Is.Zero);
        Assert.That(Tables(new LlvmKernelPrinter(LlvmTarget.Arm64, _ => 0)), Is.Zero);

        int Tables(LlvmKernelPrinter printer)
        {
            string body = printer.PrintBody(kernel);
            return printer.PrintModule([("one", body), ("other", body)]).Split('\n').Count(l => l.StartsWith("@lookup_", StringComparison.Ordinal));
        }
    }

    [Test]
    public void TextIsReadAgain()
    {
        string text = KernelPrinter.Print(Kernel(4));
        Assert.That(text, Does.Contain("lookup(load[4](x0, i), f32 -3, f32 -1.75, f32 -0.5, f32 0.75, f32 2, f32 3.25, f32 4.5, f32 5.75)"));
        Assert.That(KernelPrinter.Print(KernelParser.Parse(text)), Is.EqualTo(text));
    }

    [Test]
    public void TablesOfOtherKindsAreRefused()
    {
        var index = new KConstant(Scalar.Zero(DType.I32), 1);
        Assert.That(KernelRules.Problem(new KLookup(Entries, index)), Is.Null);
        Assert.That(KernelRules.Problem(new KLookup(Entries.Take(7).ToValueList(), index)), Is.EqualTo("a table has 8 entries of f32"));
        Assert.That(
            KernelRules.Problem(new KLookup(Enumerable.Repeat(Scalar.Zero(DType.I32), 8).ToValueList(), index)),
            Is.EqualTo("a table has 8 entries of f32"));
        Assert.That(
            KernelRules.Problem(new KLookup(Entries, new KConstant(Scalar.Zero(DType.I64), 1))),
            Is.EqualTo("the index is i64, not i32"));
    }

    [Test]
    public void OnAGpuTheTableIsTheKernelsOwn()
    {
        string text = Tangents("first", "second").Text;
        Assert.That(text, Does.Match(@"\.global .*first\w*_lookup_").And.Match(@"\.global .*second\w*_lookup_").And.Contain("ld.global.nc"));
    }

    [Test]
    [Explicit("needs ptxas")]
    public void TheAssemblerTakesTheTables()
    {
        PtxModule module = Tangents("first", "second");
        Assert.That(Ptxas.Assemble(module.Text, module.Target.Name), Has.Count.EqualTo(2));
    }

    private static PtxModule Tangents(params string[] names)
    {
        using var compiler = new PtxCompiler(PtxTarget.Of(new GpuTarget(90, true)));
        for (int i = 0; i < names.Length; i++)
        {
            KBuffer x = KBuffer.ForArgument("x", DType.F32, 0, isReadOnly: true);
            KBuffer y = KBuffer.ForArgument("y", DType.F32, 1, isReadOnly: false);
            var b = new KBuilder();
            var thread = new KVariable("thread", KType.Index);
            KExpr value = KBuilder.Call(ScalarOp.HyperbolicTangent, new KLoad(x, KBuilder.Add(thread, i)));
            b.Store(y, thread, value);
            compiler.Add(new Kernel(names[i], [x, y], new KVariable("task", KType.Index), 1, b.ToBlock(), default)
            {
                Threads = new KThreads(thread, 32),
            });
        }
        return compiler.Finish();
    }

    private static Kernel Kernel(int lanes) => MapKernel.Of("map", [DType.I32], DType.F32, Count, lanes, x => new KLookup(Entries, x[0]));
}
