using Graphene.Hosting;
using Graphene.Runtime;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace Graphene.Tests.Hosting;

/// <summary>A lease is one version from beginning to end, and costs next to nothing.</summary>
internal sealed class ModelLeaseTests : ModelFileFixture
{
    private GrapheneTelemetry _telemetry = null!;
    private ModelHost<ScaleModel> _host = null!;

    private GrapheneModelOptions Options => new() { Path = Bundle, Reload = true, QuietTime = TimeSpan.FromMilliseconds(20) };

    [SetUp]
    public async Task Load()
    {
        _telemetry = new GrapheneTelemetry();
        _host = new ModelHost<ScaleModel>(
            "scale", new ModelLoader<ScaleModel>("scale", ScaleModel.Create, [], new ModelGpus(CudaDevice.Open)), _telemetry,
            NullLogger.Instance);
        await _host.LoadFirstAsync(Options, CancellationToken.None);
    }

    public override void Dispose()
    {
        _host.Dispose();
        _telemetry.Dispose();
        base.Dispose();
    }

    [Test]
    public async Task AnOldVersionLivesUntilItsLastLeaseEnds()
    {
        ModelLease<ScaleModel> first = _host.Acquire();
        ModelLease<ScaleModel> second = _host.Acquire();
        ScaleModel old = first.Model;

        await Reload(ScaleBundles.Three);

        Assert.That(_host.Acquire().Model.Scale(), Is.EqualTo(3));
        Assert.That((first.Model.Scale(), second.Model.Scale()), Is.EqualTo((2f, 2f)));
        Assert.That((first.Version.Number, _host.Version!.Number, _host.LoadedVersions), Is.EqualTo((1, 2, 2L)));
        first.Dispose();
        Assert.That(old.IsDisposed, Is.False);
        second.Dispose();
        await TestHost.Until(() => old.IsDisposed && _host.LoadedVersions == 1, "the old version is gone");
    }

    [Test]
    public void ALeaseEndsOnce()
    {
        ModelLease<ScaleModel> lease = _host.Acquire();
        ModelLease<ScaleModel> copy = lease;
        lease.Dispose();
        using ModelLease<ScaleModel> next = _host.Acquire(); // stands on the same slot

        copy.Dispose();
        lease.Dispose();

        Assert.That(_host.ActiveRuns, Is.EqualTo(1), "the next lease goes on");
        Assert.That(next.Model.Scale(), Is.EqualTo(2));
        Assert.That(() => lease.Model, Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => copy.Version, Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => copy.Fail(new InvalidOperationException()), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => default(ModelLease<ScaleModel>).Model, Throws.InvalidOperationException);
        Assert.That(() => default(ModelLease<ScaleModel>).Dispose(), Throws.Nothing);
    }

    [Test]
    public void RunsAllocateNothingWhenNobodyListens()
    {
        float[] x = [1, 2, 3, 4];
        float[] y = new float[4];
        Ten(); // warm
        long before = GC.GetAllocatedBytesForCurrentThread();

        for (int i = 0; i < 1000; i++)
        {
            Ten();
        }

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        Assert.That(y, Is.EqualTo(new float[] { 2, 4, 6, 8 }));

        void Ten()
        {
            using ModelLease<ScaleModel> outer = _host.Acquire();
            for (int i = 0; i < 10; i++)
            {
                using ModelLease<ScaleModel> lease = _host.Acquire();
                lease.Model.Run(x, y);
                if (lease.Version.Number != 1)
                {
                    throw new InvalidOperationException("another version");
                }
            }
        }
    }

    [Test]
    public void SpansCanBeArguments()
    {
        Span<float> y = stackalloc float[4];

        float sum = _host.Run(y, static (model, y) =>
        {
            model.Run([1, 2, 3, 4], y);
            return y[0] + y[3];
        });

        Assert.That(sum, Is.EqualTo(10));
        Assert.That(_host.ActiveRuns, Is.Zero);
    }

    [Test]
    public async Task EveryAnswerIsOfTheVersionThatTheLeaseNames()
    {
        using var stop = new CancellationTokenSource();
        string two = _host.Version!.Hash;
        long[] answers = new long[2];
        Task[] readers = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            float[] x = [1, 1, 1, 1];
            float[] y = new float[4];
            while (!stop.IsCancellationRequested)
            {
                using ModelLease<ScaleModel> lease = _host.Acquire();
                bool isTwo = lease.Version.Hash == two;
                lease.Model.Run(x, y);
                if (y[0] != (isTwo ? 2 : 3) || (lease.Version.Hash == two) != isTwo || lease.Model.IsDisposed)
                {
                    throw new InvalidOperationException($"{y[0]} from version {lease.Version}");
                }
                Interlocked.Increment(ref answers[isTwo ? 0 : 1]);
            }
        }))];

        for (int i = 1; i <= 50; i++)
        {
            await Reload(i % 2 == 0 ? ScaleBundles.Two : ScaleBundles.Three);
            Assert.That(_host.Version!.Number, Is.EqualTo(i + 1));
        }
        await stop.CancelAsync();
        await Task.WhenAll(readers);

        Assert.That(answers, Has.All.GreaterThan(0));
        await TestHost.Until(() => _host.LoadedVersions == 1, "all old versions are gone");
        Assert.That(_host.ActiveRuns, Is.Zero);
    }

    [Test, Explicit("measures")]
    public void WhatALeaseCosts()
    {
        float[] x = [1, 2, 3, 4];
        float[] y = new float[4];
        using ModelLease<ScaleModel> held = _host.Acquire();
        ScaleModel model = held.Model;
        double nothing = Nanoseconds(() => model.Run(x, y));
        double leased = Nanoseconds(Leased);
        using var listener = new System.Diagnostics.Metrics.MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Name == GrapheneTelemetry.Name)
            {
                l.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((_, _, _, _) => { });
        listener.SetMeasurementEventCallback<double>((_, _, _, _) => { });
        listener.Start();
        double measured = Nanoseconds(Leased);
        TestContext.Out.WriteLine(
            $"a run of 4 numbers: {nothing:F0} ns; with a lease {leased:F0} ns; with a listener to all metrics {measured:F0} ns");

        void Leased()
        {
            using ModelLease<ScaleModel> lease = _host.Acquire();
            lease.Model.Run(x, y);
        }

        static double Nanoseconds(Action run)
        {
            const int Runs = 100_000;
            double least = double.MaxValue;
            for (int round = 0; round < 10; round++)
            {
                long start = System.Diagnostics.Stopwatch.GetTimestamp();
                for (int i = 0; i < Runs; i++)
                {
                    run();
                }
                least = Math.Min(least, System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalNanoseconds / Runs);
            }
            return least;
        }
    }

    private async Task Reload(byte[] bundle)
    {
        ScaleBundles.Replace(Bundle, bundle);
        ReloadOutcome outcome = await _host.ReloadAsync(Options, CancellationToken.None);
        Assert.That(outcome, Is.EqualTo(ReloadOutcome.Loaded));
    }
}
