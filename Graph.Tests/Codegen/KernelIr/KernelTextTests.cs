using System.Text;
using Graphene.Codegen;
using Graphene.Codegen.Llvm;
using Graphene.Tests.Core;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.KernelIr;

/// <summary>Kernels are read back as they were written, and what is no kernel is refused with its line and column.</summary>
internal sealed class KernelTextTests
{
    private const string Small =
        """
        kernel "small" flops=8 bytes=64
        argument 0 x: f32 readonly
        argument 1 y: f32
        task t of 1
        {
          let v: f32x8 = load[8](x, 0)
          store(y, 0, add(v, v))
        }
        """;

    private static IEnumerable<string> Ops => OpCases.All.Where(c => c.Runs).Select(c => c.Op).Distinct()
        .Except(["custom_call", "fusion"]);

    [Test]
    public void RandomKernelsAreReadBack([Range(0, 60)] int seed) => AssertReadBack(RandomKernel.Generate(seed));

    [TestCaseSource(nameof(Ops))]
    public void KernelsOfOpsAreReadBack(string op)
    {
        Module module = CompiledModule.Build(b =>
        {
            var results = new List<Node>();
            int parameters = 0;
            foreach (OpCase c in OpCases.All.Where(c => c.Runs && c.Op == op))
            {
                Node node = c.Build(b, [.. c.Inputs.Select(x => b.Parameter(parameters++, x.Type))]);
                results.AddRange(node.Types.IsEmpty ? [] : b.Results(node));
            }
            return [.. results];
        });
        foreach (Kernel kernel in new InterpretedModule(module).Kernels)
        {
            AssertReadBack(kernel);
        }
    }

    [Test]
    public void KernelsOfNetworksAreReadBack()
    {
        var batch = Dim.Symbol("batch", 1, 512);
        Module module = CompiledModule.Build(b =>
        {
            Node x = b.Parameter(0, new TensorType(DType.F32, [batch, 8, 40, 40]));
            Node weights = b.Parameter(1, new TensorType(DType.F32, Shape.Of(24, 8, 3, 3)));
            var window = new WindowDim(3, 2, 1, 1);
            var convolution = new ConvolutionOp(ConvolutionDimensions.ChannelsFirst(2), [window, window], 1, 1, DType.F32);
            Node rows = b.Reshape(b.Logistic(b.Add(convolution, x, weights)), [batch, 24 * 400]);
            Node square = b.DotGeneral(rows, rows, [], [], [1], [1]);
            return [b.Softmax(square, 1), b.ReduceMax(rows, [0])];
        });
        Kernel[] kernels = [.. new InterpretedModule(module).Kernels];

        Assert.That(kernels, Has.Length.GreaterThan(3));
        Array.ForEach(kernels, AssertReadBack);
    }

    [Test]
    public void EveryNumberIsReadBack()
    {
        KBuffer y = KBuffer.ForArgument("y", DType.Bool, 0, isReadOnly: false);
        var b = new KBuilder();
        foreach (DType type in RandomExpression.Types)
        {
            foreach (ulong bits in SampleBits.Edges(type))
            {
                var value = new KConstant(Scalar.FromBits(type, bits), 4);
                b.Add(new KLet(new KVariable("v", value.Type), value));
            }
        }
        AssertReadBack(new Kernel("numbers", [y], new KVariable("t", KType.Index), 1, b.ToBlock(), default));
    }

    [Test]
    public void NamesOfAnyKindAreReadBack()
    {
        KBuffer x = KBuffer.ForArgument("store", DType.F32, 0, isReadOnly: false);
        var symbol = new DimSymbol("two words", 1, 9);
        var b = new KBuilder();
        foreach (string name in (string[])["", "f32x8", "for", "store", "a b", "\u00e4", "7", "x.1", "x", "x", "_", "add"])
        {
            b.Store(x, b.Let(name, new KConvert(new KLoad(x, new KSymbol(symbol)), DType.I64)), new KLoad(x, 0));
        }
        var task = new KVariable("task", KType.Index);
        AssertReadBack(new Kernel("a \"quoted\"\nname", [x], task, new KSymbol(symbol), b.ToBlock(), default));
    }

    [TestCase("load[8](x, 0)", "load[8](y2, 0)", 6, "there is no buffer 'y2' here")]
    [TestCase("add(v, v)", "add(v, w)", 7, "there is no 'w' here")]
    [TestCase("add(v, v)", "add(v)", 7, "Add takes 2 arguments, not 1")]
    [TestCase("add(v, v)", "add(v, load[1](x, 0))", 7, "are of different types")]
    [TestCase("add(v, v)", "and(v, v)", 7, "And has no meaning for f32")]
    [TestCase("add(v, v)", "shuffle[0,8](v)", 7, "lanes [0,8] are not all in f32x8")]
    [TestCase("add(v, v)", "frobnicate(v)", 7, "is no expression")]
    [TestCase("f32x8", "f32x4", 6, "the value is f32x8, not f32x4")]
    [TestCase("load[8]", "load[99999999]", 6, "lanes")]
    [TestCase("store(y, ", "store(x, ", 7, "x is read-only")]
    [TestCase("argument 1", "argument 2", 3, "expected argument 1")]
    [TestCase("argument 1 y", "argument 1 x", 3, "'x' is declared while it is visible already")]
    [TestCase("task t of 1", "task t of f32 1", 4, "expected a value of type i64")]
    [TestCase("  store", "  for i from 0 to 8 step 0 { }\n  store", 7, "the step is 0")]
    [TestCase("\n}", "\n", 8, "expected a name")]
    public void WhatIsNoKernelIsRefused(string part, string replacement, int line, string message)
    {
        Assert.That(Small, Does.Contain(part));
        var error = Assert.Throws<GraphException>(() => KernelParser.Parse(Small.Replace(part, replacement), "k.txt"));

        Assert.That(error!.Message, Does.Contain(message).And.Contain($"k.txt:{line}"));
    }

    [Test]
    public void TextOfAnyDepthIsReadWithoutOverflow()
    {
        string expression = string.Concat(Enumerable.Repeat("negate(", 100_000));
        string blocks = string.Concat(Enumerable.Repeat("while bool true {\n", 100_000));

        Assert.Throws<GraphException>(() => KernelParser.Parse(Small.Replace("add(v, v)", expression)));
        Assert.Throws<GraphException>(() => KernelParser.Parse(Small.Replace("  store", blocks + "  store")));
    }

    [Test]
    public void TextThatIsCutOrChangedAnywhereIsReadOrRefused()
    {
        string text = KernelPrinter.Print(RandomKernel.Generate(3));
        var random = new Random(7);
        int refused = 0;
        for (int i = 0; i < 300; i++)
        {
            var changed = new StringBuilder(text[..random.Next(text.Length)]);
            if (random.Next(2) == 0)
            {
                changed.Append(text.AsSpan(Math.Min(text.Length, changed.Length + random.Next(4))));
            }
            try
            {
                KernelVerifier.Verify(KernelParser.Parse(changed.ToString()));
            }
            catch (GraphException)
            {
                refused++;
            }
        }
        Assert.That(refused, Is.GreaterThan(200));
    }

    private static void AssertReadBack(Kernel kernel)
    {
        string text = KernelPrinter.Print(kernel);

        Kernel again = KernelParser.Parse(text);

        Assert.That(KernelPrinter.Print(again), Is.EqualTo(text));
        KernelVerifier.Verify(again);
        var printer = new LlvmKernelPrinter(LlvmTarget.X64V3, _ => 0);
        Assert.That(printer.PrintBody(again), Is.EqualTo(printer.PrintBody(kernel)));
    }
}
