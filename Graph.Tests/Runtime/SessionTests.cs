using Graphene.Runtime;
using Microsoft.Extensions.Logging;
using NUnit.Framework;

namespace Graphene.Tests.Runtime;

public sealed class SessionTests
{
    private static readonly DimSymbol Batch = new("batch", 1, 100);

    [Test]
    public void FetchesAreComputedFromFeeds()
    {
        using var session = new Session(TwoOutputs(), new ReferenceCompiler());
        var feeds = new Dictionary<string, Feed> { ["x"] = (float[])[1, 2, 3], ["y"] = (float[])[10, 20, 30] };
        Literal[] results = session.Run(["sum", "negated"], feeds);
        Assert.That(results[0].As<float>().ToArray(), Is.EqualTo(new float[] { 11, 22, 33 }));
        Assert.That(results[0].Type.ToString(), Is.EqualTo("f32[3]"));
        Assert.That(results[1].As<float>().ToArray(), Is.EqualTo(new float[] { -1, -2, -3 }));
    }

    [Test]
    public void OnlyWhatIsNeededMustBeFed()
    {
        using var session = new Session(TwoOutputs(), new ReferenceCompiler());
        Literal negated = session.Run("negated", new Dictionary<string, Feed> { ["x"] = (float[])[1, 2] });
        Assert.That(negated.As<float>().ToArray(), Is.EqualTo(new float[] { -1, -2 }));
        var error = Assert.Throws<GraphException>(() => session.Run("sum", new Dictionary<string, Feed> { ["x"] = (float[])[1, 2] }));
        Assert.That(error!.Message, Does.Contain("input 'y' is missing"));
    }

    [Test]
    public void OnePlanServesEveryBatchAndEveryMissIsExplained()
    {
        var compiler = new CountingCompiler();
        var log = new RecordingLogger();
        using var session = new Session(TwoOutputs(), compiler, new SessionOptions { Logger = log, MaxPlans = 2 });
        for (int batch = 1; batch < 10; batch++)
        {
            var feeds = new Dictionary<string, Feed> { ["x"] = new float[batch], ["y"] = new float[batch] };
            Assert.That(session.Run("sum", feeds).ElementCount, Is.EqualTo(batch));
        }
        Assert.That(compiler.Count, Is.EqualTo(1));
        var one = new Dictionary<string, Feed> { ["x"] = new float[1], ["y"] = new float[1] };
        session.Run(["sum", "negated"], one);
        session.Run(["negated", "sum"], one);
        Assert.That(session.PlanCount, Is.EqualTo(2));
        session.Run(["sum"], one);
        Assert.That(compiler.Count, Is.EqualTo(4));
        string[] causes = [.. log.Messages.Where(m => m.StartsWith("Compiling", StringComparison.Ordinal)).Select(m => m.Split(": ")[^1])];
        Assert.That(causes, Has.Length.EqualTo(4));
        string[] all = [.. log.Messages];
        Assert.That(all[0], Does.Contain("plan for sum of 'two' on reference: it is the first plan of this session"));
        Assert.That(all[2], Does.EndWith("+negated"));
        Assert.That(all[4], Does.Contain("another order"));
        Assert.That(all[6], Does.Contain("dropped to make room; more than 2 plans"));
    }

    [Test]
    public void UnknownNamesAndWrongValuesAreExplained()
    {
        using var session = new Session(TwoOutputs(), new ReferenceCompiler());
        Feed three = new float[3];
        AssertRefused(session, ["nosuch"], [], RuntimeDiagnostics.UnknownFetch, "choose from: sum, negated");
        AssertRefused(session, ["sum", "sum"], [], RuntimeDiagnostics.UnknownFetch, "twice");
        AssertRefused(session, ["sum"], [("z", three)], RuntimeDiagnostics.BadFeed, "no input 'z'");
        AssertRefused(session, ["sum"], [("x", three), ("y", new double[3])], RuntimeDiagnostics.BadFeed, "f64 elements were given");
        AssertRefused(
            session, ["sum"], [("x", three), ("y", new float[4])],
            RuntimeDiagnostics.ShapeMismatch, "batch = 3 by dimension 0 of input 'x'");
        AssertRefused(session, ["sum"], [("x", 1f), ("y", three)], RuntimeDiagnostics.ShapeMismatch, "has 0 dimensions");
        AssertRefused(session, ["sum"], [("x", new float[101]), ("y", new float[101])], RuntimeDiagnostics.ShapeMismatch, "1..100");
    }

    [Test]
    public void ConcurrentRunsCompileOnce()
    {
        var compiler = new CountingCompiler();
        using var session = new Session(TwoOutputs(), compiler);
        Parallel.For(0, 64, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i =>
        {
            Literal result = session.Run("negated", new Dictionary<string, Feed> { ["x"] = (float[])[i] });
            Assert.That(result.As<float>()[0], Is.EqualTo(-i));
        });
        Assert.That(compiler.Count, Is.EqualTo(1));
    }

    [Test]
    public void AFailedCompilationIsTriedAgain()
    {
        var compiler = new CountingCompiler { Failures = 1 };
        using var session = new Session(TwoOutputs(), compiler);
        var feeds = new Dictionary<string, Feed> { ["x"] = (float[])[1] };
        Assert.Throws<InvalidOperationException>(() => session.Run("negated", feeds));
        Assert.That(session.Run("negated", feeds).As<float>()[0], Is.EqualTo(-1));
    }

    [Test]
    public void ACallableOutlivesItsPlaceInTheCache()
    {
        using var session = new Session(TwoOutputs(), new ReferenceCompiler(), new SessionOptions { MaxPlans = 1 });
        using Callable call = session.MakeCallable(["sum"], ["x", "y"]);
        session.Run("negated", new Dictionary<string, Feed> { ["x"] = (float[])[1] });
        float[] result = new float[2];
        call.Run<float, float, float>([1, 2], [3, 4], result);
        Assert.That(result, Is.EqualTo(new float[] { 4, 6 }));
        session.Dispose();
        call.Run<float, float, float>([1, 2], [30, 40], result);
        Assert.That(result, Is.EqualTo(new float[] { 31, 42 }));
        Assert.Throws<ObjectDisposedException>(() => session.MakeCallable(["sum"]));
    }

    [Test]
    public void ACallableTakesExactlyItsInputs()
    {
        using var session = new Session(TwoOutputs(), new ReferenceCompiler());
        var error = Assert.Throws<GraphException>(() => session.MakeCallable(["negated"], ["x", "y"]));
        Assert.That(error!.Message, Does.Contain("its inputs are x,"));
    }

    [Test]
    public async Task RunAsyncGivesTheResultOrIsCancelled()
    {
        using var session = new Session(TwoOutputs(), new ReferenceCompiler());
        var feeds = new Dictionary<string, Feed> { ["x"] = (float[])[1] };
        Literal[] results = await session.RunAsync(["negated"], feeds);
        Assert.That(results[0].As<float>()[0], Is.EqualTo(-1));
        var cancelled = new CancellationToken(canceled: true);
        await Assert.CatchAsync<OperationCanceledException>(() => session.RunAsync(["negated"], feeds, cancelled));
        Assert.That((await session.RunAsync(["negated"], feeds))[0].As<float>()[0], Is.EqualTo(-1));
    }

    [Test]
    public void AnInputThatOnlyTellsASymbolIsKept()
    {
        var b = new GraphBuilder();
        Node x = b.Parameter(0, new TensorType(DType.F32, [Batch]));
        Node y = b.Parameter(1, new TensorType(DType.F32, [(Dim)Batch * 2]));
        _ = b.Parameter(2, new TensorType(DType.F32, [5]));
        Node zeros = b.Add(new BroadcastInDimOp([Batch], []), b.Constant(DType.F32, 0));
        var module = new Module("m", b.Build("main", [zeros, y]), ["x", "y", "unused"], ["zeros", "y2"], b.Provenance);
        Module pruned = ModulePruner.Select(module, [0]);
        Assert.That(pruned.InputNames, Is.EqualTo(new[] { "x" }));
        using var session = new Session(module, new ReferenceCompiler());
        Assert.That(session.Run("zeros", new Dictionary<string, Feed> { ["x"] = new float[4] }).ElementCount, Is.EqualTo(4));
        Assert.That(x, Is.SameAs(module.Entry.Parameters[0]));
    }

    [Test]
    public void FeedsShareMemoryAndKnowTheirShape()
    {
        float[] elements = [1, 2, 3, 4];
        Feed feed = Feed.Of<float>(elements, 2, 2);
        elements[0] = 7;
        Assert.That(BitConverter.ToSingle(feed.Bytes.Span), Is.EqualTo(7));
        Assert.That(feed.Shape.ToArray(), Is.EqualTo(new long[] { 2, 2 }));
        Assert.Throws<ArgumentException>(() => Feed.Of<float>(elements, 3));
        Feed scalar = 2.5;
        Assert.That(scalar.DType, Is.EqualTo(DType.F64));
        Assert.That(scalar.HasShape && scalar.Shape.IsEmpty, Is.True);
        Assert.That(((Feed)Literal.From<int>([1, 2], 2)).Shape.ToArray(), Is.EqualTo(new long[] { 2 }));
        Assert.That(Feed.Of<byte>(new byte[] { 9 }).Bytes.Span[0], Is.EqualTo(9));
    }

    private static void AssertRefused(
        Session session, string[] fetches, (string Name, Feed Feed)[] feeds, DiagnosticId id, string text)
    {
        var error = Assert.Throws<GraphException>(() => session.Run(fetches, feeds.ToDictionary(f => f.Name, f => f.Feed)));
        Assert.That(error!.Id, Is.EqualTo(id), error.Message);
        Assert.That(error.Message, Does.Contain(text));
    }

    private static Module TwoOutputs()
    {
        var b = new GraphBuilder();
        var type = new TensorType(DType.F32, [Batch]);
        Node x = b.Parameter(0, type);
        Node y = b.Parameter(1, type);
        return new Module(
            "two", b.Build("main", [b.Add(x, y), b.Negate(x)]), ["x", "y"], ["sum", "negated"], b.Provenance);
    }

    private sealed class CountingCompiler : IGraphCompiler
    {
        private int _count;

        public int Count => _count;

        public int Failures { get; set; }

        public string Device => "reference";

        public GraphProgram Compile(Module module, ILogger logger, CancellationToken cancellation)
        {
            Interlocked.Increment(ref _count);
            return Failures-- > 0
                ? throw new InvalidOperationException("the compiler is out of order")
                : new ReferenceCompiler().Compile(module, logger, cancellation);
        }
    }
}
