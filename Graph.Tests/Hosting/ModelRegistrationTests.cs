using Graphene.Hosting;
using Graphene.Runtime;
using Graphene.Tests.Support;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using NUnit.Framework;

namespace Graphene.Tests.Hosting;

/// <summary>Names, keys, options: what can be said when a model is added.</summary>
internal sealed class ModelRegistrationTests : FolderFixture
{
    private string PathOfTwo => Folder.Combine("two.graphene");

    private string PathOfThree => Folder.Combine("three.graphene");

    [SetUp]
    public void WriteBundles()
    {
        File.WriteAllBytes(PathOfTwo, ScaleBundles.Two);
        File.WriteAllBytes(PathOfThree, ScaleBundles.Three);
    }

    [Test]
    public async Task SeveralModelsOfOneClassAreToldApartByKeys()
    {
        await using TestHost host = await TestHost.Build(s =>
        {
            s.AddGrapheneModel<ScaleModel>("two").FromFile(PathOfTwo);
            s.AddGrapheneModel<ScaleModel>("three").FromFile(PathOfThree);
        }).StartAsync();

        var two = host.Host.Services.GetRequiredKeyedService<IGrapheneModel<ScaleModel>>("two");
        var three = host.Host.Services.GetRequiredKeyedService<IGrapheneModel<ScaleModel>>("three");

        Assert.That((two.Run(m => m.Scale()), three.Run(m => m.Scale())), Is.EqualTo((2f, 3f)));
        Assert.That((two.Name, two.Version!.Model), Is.EqualTo(("two", "two")));
        Assert.That(host.Host.Services.GetService<IGrapheneModel<ScaleModel>>(), Is.Null, "none is the only one");
    }

    [Test]
    public async Task AModelNeedsNoClass()
    {
        await using TestHost host = await TestHost.Build(s => s.AddGrapheneModel().FromFile(PathOfTwo)).StartAsync();
        var model = host.Host.Services.GetRequiredService<IGrapheneModel<CompiledGraph>>();

        Literal y = model.Run(g => g.Program().Run(
            new Dictionary<string, Feed> { ["x"] = Feed.Of<float>(new float[] { 1, 2, 3, 4 }, 1, 4) }))[0];

        Assert.That(y.As<float>().ToArray(), Is.EqualTo(new float[] { 2, 4, 6, 8 }));
        Assert.That(model.Name, Is.EqualTo("model"));
    }

    [Test]
    public async Task AddingAModelAgainSaysMoreAboutIt()
    {
        await using TestHost host = await TestHost.Build(s =>
        {
            s.AddGrapheneModel<ScaleModel>().FromFile(PathOfTwo);
            s.AddGrapheneModel<ScaleModel>().FromFile(PathOfThree);
        }).StartAsync();

        Assert.That(host.Scale, Is.EqualTo(3));
        Assert.That(host.Host.Services.GetServices<IGrapheneModel<ScaleModel>>().Count(), Is.EqualTo(1));
    }

    [Test]
    public async Task ATypedModelIsFoundBesideTheApplication()
    {
        string path = Path.Combine(AppContext.BaseDirectory, ScaleModel.BundleName);
        File.WriteAllBytes(path, ScaleBundles.Two);
        try
        {
            await using TestHost host = await TestHost.Build(s => s.AddGrapheneModel<ScaleModel>()).StartAsync();

            Assert.That((host.Scale, host.Model.Version!.Path), Is.EqualTo((2f, path)));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Test]
    public async Task ATypedModelThatIsNotBesideTheApplicationStopsTheHost()
    {
        using TestHost.Unstarted host = new(s => s.AddGrapheneModel<ScaleModel>());

        GraphException? e = await Assert.ThrowsAsync<GraphException>(() => host.StartAsync());

        Assert.That(e!.Message, Does.StartWith("GR6150 there is no bundle 'scale.graphene'"));
    }

    [Test]
    public async Task OptionsAreValidatedWhenTheHostStarts()
    {
        using TestHost.Unstarted host = new(s => s.AddGrapheneModel().Configure(o => o.PollInterval = TimeSpan.Zero));

        OptionsValidationException? e = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());

        Assert.That(e!.Message, Does.Contain("GR8001 model 'model': no file was given"));
    }

    [TestCase("PollInterval", "00:00:00", "PollInterval is 00:00:00")]
    [TestCase("QuietTime", "2.00:00:00", "QuietTime is 2.00:00:00")]
    [TestCase("CopyFolder", "/no/such/folder", "there is no such folder")]
    [TestCase("WarmUpDims:batch", "-1", "gives 'batch' the size -1")]
    [TestCase("Gpu", "-1", "Gpu is -1")]
    [TestCase("Gpu", "first", "'first' is no value for 'Gpu'")]
    [TestCase("Debounce", "1", "there is no setting 'Debounce'")]
    [TestCase("Reload", "maybe", "'maybe' is no value for 'Reload'")]
    [TestCase("PollInterval", "5s", "'5s' is no value for 'PollInterval'")]
    [TestCase("WarmUpDims:batch", "many", "'many' is no value for 'batch'")]
    public async Task SettingsThatCannotBeAreRefused(string key, string value, string message)
    {
        IConfiguration configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { [$"Model:{key}"] = value }).Build();
        using TestHost.Unstarted host = new(s =>
            s.AddGrapheneModel<ScaleModel>().FromFile(PathOfTwo).FromConfiguration(configuration.GetSection("Model")));

        Exception? e = await Assert.CatchAsync(() => host.StartAsync());

        Assert.That(e!.Message, Does.Contain("GR8001 model 'ScaleModel': ").And.Contain(message));
    }

    [Test]
    public async Task EverySettingCanBeConfigured()
    {
        IConfiguration configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Path"] = PathOfThree,
            ["reload"] = "true",
            ["PollInterval"] = "00:00:07",
            ["QuietTime"] = "00:00:00.5",
            ["CopyFolder"] = Folder.Path,
            ["LoadInBackground"] = "false",
            ["WarmUp"] = "false",
            ["WarmUpDims:batch"] = "8",
        }).Build();
        await using TestHost host = await TestHost.Build(s =>
            s.AddGrapheneModel<ScaleModel>().FromConfiguration(configuration)).StartAsync();

        GrapheneModelOptions options =
            host.Host.Services.GetRequiredService<IOptionsMonitor<GrapheneModelOptions>>().Get(nameof(ScaleModel));

        Assert.That(host.Scale, Is.EqualTo(3));
        Assert.That(
            (options.Reload, options.PollInterval, options.QuietTime, options.WarmUp, options.WarmUpDims["batch"]),
            Is.EqualTo((true, TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(0.5), false, 8L)));
        Assert.That(
            Directory.GetDirectories(Folder.Path), Is.Empty, "the private copy has no name any more when it is mapped");
    }
}
