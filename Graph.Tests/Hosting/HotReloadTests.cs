using System.Collections.Concurrent;
using System.Diagnostics;
using Graphene.Samples.Digits;
using Graphene.Samples.DigitsService;
using NUnit.Framework;

namespace Graphene.Tests.Hosting;

/// <summary>A model is replaced while a service answers: no request fails, and each answer is that of one version, to the bit.</summary>
internal sealed class HotReloadTests
{
    private const int Reloads = 20;
    private const int Pictures = 16;

    // On a machine that cannot keep up, requests wait here and not in the service.
    private const int MostInFlight = 200;

    private static readonly TimeSpan BetweenRequests = TimeSpan.FromMilliseconds(5);

    private readonly ConcurrentBag<(double Milliseconds, DigitReply Reply, int Picture)> _answers = [];
    private readonly ConcurrentBag<Exception> _failures = [];
    private byte[][] _pictures = null!;
    private Dictionary<string, float[][]> _expected = null!;
    private DigitsServer _server = null!;

    [OneTimeSetUp]
    public void ComputeWhatIsRight()
    {
        byte[][] images = [.. Enumerable.Range(0, Pictures).Select(i => DigitNormalizer.Normalize(DigitsMaterial.Drawing(i))!)];
        _pictures = [.. Enumerable.Range(0, Pictures).Select(i => PngEncoder.Grey(DigitsMaterial.Drawing(i), filter: 4))];
        _expected = new[] { DigitsMaterial.Bundle, DigitsMaterial.OtherBundle }.ToDictionary(
            b => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(b)), b => DigitsServer.Logits(b, images));
    }

    [SetUp]
    public async Task Start()
    {
        _answers.Clear();
        _failures.Clear();
        _server = await new DigitsServer().StartAsync();
        // Connections, and code that the just-in-time compiler has made twice.
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            for (int i = 0; i < 200; i++)
            {
                await AskAsync(i % Pictures);
            }
        }));
        _answers.Clear();
    }

    [TearDown]
    public async Task Stop() => await _server.DisposeAsync();

    [Test]
    public async Task TwentyReloadsUnderTwoHundredRequestsPerSecond()
    {
        using var stop = new CancellationTokenSource();
        Task load = Task.Run(async () =>
        {
            var requests = new List<Task>();
            using var room = new SemaphoreSlim(MostInFlight);
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; !stop.IsCancellationRequested; i++)
            {
                TimeSpan early = (i * BetweenRequests) - Stopwatch.GetElapsedTime(start);
                if (early > TimeSpan.FromMilliseconds(1))
                {
                    await Task.Delay(early);
                }
                await room.WaitAsync();
                requests.Add(AskWithin(room, i % Pictures));
            }
            await Task.WhenAll(requests);
        });

        await Check(load, stop, betweenReloads: TimeSpan.FromMilliseconds(400));
    }

    // Each of them asks again as soon as it has an answer.
    [TestCase(100)]
    [TestCase(1000, Explicit = true, Reason = "takes half a minute of two cores")]
    public async Task TwentyReloadsWithManyRequestsInFlight(int requests)
    {
        using var stop = new CancellationTokenSource();
        Task load = Task.WhenAll(Enumerable.Range(0, requests).Select(i => Task.Run(async () =>
        {
            for (int turn = i; !stop.IsCancellationRequested; turn++)
            {
                await AskAsync(turn % Pictures);
            }
        })));

        await Check(load, stop, betweenReloads: TimeSpan.FromMilliseconds(100));
    }

    private async Task Check(Task load, CancellationTokenSource stop, TimeSpan betweenReloads)
    {
        long start = Stopwatch.GetTimestamp();
        var loads = new List<double>();
        for (int i = 1; i <= Reloads; i++)
        {
            Task pause = Task.Delay(betweenReloads);
            ScaleBundles.Replace(_server.Bundle, i % 2 == 0 ? DigitsMaterial.Bundle : DigitsMaterial.OtherBundle);
            int number = i + 1;
            await TestHost.Until(() => _server.Model.Version!.Number == number, $"version {number}");
            loads.Add(_server.Model.Version!.LoadTime.TotalMilliseconds);
            await pause;
        }
        await stop.CancelAsync();
        await load;
        Report(Stopwatch.GetElapsedTime(start), loads);

        Assert.That(_failures, Is.Empty);
        Assert.That(_answers.Where(a => !IsOfItsVersion(a.Reply, a.Picture)), Is.Empty, "answers that are not those of their version");
        Assert.That(_answers.Select(a => a.Reply.Model.Number).Distinct().Count(), Is.GreaterThan(Reloads - 2));
    }

    private bool IsOfItsVersion(DigitReply reply, int picture) =>
        _expected.TryGetValue(reply.Model.Version, out float[][]? logits) && reply.Logits.AsSpan().SequenceEqual(logits[picture]);

    private async Task AskWithin(SemaphoreSlim room, int picture)
    {
        await AskAsync(picture);
        room.Release();
    }

    private async Task AskAsync(int picture)
    {
        long start = Stopwatch.GetTimestamp();
        try
        {
            DigitReply reply = await _server.AskAsync(_pictures[picture]);
            _answers.Add((Stopwatch.GetElapsedTime(start).TotalMilliseconds, reply, picture));
        }
        catch (Exception e)
        {
            _failures.Add(e);
        }
    }

    private void Report(TimeSpan time, List<double> loads)
    {
        loads.Sort();
        double[] times = [.. _answers.Select(a => a.Milliseconds).Order()];
        TestContext.Out.WriteLine(
            $"{Reloads} reloads in {time.TotalSeconds:F1} s: {times.Length} answers ({times.Length / time.TotalSeconds:F0} per second), "
            + $"{_failures.Count} failures, p50 {times[times.Length / 2]:F2} ms, p99 {times[times.Length * 99 / 100]:F2} ms, "
            + $"most {times[^1]:F2} ms; a load takes {loads[Reloads / 2]:F1} ms, {loads[^1]:F1} at most");
    }
}
