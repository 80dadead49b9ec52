using Graphene.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using NUnit.Framework;

namespace Graphene.Tests.Hosting;

/// <summary>A model is loaded and warmed up before anything else starts, or the host does not start.</summary>
internal sealed class ModelStartTests : ModelFileFixture
{
    [Test]
    public async Task TheModelIsReadyBeforeOtherServicesStart()
    {
        float seen = 0;
        await using TestHost host = TestHost.Build(s =>
        {
            s.AddHostedService(p => new Early(() => seen = p.GetRequiredService<IGrapheneModel<ScaleModel>>().Run(m => m.Scale())));
            s.AddGrapheneModel<ScaleModel>().FromFile(Bundle);
        });

        await host.StartAsync();

        Assert.That(seen, Is.EqualTo(2));
        ModelVersion version = host.Model.Version!;
        Assert.That((version.Number, version.Path, version.SizeInBytes), Is.EqualTo((1, Bundle, (long)ScaleBundles.Two.Length)));
        Assert.That(
            version.Hash, Is.EqualTo(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(ScaleBundles.Two))));
        Assert.That(host.Log.Messages, Has.Some.Contains($"is ready: version {version.Hash[..12]} from {Bundle}"));
    }

    [Test]
    public void NothingCanBeAskedBeforeTheHostStarts()
    {
        using TestHost.Unstarted host = new(s => s.AddGrapheneModel<ScaleModel>().FromFile(Bundle));

        GraphException? e = Assert.Throws<GraphException>(() => host.Model.Acquire());

        Assert.That(e!.Id, Is.EqualTo(HostingDiagnostics.NotLoaded));
    }

    [Test]
    public async Task AMissingFileStopsTheHost()
    {
        string path = Folder.Combine("other.graphene");
        using TestHost.Unstarted host = new(s => s.AddGrapheneModel<ScaleModel>().FromFile(path));

        GraphException? e = await Assert.ThrowsAsync<GraphException>(() => host.StartAsync());

        Assert.That(e!.Message, Does.StartWith($"GR8003 the model file {path} cannot be read: there is no such file"));
        Assert.That(host.Log.Messages, Has.Some.Contains("Model 'ScaleModel' cannot be loaded: GR8003"));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task ADamagedFileStopsTheHost(bool reload)
    {
        File.WriteAllBytes(Bundle, ScaleBundles.Damaged());
        using TestHost.Unstarted host = new(s => s.AddGrapheneModel<ScaleModel>().FromFile(Bundle, reload));

        GraphException? e = await Assert.ThrowsAsync<GraphException>(() => host.StartAsync());

        Assert.That(e!.Id.Code, Is.EqualTo("GR6102"));
    }

    [Test]
    public async Task ABundleOfAnotherModelStopsTheHost()
    {
        File.WriteAllBytes(Bundle, ScaleModel.Bundle(2, "unscale"));
        using TestHost.Unstarted host = new(s => s.AddGrapheneModel<ScaleModel>().FromFile(Bundle));

        GraphException? e = await Assert.ThrowsAsync<GraphException>(() => host.StartAsync());

        Assert.That(e!.Message, Does.Contain("'unscale' is another model"));
    }

    [Test]
    public async Task AModelCanBeLoadedInTheBackground()
    {
        using var mayLoad = new ManualResetEventSlim();
        await using TestHost host = TestHost.Build(s =>
        {
            s.AddGrapheneModel<ScaleModel>().FromFile(Bundle).Configure(o => o.LoadInBackground = true)
                .WarmUpWith(_ => mayLoad.Wait());
            s.AddHealthChecks().AddGrapheneModel<ScaleModel>();
        });
        await host.StartAsync();

        HealthReport before = await host.HealthAsync();
        mayLoad.Set();
        await TestHost.Until(() => host.Model.Version is not null, "the model is loaded");
        HealthReport after = await host.HealthAsync();

        Assert.That(before.Status, Is.EqualTo(HealthStatus.Unhealthy));
        Assert.That(before.Entries["ScaleModel"].Description, Is.EqualTo("model 'ScaleModel' is not loaded yet"));
        Assert.That(after.Status, Is.EqualTo(HealthStatus.Healthy));
        Assert.That(after.Entries["ScaleModel"].Data["version"], Is.EqualTo(host.Model.Version!.ShortHash));
        Assert.That(host.Scale, Is.EqualTo(2));
    }

    [Test]
    public async Task AModelThatCannotBeLoadedInTheBackgroundStopsTheHost()
    {
        File.WriteAllBytes(Bundle, ScaleBundles.Damaged());
        await using TestHost host = TestHost.Build(s =>
            s.AddGrapheneModel<ScaleModel>().FromFile(Bundle).Configure(o => o.LoadInBackground = true));
        CancellationToken stopping = host.Host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;

        await host.StartAsync();

        await TestHost.Until(() => stopping.IsCancellationRequested, "the host stops");
        Assert.That(host.Log.Messages, Has.Some.Contains("Model 'ScaleModel' cannot be loaded: GR6102"));
    }

    [Test]
    public async Task AFirstRunThatFailsStopsTheHost()
    {
        File.WriteAllBytes(Bundle, ScaleModel.PositiveBundle());
        using TestHost.Unstarted host = new(s => s.AddGrapheneModel<ScaleModel>().FromFile(Bundle));

        GraphException? e = await Assert.ThrowsAsync<GraphException>(() => host.StartAsync());

        Assert.That(e!.Message, Does.StartWith("GR8004 model 'ScaleModel': its first run on zeros failed"));
        Assert.That(e.Message, Does.Contain("x must be positive"));
    }

    [Test]
    public async Task SamplesTakeThePlaceOfZeros()
    {
        File.WriteAllBytes(Bundle, ScaleModel.PositiveBundle());
        var warm = new List<float>();
        await using TestHost host = TestHost.Build(s =>
            s.AddGrapheneModel<ScaleModel>().FromFile(Bundle).WarmUpWith(m => warm.Add(m.Scale())));

        await host.StartAsync();

        Assert.That(warm, Is.EqualTo(new[] { 3f }));
    }

    [Test]
    public async Task WarmingUpCanBeLeftOut()
    {
        File.WriteAllBytes(Bundle, ScaleModel.PositiveBundle());
        await using TestHost host = TestHost.Build(s =>
            s.AddGrapheneModel<ScaleModel>().FromFile(Bundle).Configure(o => o.WarmUp = false));

        await host.StartAsync();

        Assert.That(host.Scale, Is.EqualTo(3));
    }

    [Test]
    public async Task DimensionsForTheFirstRunMustExist()
    {
        using TestHost.Unstarted host = new(s =>
            s.AddGrapheneModel<ScaleModel>().FromFile(Bundle).Configure(o => o.WarmUpDims["bach"] = 8));

        GraphException? e = await Assert.ThrowsAsync<GraphException>(() => host.StartAsync());

        Assert.That(e!.Message, Does.StartWith("GR8004 'scale' has no dimension 'bach'").And.Contain("choose from: batch"));
    }

    [Test]
    public async Task LeasesOfAStoppedServiceFinish()
    {
        TestHost host = await TestHost.Build(s => s.AddGrapheneModel<ScaleModel>().FromFile(Bundle)).StartAsync();
        IGrapheneModel<ScaleModel> model = host.Model;
        ModelLease<ScaleModel> lease = model.Acquire();
        ScaleModel held = lease.Model;

        await host.DisposeAsync();

        Assert.That(() => model.Acquire(), Throws.TypeOf<ObjectDisposedException>());
        Assert.That((held.Scale(), held.IsDisposed), Is.EqualTo((2f, false)));
        lease.Dispose();
        await TestHost.Until(() => held.IsDisposed, "the version is disposed with its last lease");
    }

    private sealed class Early(Action started) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            started();
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
