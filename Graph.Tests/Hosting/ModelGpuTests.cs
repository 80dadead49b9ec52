using Graphene.Codegen;
using Graphene.Hosting;
using Graphene.Runtime;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Graphene.Tests.Hosting;

/// <summary>Models run on the GPU that their options name, or the host does not start; the GPU is closed behind the last of them.</summary>
internal sealed class ModelGpuTests : ModelFileFixture
{
    private static readonly Lazy<byte[]> GpuBundle = new(() =>
    {
        using var gpu = new InterpretedGpu();
        return ScaleModel.Bundle(5, compiler: GraphCompiler.Gpu(gpu));
    });

    private readonly List<(int Number, InterpretedGpu Gpu)> _opened = [];

    [SetUp]
    public void ForgetDevices() => _opened.Clear();

    [Test]
    public async Task TheGpuOfTheSettingsComputes()
    {
        File.WriteAllBytes(Bundle, GpuBundle.Value);
        IConfiguration configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["Path"] = Bundle, ["Gpu"] = "1" }).Build();
        await using (TestHost host = TestHost.Build(s =>
        {
            s.AddSingleton(Interpreted());
            s.AddGrapheneModel<ScaleModel>().FromConfiguration(configuration);
        }))
        {
            await host.StartAsync();
            long launches = _opened.Single().Gpu.Launches;

            Assert.That(host.Scale, Is.EqualTo(5));

            Assert.That(_opened.Single().Number, Is.EqualTo(1));
            Assert.That(_opened.Single().Gpu.Launches, Is.GreaterThan(launches));
        }
        AssertNothingIsLeft();
    }

    [Test]
    public async Task ModelsShareTheirGpuAndAVersionOutlivesTheHost()
    {
        File.WriteAllBytes(Bundle, GpuBundle.Value);
        ModelLease<ScaleModel> lease;
        await using (TestHost host = TestHost.Build(s =>
        {
            s.AddSingleton(Interpreted());
            s.AddGrapheneModel<ScaleModel>().FromFile(Bundle).OnGpu();
            s.AddGrapheneModel<ScaleModel>("other").FromFile(Bundle).OnGpu();
        }))
        {
            await host.StartAsync();
            Assert.That(_opened.Select(o => o.Number), Is.EqualTo(new[] { 0 }));
            lease = host.Model.Acquire();
        }

        Assert.That(lease.Model.Scale(), Is.EqualTo(5));
        lease.Dispose();

        await TestHost.Until(() => _opened.Single().Gpu.LiveHandles == 0, "the GPU is closed");
        AssertNothingIsLeft();
    }

    [Test]
    public async Task WithoutADriverTheHostDoesNotStart()
    {
        using TestHost.Unstarted host = new(s =>
        {
            s.AddSingleton(new ModelGpus(number => CudaDevice.Open(CudaLibrary.Load("/no/such/folder/libcuda.so.1"), number)));
            s.AddGrapheneModel<ScaleModel>().FromFile(Bundle).OnGpu();
        });

        GraphException? e = await Assert.ThrowsAsync<GraphException>(() => host.StartAsync());

        Assert.That(e!.Id, Is.EqualTo(GpuDiagnostics.NoDriver));
        Assert.That(host.Log.Messages, Has.Some.Contains("Model 'ScaleModel' cannot be loaded: GR6501"));
    }

    [Test]
    public async Task CodeForProcessorsAloneIsRefused()
    {
        using TestHost.Unstarted host = new(s =>
        {
            s.AddSingleton(Interpreted());
            s.AddGrapheneModel<ScaleModel>().FromFile(Bundle).OnGpu();
        });

        GraphException? e = await Assert.ThrowsAsync<GraphException>(() => host.StartAsync());

        Assert.That(e!.Id, Is.EqualTo(GpuDiagnostics.WrongDevice));
        AssertNothingIsLeft();
    }

    private ModelGpus Interpreted() => new(number =>
    {
        var gpu = new InterpretedGpu();
        _opened.Add((number, gpu));
        return gpu;
    });

    private void AssertNothingIsLeft()
    {
        InterpretedGpu gpu = _opened.Single().Gpu;
        Assert.That((gpu.LiveAllocations, gpu.LiveHandles), Is.EqualTo((0L, 0)));
    }
}
