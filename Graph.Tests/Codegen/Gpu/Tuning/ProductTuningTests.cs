using Graphene.Codegen;
using Graphene.Runtime;
using Graphene.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>Records of measured products: what is measured, what is written down, and what a compilation makes of it.</summary>
internal sealed class ProductTuningTests
{
    private static readonly GpuTarget Gpu = new(90, true);

    // x * w1 and x * w2 are one product; the one behind them is another.
    private static Module Network => CompiledModule.Build(b =>
    {
        Node x = b.Parameter(0, new TensorType(DType.BF16, Shape.Of(200, 512)));
        Node Times(Node left, int number, int rows, int columns) => b.DotGeneral(
            left, b.Parameter(number, new TensorType(DType.BF16, Shape.Of(rows, columns))), [], [], [1], [0], DType.BF16);
        return [Times(Times(x, 1, 512, 512), 2, 512, 512), Times(x, 3, 512, 96)];
    });

    [Test]
    public void TheFastestOfEachDistinctProductIsWrittenDown()
    {
        var clock = new Clock(plan => plan.Parts == 2 ? 5 : 10 + plan.Tile.Rows);
        var results = new List<TuningResult>();
        ProductTuning tuning = Tune(Network, clock, new TuningOptions { Candidates = 40, Measured = results.Add });

        Assert.That(tuning.Count, Is.EqualTo(2));
        Assert.That(results, Has.Count.EqualTo(2));
        Assert.That(tuning.Products.Select(p => p.Microseconds), Is.All.EqualTo(5));
        Assert.That(tuning.Products.Select(p => p.Plan), Is.All.Contains(", 2 parts"));
        Assert.That(clock.Asked.Distinct().Count(), Is.GreaterThan(20), "many ways are tried");
        Assert.That(results.Select(r => r.Fastest), Is.EquivalentTo(tuning.Products.Select(p => p.Plan)));
    }

    [Test]
    public void WhatTheModelExpectsIsMeasuredAndWinsDraws()
    {
        var clock = new Clock(_ => 1);
        ProductTuning tuning = Tune(Network, clock, new TuningOptions { Candidates = 3 });
        Module product = GpuDotTests.Dot(DType.BF16, DType.BF16, "nn", 200, 512, 96);
        Assert.That(tuning.Products.Select(p => p.Plan), Does.Contain(ProductPlanText.Of(new PlannedProduct(product).Plan)));
        Assert.That(clock.Asked, Has.Count.EqualTo(6));
    }

    [Test]
    public void ACompilationUsesTheRecordAndNothingElse()
    {
        ProductTuning tuning = Tune(
            Network, new Clock(plan => plan.Tile.Rows == 128 && plan.Parts == 1 ? 1 : 2),
            new TuningOptions { Candidates = 100 });
        Module product = GpuDotTests.Dot(DType.BF16, DType.BF16, "nn", 200, 512, 96);
        ProductPlan chosen = new PlannedProduct(product, target: Gpu with { Tuning = tuning }).Plan;

        Assert.That(chosen.Tile.Rows, Is.EqualTo(128));
        Assert.That(new PlannedProduct(product).Plan, Is.Not.EqualTo(chosen));
        // Another GPU of the architecture, another architecture, another type and another size are not what was measured.
        GpuTarget smaller = Gpu with { Tuning = tuning, Multiprocessors = 114 };
        Assert.That(new PlannedProduct(product, target: smaller).Plan.Tile.Rows, Is.Not.EqualTo(128));
        Assert.That(new PlannedProduct(product, target: new GpuTarget(80) { Tuning = tuning }).Plan.Tile.Rows, Is.Not.EqualTo(128));
        Assert.That(tuning.CountFor(Gpu), Is.EqualTo(2));
        Assert.That(tuning.CountFor(new GpuTarget(80)), Is.Zero);
        foreach (Module other in new[]
        {
            GpuDotTests.Dot(DType.F16, DType.F16, "nn", 200, 512, 96), GpuDotTests.Dot(DType.BF16, DType.BF16, "nt", 200, 512, 96),
            GpuDotTests.Dot(DType.BF16, DType.F32, "nn", 200, 512, 96), GpuDotTests.Dot(DType.BF16, DType.BF16, "nn", 201, 512, 96),
        })
        {
            Assert.That(
                new PlannedProduct(other, target: Gpu with { Tuning = tuning }).Plan, Is.EqualTo(new PlannedProduct(other).Plan));
        }
    }

    [Test]
    public void TheSameMeasurementsGiveTheSameText()
    {
        var options = new TuningOptions { Candidates = 12 };
        double Time(ProductPlan plan) => (plan.Tile.Columns / 7.0) + plan.Parts;
        string json = Tune(Network, new Clock(Time), options).ToJson();

        Assert.That(Tune(Network, new Clock(Time), options).ToJson(), Is.EqualTo(json));
        ProductTuning read = ProductTuning.Parse(json);
        Assert.That(read.ToJson(), Is.EqualTo(json));
        Assert.That(json, Does.EndWith("}\n").And.Not.Contain("\r"));
        Assert.That(json, Does.Contain("\"gpu\": \"sm_90a\"").And.Contain("\"multiprocessors\": 132").And.Contain("\"depth\": 512"));
    }

    [Test]
    public void TheChoicesArePartOfTheKeyOfTheCacheAndTimesAreNot()
    {
        string Key(ProductTuning? tuning) => GraphCompiler.For(Gpu, new GraphCompilerOptions { Tuning = tuning }).Fingerprint;
        ProductTuning quick = Tune(Network, new Clock(p => p.Tile.Rows), new TuningOptions());
        ProductTuning slow = Tune(Network, new Clock(p => 2 * p.Tile.Rows), new TuningOptions());
        ProductTuning other = Tune(Network, new Clock(p => -p.Tile.Rows), new TuningOptions());

        Assert.That(Key(slow), Is.EqualTo(Key(quick)));
        Assert.That(new[] { Key(null), Key(quick), Key(other) }, Is.Unique);
        Assert.That(GraphCompiler.For(Gpu with { Tuning = quick }).Fingerprint, Is.EqualTo(Key(quick)));
        Assert.That(GraphCompiler.For(Gpu with { CutsSums = false }).Fingerprint, Is.Not.EqualTo(Key(null)));
    }

    [Test]
    public void NewerEntriesReplaceOlderOnes()
    {
        ProductTuning first = Tune(Network, new Clock(_ => 8), new TuningOptions { Candidates = 2 });
        ProductTuning again = Tune(Network, new Clock(_ => 4), new TuningOptions { Candidates = 2 });
        ProductTuning older = ProductTuner.Tune(
            Network, new GpuTarget(80), GraphCompilerOptions.Default, new TuningOptions { Candidates = 2 },
            new Clock(_ => 3),
            CancellationToken.None);

        ProductTuning all = older.With(first).With(again);

        Assert.That(all.Count, Is.EqualTo(4));
        Assert.That(all.Products.Select(p => p.Microseconds), Is.EqualTo(new double[] { 3, 3, 4, 4 }));
    }

    [Test]
    public void TilesThatTheCompilerHasNotAreAnError()
    {
        string json = Tune(Network, new Clock(_ => 1), new TuningOptions { Candidates = 1 }).ToJson();
        ProductTuning changed = ProductTuning.Parse(json.Replace("warps ", "warps 1", StringComparison.Ordinal), "the file");
        Module product = GpuDotTests.Dot(DType.BF16, DType.BF16, "nn", 200, 512, 96);

        GraphException e = Assert.Throws<GraphException>(() => _ = new PlannedProduct(product, target: Gpu with { Tuning = changed }))!;

        Assert.That(e.Id, Is.EqualTo(CodegenDiagnostics.UnknownTile));
        Assert.That(e.Message, Does.Contain("1 x 200 x 96 x 512").And.Contain("the file"));
    }

    [Test]
    public void ADeviceMeasuresWhatItRuns()
    {
        using var device = new InterpretedGpu();
        Dim n = Dim.Symbol("n", 1, 40);
        Module module = CompiledModule.Build(b =>
        [
            b.DotGeneral(
                b.Parameter(0, new TensorType(DType.F32, [n, 24])),
                b.Parameter(1, new TensorType(DType.F32, Shape.Of(24, 20))),
                [], [], [1], [0], DType.F32),
            b.DotGeneral(
                b.Parameter(2, new TensorType(DType.I8, Shape.Of(8, 700))),
                b.Parameter(3, new TensorType(DType.I8, Shape.Of(700, 16))),
                [], [], [1], [0], DType.I32),
        ]);
        ProductTuning tuning = ProductTuner.Tune(GraphCompiler.Gpu(device), module, new TuningOptions { Candidates = 3, Runs = 2 });

        Assert.That(tuning.Count, Is.EqualTo(2));
        Assert.That(tuning.Products.Select(p => p.Microseconds), Is.All.GreaterThan(0));
        Assert.That(tuning.Products.Select(p => p.Tried), Is.All.EqualTo(3));
        Assert.That(device.Launches, Is.GreaterThanOrEqualTo(2 * 3 * 3), "each way warms up and runs twice");
        Assert.That(device.LiveAllocations, Is.Zero);
        Assert.That(device.LiveHandles, Is.Zero);

        // What was tuned computes the same.
        Literal[] arguments = [ProductNoise.Of(DType.I8, 1, 8, 700), ProductNoise.Of(DType.I8, 2, 700, 16)];
        Module product = GpuDotTests.Dot(DType.I8, DType.I32, "nn", 8, 700, 16);
        GpuCompiler compiler = GraphCompiler.Gpu(device, new GraphCompilerOptions { Tuning = tuning });
        using GraphProgram program = compiler.Load(compiler.Compile(product, NullLogger.Instance, CancellationToken.None));
        (string x, string w) = (program.Inputs[0].Name, program.Inputs[1].Name);
        Literal actual = program.Run(new Dictionary<string, Feed> { [x] = arguments[0], [w] = arguments[1] })[0];
        LiteralAssert.AreEqual(actual, Evaluator.Evaluate(product.Entry, arguments)[0]);
    }

    [TestCase("", "it is no JSON")]
    [TestCase("[", "it is no JSON")]
    [TestCase("[[[[[[[[[[1]]]]]]]]]]", "it is no JSON")]
    [TestCase("[]", "it is no object")]
    [TestCase("{}", "it does not say \"format\"")]
    [TestCase("""{ "format": 3 }""", "it does not say \"format\"")]
    [TestCase("""{ "format": "graphene product tuning" }""", "another version than 1")]
    [TestCase("""{ "format": "graphene product tuning", "version": 1.5 }""", "another version than 1")]
    [TestCase("""{ "format": "graphene product tuning", "version": 1 }""", "it has no list of products")]
    [TestCase("""{ "format": "graphene product tuning", "version": 1, "products": [1] }""", "product 1 is no object")]
    [TestCase("""{ "format": "graphene product tuning", "version": 1, "products": [{}] }""", "product 1 has no 'gpu'")]
    public void WhatIsNoRecordIsRefused(string json, string problem) => AssertBad(json, problem);

    [Test]
    public void ChangedEntriesAreRefused()
    {
        string json = Tune(Network, new Clock(_ => 1), new TuningOptions { Candidates = 1 }).ToJson();
        (string From, string To, string Problem)[] changes =
        [
            ("\"depth\": 512", "\"depth\": -1", "has no count in 'depth'"),
            ("\"depth\": 512", "\"depth\": 1e99", "has no count in 'depth'"),
            ("\"depth\": 512", "\"depth\": \"512\"", "has no count in 'depth'"),
            ("\"gpu\": \"sm_90a\"", "\"gpu\": null", "has no text in 'gpu'"),
            ("\"gpu\": \"sm_90a\"", "\"gpu\": \"" + new string('x', 300) + "\"", "a text in 'gpu' that cannot be one"),
            ("\"gpu\": \"sm_90a\"", "\"gpu\": \"\\u0007\"", "a text in 'gpu' that cannot be one"),
            ("\"tried\"", "\"tries\"", "has no 'tried'"), ("\"tried\"", "\"batch\"", "has 'batch' twice"),
            ("\"tried\"", "\"new\": 1, \"tried\"", "has 'new', which this version does not know"),
            ("\"microseconds\": 1", "\"microseconds\": -1", "has no time in 'microseconds'"),
            ("\"multiprocessors\": 132", "\"multiprocessors\": 9999999999", "has no count in 'multiprocessors'"),
            ("\"columns\": 96", "\"columns\": 512", "product 2 names a product for the second time"),
        ];
        foreach ((string from, string to, string problem) in changes)
        {
            Assert.That(json, Does.Contain(from));
            AssertBad(json.Replace(from, to, StringComparison.Ordinal), problem);
        }
    }

    [Test]
    public void EveryTruncationAndRandomBytesAreRefused()
    {
        string json = Tune(Network, new Clock(_ => 1), new TuningOptions { Candidates = 1 }).ToJson();
        for (int length = 0; length < json.Length - 2; length += 5)
        {
            AssertBad(json[..length], "");
        }
        var random = new Random(6);
        for (int i = 0; i < 500; i++)
        {
            char[] text = json.ToCharArray();
            text[random.Next(text.Length)] = (char)random.Next(1, 127);
            try
            {
                ProductTuning.Parse(new string(text));
            }
            catch (GraphException e)
            {
                Assert.That(e.Id, Is.EqualTo(CodegenDiagnostics.BadTuning));
            }
        }
        using var folder = new TemporaryFolder();
        Assert.That(
            Assert.Throws<GraphException>(() => ProductTuning.Read(folder.Combine("none")))!.Id,
            Is.EqualTo(CodegenDiagnostics.BadTuning));
    }

    private static void AssertBad(string json, string problem)
    {
        GraphException e = Assert.Throws<GraphException>(() => ProductTuning.Parse(json, "model.tuning"), json)!;
        Assert.That(e.Id, Is.EqualTo(CodegenDiagnostics.BadTuning));
        Assert.That(e.What, Does.Contain(problem));
        Assert.That(e.Where, Is.EqualTo("model.tuning"));
    }

    private static ProductTuning Tune(Module module, IProductTimer clock, TuningOptions options) =>
        ProductTuner.Tune(module, Gpu, GraphCompilerOptions.Default, options, clock, CancellationToken.None);

    // Says of each way how long it takes.
    private sealed class Clock(Func<ProductPlan, double> time) : IProductTimer
    {
        public List<ProductPlan> Asked { get; } = [];

        public double Microseconds(IReadOnlyList<LoweredKernel> kernels, ProductPlan plan, Func<DimSymbol, long> sizes)
        {
            Asked.Add(plan);
            return time(plan);
        }
    }
}
