using Graphene.Codegen;
using Graphene.Codegen.Llvm;
using Graphene.Runtime;
using Graphene.Tests.Codegen.KernelIr;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen;

/// <summary>Loops whose rounds overlap give the bits of those whose rounds do not.</summary>
internal sealed class PipelinedLoopTests
{
    // Fewer rounds than any pipeline takes.
    private const int Short = 60;

    private static readonly Dictionary<string, Func<GraphBuilder, Node, Node>> Chains = new()
    {
        ["gates"] = (b, x) => b.Add(b.Multiply(b.HyperbolicTangent(b.Add(x, b.Splat(x.DType, x.Shape, 0.25))), b.Logistic(x)), x),
        ["softplus"] = (b, x) => b.Add(
            b.Maximum(x, b.Splat(x.DType, x.Shape, 0)), b.LogPlusOne(b.Exponential(b.Negate(b.Abs(x))))),
        ["logarithms"] = (b, x) => b.Log(b.Add(b.Log(b.Abs(x)), b.Splat(x.DType, x.Shape, 1.5))),
        ["powers"] = (b, x) => b.Power(b.Abs(x), b.Splat(x.DType, x.Shape, 1.7)),
        ["fraction"] = (b, x) => Enumerable.Range(0, 14).Aggregate(x, (sum, _) => b.Divide(x, b.Add(sum, b.Splat(x.DType, x.Shape, 0.5)))),
        ["choice"] = (b, x) => b.Select(
            b.Compare(x, b.Splat(x.DType, x.Shape, 0), CompareDirection.LT), b.ErrorFunction(b.Sine(x)), b.Exponential(b.HyperbolicTangent(x))),
    };

    private static readonly (string Name, LlvmTarget Target)[] Machines =
        [("host", GraphCompiler.Cpu().Target), ("SSE2", LlvmTarget.X64), ("AVX2", LlvmTarget.X64V3), ("AVX-512", LlvmTarget.X64V4)];

    private static IEnumerable<TestCaseData> Cases =>
        from machine in Machines
        from chain in Chains.Keys
        from type in new[] { DType.F32, DType.F64, DType.BF16 }
        select new TestCaseData(machine.Target, chain, type).SetArgDisplayNames(machine.Name, chain, $"{type}");

    [TestCaseSource(nameof(Cases))]
    public void ALongRunGivesTheBitsOfShortOnes(LlvmTarget target, string chain, DType type)
    {
        Processor.Require(target);
        Literal x = Numbers(type, 30 * Short);
        Module module = Over(chain, x.Type);
        Assert.That(IsPipelined(module, target), Is.EqualTo(target.Architecture == LlvmArchitecture.X64));
        Assert.That(IsPipelined(Over(chain, new TensorType(type, [Short])), target), Is.False, "short");

        Literal actual = CompiledModule.Run(module, [x], target)[0];

        LiteralAssert.AreEqual(actual, InShortRuns(chain, x, target));
    }

    [Test]
    public void AnyLengthIsComplete([Values(1023, 1024, 1025, 16384, 16385, 40_001)] int length, [Values(1, 2)] int threads)
    {
        Literal x = Numbers(DType.F32, length);
        Module module = CompiledModule.Build(b =>
        {
            Node p = b.Parameter(0, x.Type);
            return [Chains["gates"](b, p), Chains["softplus"](b, p)];
        });
        Module anyLength = CompiledModule.Build(b =>
        {
            Node p = b.Parameter(0, new TensorType(DType.F32, [Dim.Symbol("length", 1, 1 << 26)]));
            return [Chains["gates"](b, p), Chains["softplus"](b, p)];
        });

        Literal[] actual = CompiledModule.Run(module, [x], threads);
        Literal[] fed = CompiledModule.Run(anyLength, [x], threads);

        foreach ((string chain, int result) in (ReadOnlySpan<(string, int)>)[("gates", 0), ("softplus", 1)])
        {
            Literal expected = InShortRuns(chain, x);
            LiteralAssert.AreEqual(actual[result], expected, chain);
            LiteralAssert.AreEqual(fed[result], expected, $"{chain}, fed");
        }
    }

    [Test]
    public void RandomChainsGiveTheBitsOfShortRuns([Range(1, 24)] int seed)
    {
        Literal x = Numbers(DType.F32, 30 * Short);
        Module Of(TensorType type) => CompiledModule.Build(b => [RandomChain(b, b.Parameter(0, type), new Random(seed))]);
        Assert.That(IsPipelined(Of(x.Type), GraphCompiler.Cpu().Target), Is.EqualTo(IsX64));
        LiteralAssert.AreEqual(CompiledModule.Run(Of(x.Type), [x])[0], InShortRuns(Of, x));
    }

    // Functions of anything before, of which the last sum keeps all that nothing else uses.
    private static Node RandomChain(GraphBuilder b, Node x, Random random)
    {
        List<Node> known = [x];
        Node Any() => known[random.Next(Math.Max(0, known.Count - 4), known.Count)];
        for (int i = 0; i < 14; i++)
        {
            known.Add(random.Next(9) switch
            {
                0 => b.HyperbolicTangent(Any()),
                1 => b.Logistic(Any()),
                2 => b.Exponential(b.Negate(b.Abs(Any()))),
                3 => b.Log(b.Abs(Any())),
                4 => b.Sine(Any()),
                5 => b.Divide(Any(), Any()),
                6 => b.Select(b.Compare(Any(), Any(), CompareDirection.LT), Any(), x),
                7 => b.Convert(b.Convert(b.Multiply(Any(), Any()), DType.I32), DType.F32),
                _ => b.Subtract(Any(), Any()),
            });
        }
        return b.HyperbolicTangent(known.Skip(1).Aggregate(x, b.Add));
    }

    [Test]
    public void TheInterpreterRunsTheSameRounds([Values("gates", "softplus", "fraction")] string chain)
    {
        Literal x = Numbers(DType.F32, 2500);
        Module module = Over(chain, x.Type);
        LiteralAssert.AreEqual(new InterpretedModule(module).Run([x])[0], CompiledModule.Run(module, [x])[0]);
    }

    // What is computed from a row's number and from a vector that all rows share is computed anew for each stage.
    [Test]
    public void RowsAreReadAtTheirPlaces()
    {
        Literal x = Numbers(DType.F32, 3 * 3000);
        Literal bias = Numbers(DType.F32, 3000);
        Module Of(int columns, int rows) => CompiledModule.Build(b =>
        {
            Node p = b.Parameter(0, new TensorType(DType.F32, Shape.Of(rows, columns)));
            Node added = b.Add(p, b.BroadcastInDim(b.Parameter(1, new TensorType(DType.F32, Shape.Of(columns))), p.Shape, [1]));
            Node counted = b.Multiply(added, b.Iota(p.Type, 1));
            return [Chains["gates"](b, counted), b.Reverse(Chains["gates"](b, added), [1])];
        });
        Literal[] actual = CompiledModule.Run(Of(3000, 3), [Reshaped(x, 3, 3000), bias]);

        Literal[] expected = Evaluator.Evaluate(Of(3000, 3).Entry, [Reshaped(x, 3, 3000), bias]);

        for (int i = 0; i < 2; i++)
        {
            float[] values = expected[i].As<float>().ToArray();
            Assert.That(actual[i].As<float>().ToArray().Zip(values).Where(p => !AreNear(p.First, p.Second)), Is.Empty, $"result {i}");
        }
        Assert.That(IsPipelined(Of(3000, 3), GraphCompiler.Cpu().Target), Is.EqualTo(IsX64));
    }

    // A loop that writes over its operand reads each place before it is written, however far rounds are ahead.
    [Test]
    public void AnOperandThatIsWrittenOverIsReadBefore([Values("gates", "softplus")] string name)
    {
        Literal x = Numbers(DType.F32, 5000);
        Module module = CompiledModule.Build(b => [b.SortValues(Chains[name](b, b.SortValues(b.Parameter(0, x.Type))))]);
        Module sort = CompiledModule.Build(b => [b.SortValues(b.Parameter(0, x.Type))]);
        var interpreted = new InterpretedModule(module);
        Literal expected = CompiledModule.Run(sort, [InShortRuns(name, CompiledModule.Run(sort, [x])[0])])[0];

        LiteralAssert.AreEqual(CompiledModule.Run(module, [x])[0], expected);
        LiteralAssert.AreEqual(interpreted.Run([x])[0], expected, "interpreted");
        Assert.That(interpreted.Kernels.Any(k => IsPipelined(k) && k.Arguments.All(a => !a.IsReadOnly)), Is.EqualTo(IsX64), "in place");
    }

    [Test]
    public void WhatIsReadElsewhereThanWrittenIsNotOverlapped()
    {
        KBuffer x = KBuffer.ForArgument("x", DType.F32, 0, isReadOnly: false);
        KBuffer y = KBuffer.ForArgument("y", DType.F32, 1, isReadOnly: false);
        Assert.That(Plan(i => new KLoad(x, i, 8)), Is.Not.Null);
        Assert.That(Plan(i => new KLoad(x, KBuilder.Add(i, 1), 8)), Is.Null);

        PipelinedLoop? Plan(Func<KExpr, KExpr> read)
        {
            var i = new KVariable("i", KType.Index);
            var b = new KBuilder();
            KExpr value = KBuilder.Call(ScalarOp.HyperbolicTangent, KBuilder.Call(ScalarOp.Logistic, b.Let("read", read(i))));
            b.Store(y, i, value);
            return PipelinedLoop.TryPlan(i, b.ToBlock(), hasFma: true);
        }
    }

    private static bool IsX64 => GraphCompiler.Cpu().Target.Architecture == LlvmArchitecture.X64;

    private static bool IsPipelined(Module module, LlvmTarget target) => new InterpretedModule(module, target).Kernels.Any(IsPipelined);

    private static bool IsPipelined(Kernel kernel) => KernelPrinter.Print(kernel).Contains("register ahead", StringComparison.Ordinal);

    private static Module Over(string chain, TensorType type) => CompiledModule.Build(b => [Chains[chain](b, b.Parameter(0, type))]);

    private static Literal InShortRuns(string chain, Literal x, LlvmTarget? target = null) => InShortRuns(type => Over(chain, type), x, target);

    // The last piece ends where the whole does, and begins within the one before.
    private static Literal InShortRuns(Func<TensorType, Module> module, Literal x, LlvmTarget? target = null)
    {
        int length = (int)x.Shape[0].Value;
        int pieces = (length + Short - 1) / Short;
        using var session = new Session(module(new TensorType(x.DType, [Short])), new CompiledModule.Uncached(target));
        Literal[] results =
        [
            .. Enumerable.Range(0, pieces).Select(
                i => session.Run("y0", new Dictionary<string, Feed> { ["x0"] = Part(x, Math.Min(i * Short, length - Short), Short) })),
        ];
        return Literal.Generate(x.Type, at => Element(results, at[0], length));
    }

    private static Scalar Element(Literal[] pieces, long at, int length)
    {
        int piece = (int)Math.Min(at / Short, pieces.Length - 1);
        return pieces[piece][at - Math.Min(piece * Short, length - Short)];
    }

    // Mostly moderate; among them, at places that differ from vector to vector, what functions treat for itself.
    private static Literal Numbers(DType type, int length)
    {
        double[] special = [double.NaN, double.PositiveInfinity, double.NegativeInfinity, -0.0, 0, 1e-40, -1e-40, 1e30, -1e30, 200, -95];
        var random = new Random(length);
        int next = 0;
        return Literal.Generate(new TensorType(type, [length]), _ => Scalar.FromDouble(
            type, next++ % 37 == 5 ? special[next / 37 % special.Length] : (random.NextDouble() * 12) - 6));
    }

    private static Literal Part(Literal x, int begin, int length) =>
        Literal.Generate(new TensorType(x.DType, [length]), at => x[begin + at[0]]);

    private static Literal Reshaped(Literal x, int rows, int columns) => Literal.From<float>(x.As<float>().ToArray(), rows, columns);

    private static bool AreNear(float a, float b) =>
        (float.IsNaN(a) && float.IsNaN(b)) || a == b || Math.Abs(a - b) <= 1e-5f * Math.Max(1, Math.Abs(b));
}
