using Graphene.Hosting;
using Graphene.Runtime;
using Graphene.Samples.Digits;
using Graphene.Tests.Hosting;
using Graphene.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using NUnit.Framework;

namespace Graphene.Tests.Guide;

/// <summary>docs/guide/services.md</summary>
internal sealed class ServicesGuideTests : FolderFixture
{
    [SetUp]
    public void WriteBundles()
    {
        Directory.CreateDirectory(Folder.Combine("models"));
        File.WriteAllBytes(Folder.Combine("models/digits.graphene"), DigitsMaterial.Bundle);
        File.WriteAllBytes(Folder.Combine("models/next.graphene"), DigitsMaterial.OtherBundle);
    }

    [Test]
    public async Task AddingAndAsking()
    {
        HostApplicationBuilder builder = NewBuilder();

        // snippet
        builder.Services.AddGrapheneModel<DigitsModel>()
            .FromFile("models/digits.graphene", reload: true)
            .FromConfiguration(builder.Configuration.GetSection("Models:Digits"));
        builder.Services.AddHealthChecks().AddGrapheneModel<DigitsModel>(tags: "ready");
        // end
        using IHost host = builder.Build();
        await host.StartAsync();
        var model = host.Services.GetRequiredService<IGrapheneModel<DigitsModel>>();
        byte[] image = DigitsMaterial.Image(0).Pixels;
        float[] logits = new float[10];

        // snippet
        using (ModelLease<DigitsModel> lease = model.Acquire())
        {
            lease.Model.Run(image, logits);
            Console.WriteLine($"version {lease.Version.ShortHash}, loaded at {lease.Version.LoadedAt}");
        }
        // end
        Assert.That(Array.IndexOf(logits, logits.Max()), Is.EqualTo(DigitsMaterial.Label(0)));

        // snippet
        int digit = model.Run(image, (digits, pixels) =>
        {
            float[] scores = new float[10];
            digits.Run(pixels, scores);
            return Array.IndexOf(scores, scores.Max());
        });
        // end
        Assert.That(digit, Is.EqualTo(DigitsMaterial.Label(0)));
        await host.StopAsync();
    }

    [Test]
    public async Task SeveralModels()
    {
        HostApplicationBuilder builder = NewBuilder();

        // snippet
        builder.Services.AddGrapheneModel<DigitsModel>("stable").FromFile("models/digits.graphene");
        builder.Services.AddGrapheneModel<DigitsModel>("next").FromFile("models/next.graphene", reload: true);
        builder.Services.AddSingleton<Comparison>();
        // end
        using IHost host = builder.Build();
        await host.StartAsync();

        Assert.That(host.Services.GetRequiredService<Comparison>().VersionsDiffer(), Is.True);
        await host.StopAsync();
    }

    [Test]
    public async Task WithoutAClass()
    {
        HostApplicationBuilder builder = NewBuilder();

        // snippet
        builder.Services.AddGrapheneModel("digits")
            .FromFile("models/digits.graphene")
            .Configure(o => o.WarmUpDims["batch"] = 32);
        // end
        using IHost host = builder.Build();
        await host.StartAsync();
        var model = host.Services.GetRequiredKeyedService<IGrapheneModel<CompiledGraph>>("digits");

        Assert.That(model.Run(graph => graph.Program().Inputs[0].Name), Is.EqualTo("image"));
        await host.StopAsync();
    }

    [Test]
    public async Task WarmingUp()
    {
        HostApplicationBuilder builder = NewBuilder();
        byte[] sevenAsRecorded = DigitsMaterial.Image(0).Pixels;

        // snippet
        builder.Services.AddGrapheneModel<DigitsModel>()
            .FromFile("models/digits.graphene", reload: true)
            .WarmUpWith(model =>
            {
                float[] scores = new float[10];
                model.Run(sevenAsRecorded, scores);
                if (Array.IndexOf(scores, scores.Max()) != 7)
                {
                    throw new InvalidDataException("this model does not know a seven");
                }
            });
        // end
        using IHost host = builder.Build();
        await host.StartAsync();

        Assert.That(host.Services.GetRequiredService<IGrapheneModel<DigitsModel>>().Version, Is.Not.Null);
        await host.StopAsync();
    }

    [Test]
    public void OnAGpu()
    {
        HostApplicationBuilder builder = NewBuilder();

        // snippet
        builder.Services.AddGrapheneModel<DigitsModel>().FromFile("models/digits.graphene").OnGpu(0);
        // end
        using IHost host = builder.Build();
        var options = host.Services.GetRequiredService<IOptionsMonitor<GrapheneModelOptions>>();

        Assert.That(options.Get(nameof(DigitsModel)).Gpu, Is.Zero);
    }

    private HostApplicationBuilder NewBuilder() =>
        Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = Folder.Path });

    // snippet
    private sealed class Comparison(
        [FromKeyedServices("stable")] IGrapheneModel<DigitsModel> stable, [FromKeyedServices("next")] IGrapheneModel<DigitsModel> next)
    {
        public bool VersionsDiffer() => stable.Version != next.Version;
    }
    // end
}
