using System.Diagnostics;
using Graphene.Runtime;
using NUnit.Framework;

namespace Graphene.Tests.Runtime;

public sealed unsafe class NativeProgramTests
{
    [Test]
    public void OneProgramServesEveryBatch()
    {
        using NativeProgram program = TestEntries.Program(TestEntries.ScaleAndAdd(), &TestEntries.RunScaleAndAdd);
        foreach (int batch in (int[])[1, 7, 64, 7])
        {
            float[] x = [.. Enumerable.Range(0, batch * 3).Select(i => (float)i)];
            float[] y = new float[x.Length];
            Run(program, x, y, batch);
            Assert.That(y, Is.EqualTo(x.Select((v, i) => (2 * v) + (10 * ((i % 3) + 1)))));
        }
        Assert.That(program.ScratchBytes([7L, 3L]), Is.EqualTo(7 * 12 is var bytes ? (bytes + 63) / 64 * 64 : 0));
    }

    [Test]
    public void ShapesThatDoNotFitAreExplained()
    {
        using NativeProgram program = TestEntries.Program(TestEntries.ScaleAndAdd(), &TestEntries.RunScaleAndAdd);
        Assert.That(
            Assert.Throws<GraphException>(() => program.Bind([2, 4]))!.Message,
            Does.Contain("input 'x': shape [2,4] does not fit f32[batch,3]: dimension 1 is 4, not 3"));
        Assert.That(
            Assert.Throws<GraphException>(() => program.Bind([0, 3]))!.Message,
            Does.Contain("'batch' is 0, and must lie in 1..1000"));
        Assert.That(Assert.Throws<GraphException>(() => program.Bind([1001, 3]))!.Id, Is.EqualTo(RuntimeDiagnostics.ShapeMismatch));
    }

    [Test]
    public void SymbolsAreReadOffLinearDimensions()
    {
        DimSymbol n = new("n", 1, 100);
        var inputs = new InputSpec("x", new TensorType(DType.F32, [(3 * (Dim)n) + 1, n + (Dim)2]));
        var binder = new SignatureBinder([inputs], [], [n], [new ShapeCheck(new DimCheck(n, DimRelation.AtMost, 5), "%4 = slice")]);
        long[] symbols = new long[1];
        binder.Bind([13, 6], symbols);
        Assert.That(symbols[0], Is.EqualTo(4));
        Assert.That(
            Assert.Throws<GraphException>(() => binder.Bind([12, 6], symbols))!.Message, Does.Contain("must be 3*n+1 for a whole number"));
        Assert.That(
            Assert.Throws<GraphException>(() => binder.Bind([13, 7], symbols))!.Message,
            Does.Contain("dimension 1 is 7, not 6").And.Contain("n = 4 by dimension 0 of input 'x'"));
        Assert.That(
            Assert.Throws<GraphException>(() => binder.Bind([31, 12], symbols))!.Message,
            Does.Contain("n = 10 must be at most 5").And.Contain("%4 = slice"));
    }

    [Test]
    public void ASymbolThatNoInputTellsIsRefused()
    {
        DimSymbol n = new("n", 1, 100);
        var input = new InputSpec("x", new TensorType(DType.F32, [(Dim)n * n]));
        var error = Assert.Throws<GraphException>(() => _ = new SignatureBinder([input], [], [n], []));
        Assert.That(error!.Id, Is.EqualTo(RuntimeDiagnostics.UnboundSymbol));
    }

    [Test]
    public void OutputsThatLieElsewhereAreCopied()
    {
        using NativeProgram program = TestEntries.Program(TestEntries.Forward(), &TestEntries.DoNothing);
        Literal[] results = FedRun.Run(
            program, new Dictionary<string, Feed> { ["a"] = (int[])[1, 2, 3, 4], ["b"] = (int[])[5, 6, 7, 8] }, Settings());
        Assert.That(results.Select(r => r.As<int>().ToArray()), Is.EqualTo(new int[][]
        {
            [5, 6, 7, 8], [1, 2, 3, 4], [7, 8, 9, 10], [3, 4], [1, 2, 3, 4],
        }));
    }

    [Test]
    public void AnInputThatIsNotFedTakesItsDefault()
    {
        using NativeProgram program = TestEntries.Program(TestEntries.Forward(), &TestEntries.DoNothing);
        Literal[] results = FedRun.Run(program, new Dictionary<string, Feed> { ["a"] = (int[])[1, 2, 3, 4] }, Settings());
        Assert.That(results[0].As<int>().ToArray(), Is.EqualTo(new[] { 7, 8, 9, 10 }));
        var error = Assert.Throws<GraphException>(() => FedRun.Run(program, new Dictionary<string, Feed>(), Settings()));
        Assert.That(error!.Message, Does.Contain("input 'a' is missing").And.Contain("i32[4]"));
    }

    [Test]
    public void AProgramRunsWithoutASession()
    {
        using NativeProgram program = TestEntries.Program(TestEntries.ScaleAndAdd(), &TestEntries.RunScaleAndAdd);
        var one = new RunOptions { MaxThreads = 1 };
        Literal[] results = program.Run(new Dictionary<string, Feed> { ["x"] = (float[])[1, 2, 3] }, one);
        Assert.That(results[0].As<float>().ToArray(), Is.EqualTo(new float[] { 12, 24, 36 }));
        using Callable call = program.MakeCallable(one);
        float[] y = new float[3];
        call.Run<float, float>([4, 5, 6], y);
        Assert.That(y, Is.EqualTo(new float[] { 18, 30, 42 }));
        var error = Assert.Throws<GraphException>(() => program.Run(new Dictionary<string, Feed> { ["z"] = new float[3] }));
        Assert.That(error!.Message, Does.Contain("no input 'z'").And.Contain("choose from: x"));
    }

    [Test]
    public void RunsOfManyThreadsDoNotDisturbEachOther()
    {
        using NativeProgram program = TestEntries.Program(TestEntries.ScaleAndAdd(), &TestEntries.RunScaleAndAdd);
        int wrong = 0;
        Thread[] threads = [.. Enumerable.Range(1, 8).Select(batch => new Thread(() =>
        {
            float[] x = [.. Enumerable.Range(0, batch * 3).Select(i => (float)(i * batch))];
            float[] expected = [.. x.Select((v, i) => (2 * v) + (10 * ((i % 3) + 1)))];
            float[] y = new float[x.Length];
            for (int i = 0; i < 2000; i++)
            {
                Run(program, x, y, batch);
                if (!y.AsSpan().SequenceEqual(expected))
                {
                    Interlocked.Increment(ref wrong);
                }
            }
        }))];
        Array.ForEach(threads, t => t.Start());
        Array.ForEach(threads, t => t.Join());
        Assert.That(wrong, Is.Zero);
    }

    [Test]
    public void CancellationStopsARunSoonAndLeavesTheProgramUsable()
    {
        using NativeProgram program = TestEntries.Program(TestEntries.Empty(), &TestEntries.WaitForCancellation);
        TimeSpan fastest = TimeSpan.MaxValue; // of several: the machine may be busy with something else
        for (int i = 0; i < 4; i++)
        {
            using var source = new CancellationTokenSource();
            long cancelled = 0;
            source.Token.Register(() => cancelled = Stopwatch.GetTimestamp());
            source.CancelAfter(20);
            CancellationToken token = source.Token;
            var error = Assert.Throws<OperationCanceledException>(() => program.Run(program.Bind([]), null, null, Settings(token)));
            Assert.That(error!.CancellationToken, Is.EqualTo(token));
            TimeSpan took = Stopwatch.GetElapsedTime(cancelled);
            fastest = took < fastest ? took : fastest;
        }
        Assert.That(fastest, Is.LessThan(TimeSpan.FromMilliseconds(50)));
    }

    [Test]
    public void AFailedCheckNamesItsPlace()
    {
        using NativeProgram program = TestEntries.Program(TestEntries.Empty(), &TestEntries.FailCheck);
        var error = Assert.Throws<GraphException>(() => program.Run(program.Bind([]), null, null, Settings()));
        Assert.That(error!.Id, Is.EqualTo(RuntimeDiagnostics.RunTimeCheck));
        Assert.That(error.Where, Is.EqualTo("index 3 of gather, built in Model.cs:7"));
    }

    [Test]
    public void PrintsArePrintedAndAssertionsEndTheRun()
    {
        using NativeProgram program = TestEntries.Program(TestEntries.Empty(), &TestEntries.PrintAndAssert);
        using var output = new StringWriter();
        RunSettings settings = Settings() with { PrintOutput = output };
        var error = Assert.Throws<GraphException>(() => program.Run(program.Bind([]), null, null, settings));
        Assert.That(output.ToString().Trim(), Is.EqualTo("x is f32[2] [1.5, -2]"));
        Assert.That(error!.Id, Is.EqualTo(DiagnosticId.AssertionFailed));
        Assert.That(error.Message, Does.Contain("x must be small").And.Contain("Model.cs:9"));
    }

    [Test]
    public void NothingLeaks()
    {
        long bytes = NativeBlock.LiveBytes;
        NativeProgram program = TestEntries.Program(TestEntries.ScaleAndAdd(), &TestEntries.RunScaleAndAdd);
        float[] x = new float[300];
        Run(program, x, new float[300], 100);
        Assert.That(NativeBlock.LiveBytes, Is.GreaterThan(bytes));
        program.Trim();
        Run(program, x, new float[300], 100);
        program.Dispose();
        program.Dispose();
        Assert.That(NativeBlock.LiveBytes, Is.EqualTo(bytes));
        Assert.Throws<ObjectDisposedException>(() => Run(program, x, new float[300], 100));
    }

    [Test]
    public void CodeForAnotherProcessorIsRefusedByName()
    {
        ExecutablePlan plan = TestEntries.Plan("model");
        string here = System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture
            == System.Runtime.InteropServices.Architecture.X64 ? "x86_64-unknown-linux-elf" : "aarch64-unknown-linux-elf";
        using Executable wrongFeature = Executable.Create(
            plan with { TargetTriple = here, CpuFeatures = "+quantum512,-avx2" }, []);
        var error = Assert.Throws<GraphException>(() => NativeProgram.Load(wrongFeature));
        Assert.That(error!.Id, Is.EqualTo(RuntimeDiagnostics.WrongProcessor));
        Assert.That(error.Message, Does.Contain("quantum512"));
        using Executable wrongArchitecture = Executable.Create(plan with { TargetTriple = "wasm32-unknown-unknown" }, []);
        Assert.That(
            Assert.Throws<GraphException>(() => NativeProgram.Load(wrongArchitecture))!.Message, Does.Contain("its code is for wasm32"));
    }

    internal static RunSettings Settings(CancellationToken cancellation = default) =>
        new(ComputePool.Shared, 1, TextWriter.Null, cancellation);

    private static void Run(NativeProgram program, float[] x, float[] y, long batch)
    {
        fixed (float* input = x)
        {
            fixed (float* output = y)
            {
                void* inputs = input;
                void* outputs = output;
                program.Run(program.Bind([batch, 3]), &inputs, &outputs, Settings());
            }
        }
    }
}
