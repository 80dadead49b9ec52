using Graphene.Codegen;
using Graphene.Runtime;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Packages;

/// <summary>The classes that the build of these tests generated: they compute what a session does, and allocate nothing for it.</summary>
internal sealed class GeneratedModelTests
{
    private static readonly float[] Image = [.. Enumerable.Range(0, 2 * 784).Select(i => MathF.Cos(i))];

    [Test]
    public void SpansAndArraysAreWhatASessionComputes()
    {
        using var session = new Session(Parser.ParseModule(ModelText("digits")), GraphCompiler.Cpu());
        float[] expected = session.Run(["scores"], new Dictionary<string, Feed> { ["image"] = Image })[0].As<float>().ToArray();
        using Digits digits = Digits.Load();
        float[] longer = new float[25];

        digits.Run(Image, longer);

        Assert.That(digits.Run(Image), Is.EqualTo(expected));
        Assert.That(longer[..20], Is.EqualTo(expected));
        Assert.That(longer[20..], Is.All.Zero);
        using Digits.RunCall call = digits.Bind(batch: 2);
        Image.CopyTo(call.Image);
        call.Run();
        Assert.That(call.Scores.ToArray(), Is.EqualTo(expected));
        Assert.That(Digits.ScoresShape, Is.EqualTo("f32[batch,10]"));
    }

    [Test]
    public void ScalarsAndSymbolsAreParameters()
    {
        using Mixed mixed = Mixed.Load();
        long[] tokens = [1, 2, 3, 4, 5, 6];
        float[] bias = [10, 20, 30];
        float[] scores = new float[6];

        mixed.Run(2, tokens, bias, scores, out float square, batch: 2, length: 3);
        Mixed.RunResult result = mixed.Run(3, tokens, bias, batch: 2, length: 3);

        Assert.That(scores, Is.EqualTo(new float[] { 12, 24, 36, 18, 30, 42 }));
        Assert.That(square, Is.EqualTo(4));
        Assert.That(result.Scores, Is.EqualTo(new float[] { 13, 26, 39, 22, 35, 48 }));
        Assert.That(result.Square, Is.EqualTo(9));
    }

    [Test]
    public void RunsAllocateNothing()
    {
        using Digits digits = Digits.Load(new RunOptions { MaxThreads = 1 });
        using Mixed mixed = Mixed.Load(new RunOptions { MaxThreads = 1 });
        float[] scores = new float[20];
        long[] tokens = new long[6];
        float[] bias = new float[3];
        void Run()
        {
            digits.Run(Image, scores);
            mixed.Run(2, tokens, bias, scores, out _, 2, 3);
        }
        for (int i = 0; i < 100; i++)
        {
            Run();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10_000; i++)
        {
            Run();
        }

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    [Test]
    public void MemoryMayMoveBetweenCallsAndNotDuringOne()
    {
        using Digits digits = Digits.Load();
        float[] expected = digits.Run(Image);

        Parallel.For(0, 200, i =>
        {
            if (i % 10 == 0)
            {
                GC.Collect(0);
            }
            float[] copy = [.. Image];
            Assert.That(digits.Run(copy), Is.EqualTo(expected));
        });
    }

    [Test]
    public void WhatDoesNotFitIsSaid()
    {
        using Digits digits = Digits.Load();
        using Mixed mixed = Mixed.Load();

        Assert.That(() => digits.Run(new float[785]), Throws.TypeOf<GraphException>().With.Message.Contains("785 elements do not fit"));
        Assert.That(
            () => digits.Run(Image, new float[19]),
            Throws.TypeOf<GraphException>().With.Message.Contains("20 elements do not fit into 19"));
        Assert.That(
            () => mixed.Run(1, new long[5], new float[3], 2, 3),
            Throws.TypeOf<GraphException>().With.Message.Contains("'token ids': 5 elements do not fit i64[batch,length]"));
        Assert.That(() => mixed.Run(1, Array.Empty<long>(), new float[3], 0, 3), Throws.TypeOf<GraphException>());
        Assert.That(
            () => Digits.Load(BundleFolder.Find(Mixed.BundleName)),
            Throws.TypeOf<GraphException>().With.Property(nameof(GraphException.Id)).EqualTo(RuntimeDiagnostics.WrongModel));
    }

    [Test]
    public void ADisposedModelSaysSo()
    {
        Digits digits = Digits.Load();
        digits.Dispose();

        Assert.That(() => digits.Run(Image), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void ACancelledRunStops()
    {
        using Digits digits = Digits.Load();

        Assert.That(() => digits.Run(Image, new CancellationToken(canceled: true)), Throws.InstanceOf<OperationCanceledException>());
    }

    private static string ModelText(string name) =>
        File.ReadAllText(RepositoryRoot.Combine("Graph.Tests", "Packages", "Models", $"{name}.hlo"));
}
