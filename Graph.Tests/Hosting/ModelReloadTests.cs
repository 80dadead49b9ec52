using System.Runtime.InteropServices;
using Graphene.Hosting;
using Graphene.Runtime;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using NUnit.Framework;

namespace Graphene.Tests.Hosting;

/// <summary>Files are replaced in many ways; each is noticed, and a file that is not usable changes nothing.</summary>
internal sealed partial class ModelReloadTests : ModelFileFixture
{
    private static readonly TimeSpan Never = TimeSpan.FromHours(1);

    [Test]
    public async Task AFileThatIsRenamedOverTheOldIsLoaded()
    {
        await using TestHost host = await Reported().StartAsync();
        ModelVersion first = host.Model.Version!;

        ScaleBundles.Replace(Bundle, ScaleBundles.Three);

        await host.UntilScale(3);
        ModelVersion second = host.Model.Version!;
        Assert.That((second.Number, second.Hash), Is.Not.EqualTo((first.Number, first.Hash)));
        Assert.That(
            host.Log.Messages, Has.Some.Contains($"version {second.ShortHash} takes the place of {first.ShortHash}"));
    }

    [Test]
    public async Task AFileThatIsOverwrittenInPiecesIsLoadedWhenItIsWhole()
    {
        await using TestHost host = await Reported().StartAsync();
        byte[] content = ScaleBundles.Three;
        using (FileStream stream = new(Bundle, FileMode.Create, FileAccess.Write, FileShare.ReadWrite))
        {
            for (int at = 0; at < content.Length; at += 1 + (content.Length / 8))
            {
                stream.Write(content.AsSpan(at, Math.Min(1 + (content.Length / 8), content.Length - at)));
                stream.Flush();
                await Task.Delay(10);
            }
        }

        await host.UntilScale(3);
        Assert.That((await host.HealthAsync()).Status, Is.EqualTo(HealthStatus.Healthy));
    }

    [Test]
    public async Task AFileThatIsDeletedAndWrittenAgainIsLoaded()
    {
        await using TestHost host = await Reported().StartAsync();

        File.Delete(Bundle);
        await TestHost.Until(() => host.Log.Messages.Any(m => m.Contains("there is no such file", StringComparison.Ordinal)), "a warning");
        Assert.That(host.Scale, Is.EqualTo(2));
        Assert.That((await host.HealthAsync()).Status, Is.EqualTo(HealthStatus.Degraded));
        File.WriteAllBytes(Bundle, ScaleBundles.Three);

        await host.UntilScale(3);
        Assert.That((await host.HealthAsync()).Status, Is.EqualTo(HealthStatus.Healthy));
    }

    // Kubernetes: model.graphene -> ..data/model.graphene, ..data -> ..one; then ..data is renamed over.
    [Test]
    public async Task AChangedLinkOnTheWayIsNoticed()
    {
        RequireLinks();
        string mount = Directory.CreateDirectory(Folder.Combine("mount")).FullName;
        Version("..one", ScaleBundles.Two);
        Directory.CreateSymbolicLink(Path.Combine(mount, "..data"), "..one");
        File.CreateSymbolicLink(Path.Combine(mount, "model.graphene"), "..data/model.graphene");
        await using TestHost host = await Reported(Path.Combine(mount, "model.graphene")).StartAsync();

        Version("..two", ScaleBundles.Three);
        Directory.CreateSymbolicLink(Path.Combine(mount, "..data_tmp"), "..two");
        RenameLink(Path.Combine(mount, "..data_tmp"), Path.Combine(mount, "..data"));
        Directory.Delete(Path.Combine(mount, "..one"), recursive: true);

        await host.UntilScale(3);

        void Version(string name, byte[] content)
        {
            string folder = Directory.CreateDirectory(Path.Combine(mount, name)).FullName;
            File.WriteAllBytes(Path.Combine(folder, "model.graphene"), content);
        }
    }

    // The folder itself is behind the link, so the system reports nothing: what network file systems do, too.
    [Test]
    public async Task WhatIsNotReportedIsFoundByLooking()
    {
        RequireLinks();
        foreach ((string release, byte[] content) in new[] { ("one", ScaleBundles.Two), ("two", ScaleBundles.Three) })
        {
            Directory.CreateDirectory(Folder.Combine(release));
            string file = Path.Combine(Folder.Combine(release), "model.graphene");
            File.WriteAllBytes(file, content);
            File.SetLastWriteTimeUtc(file, DateTime.UnixEpoch); // as reproducible deployments do
        }
        string current = Folder.Combine("current");
        Directory.CreateSymbolicLink(current, "one");
        await using TestHost host = await TestHost.Reloading(Path.Combine(current, "model.graphene")).StartAsync();

        Directory.CreateSymbolicLink(Folder.Combine("next"), "two");
        RenameLink(Folder.Combine("next"), current);

        await host.UntilScale(3);
    }

    [Test]
    public async Task ADamagedFileIsNotTakenAndTheNextGoodOneIs()
    {
        await using TestHost host = await Reported().StartAsync();
        ModelVersion first = host.Model.Version!;

        ScaleBundles.Replace(Bundle, ScaleBundles.Damaged());
        await TestHost.Until(() => host.Log.Messages.Any(m => m.Contains("is not taken", StringComparison.Ordinal)), "a warning");

        HealthReport health = await host.HealthAsync();
        Assert.That((host.Scale, host.Model.Version), Is.EqualTo((2f, first)));
        Assert.That(health.Status, Is.EqualTo(HealthStatus.Degraded));
        Assert.That(health.Entries["ScaleModel"].Description, Does.Contain("the changed file is not taken: GR6102"));
        Assert.That(health.Entries["ScaleModel"].Data["error"], Is.EqualTo("GR6102"));

        ScaleBundles.Replace(Bundle, ScaleBundles.Three);
        await host.UntilScale(3);
        Assert.That((await host.HealthAsync()).Status, Is.EqualTo(HealthStatus.Healthy));
    }

    [Test]
    public async Task AModelWhoseFirstRunFailsIsNotTaken()
    {
        await using TestHost host = await Reported().StartAsync();

        ScaleBundles.Replace(Bundle, ScaleModel.PositiveBundle());

        await TestHost.Until(() => host.Log.Messages.Any(m => m.Contains("GR8004", StringComparison.Ordinal)), "a warning");
        Assert.That(host.Scale, Is.EqualTo(2));
    }

    [Test]
    public async Task TheOldFilePutBackIsNoNewVersion()
    {
        await using TestHost host = await Reported().StartAsync();
        ScaleBundles.Replace(Bundle, ScaleBundles.Damaged());
        await TestHost.Until(() => host.Log.Messages.Any(m => m.Contains("is not taken", StringComparison.Ordinal)), "a warning");

        ScaleBundles.Replace(Bundle, ScaleBundles.Two);

        await TestHost.Until(() => host.Log.Messages.Any(m => m.Contains("holds version", StringComparison.Ordinal)), "a look at it");
        Assert.That(host.Model.Version!.Number, Is.EqualTo(1));
        Assert.That((await host.HealthAsync()).Status, Is.EqualTo(HealthStatus.Healthy));
    }

    [Test]
    public async Task AnotherPathInTheSettingsIsAnotherModel()
    {
        string other = Folder.Combine("other.graphene");
        File.WriteAllBytes(other, ScaleBundles.Three);
        IConfigurationRoot settings = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Path"] = Bundle, ["Reload"] = "true", ["QuietTime"] = "00:00:00.03", ["PollInterval"] = "00:00:00.1",
        }).Build();
        await using TestHost host = await TestHost.Build(s =>
            s.AddGrapheneModel<ScaleModel>().FromConfiguration(settings)).StartAsync();

        settings["Path"] = " ";
        Assert.That(() => settings.Reload(), Throws.Exception, "whoever reloads the configuration learns of it");
        await TestHost.Until(
            () => host.Log.Messages.Any(m => m.Contains("changed settings are not taken", StringComparison.Ordinal)), "a warning");
        Assert.That(host.Scale, Is.EqualTo(2));

        settings["Path"] = other;
        settings.Reload();
        await host.UntilScale(3);
    }

    // What is mapped by a version in use does not change, whatever is written into the file that it came from.
    [Test]
    public async Task WeightsOfALeaseSurviveThatTheFileIsOverwrittenInPlace()
    {
        byte[] two = ScaleModel.LargeBundle(2);
        byte[] three = ScaleModel.LargeBundle(3);
        File.WriteAllBytes(Bundle, two);
        await using TestHost host = await TestHost.Build(s => s.AddGrapheneModel().FromFile(Bundle, reload: true).Configure(o =>
        {
            o.QuietTime = TimeSpan.FromMilliseconds(30);
            o.PollInterval = TimeSpan.FromMilliseconds(100);
            o.WarmUp = false; // so that no page of the weights was touched before the file changes
        })).StartAsync();
        var model = host.Host.Services.GetRequiredService<IGrapheneModel<CompiledGraph>>();
        using ModelLease<CompiledGraph> lease = model.Acquire();

        using (FileStream stream = new(Bundle, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            stream.SetLength(0); // a mapping of the file would end the process here
            stream.Write(three);
        }
        await TestHost.Until(() => model.Version!.Number == 2, "the new version");

        Assert.That(Sums(lease.Model), Is.All.EqualTo(8f));
        Assert.That(model.Run(Sums), Is.All.EqualTo(12f));
        Assert.That(lease.Version.Number, Is.EqualTo(1));

        static float[] Sums(CompiledGraph graph) => graph.Program().Run(
            new Dictionary<string, Feed> { ["x"] = Feed.Of<float>(new float[] { 1, 1, 1, 1 }, 1, 4) })[0].As<float>().ToArray();
    }

    [Test]
    public async Task WithoutReloadNothingIsWatched()
    {
        await using TestHost host = await TestHost.Build(s => s.AddGrapheneModel<ScaleModel>().FromFile(Bundle).Configure(o =>
        {
            o.QuietTime = TimeSpan.FromMilliseconds(20);
            o.PollInterval = TimeSpan.FromMilliseconds(20);
        })).StartAsync();

        ScaleBundles.Replace(Bundle, ScaleBundles.Three);
        await Task.Delay(300);

        Assert.That(host.Scale, Is.EqualTo(2));
    }

    // The interval is so long that only the system's report can be what is noticed.
    private TestHost Reported(string? path = null) => TestHost.Reloading(path ?? Bundle, o =>
        o.PollInterval = OperatingSystem.IsLinux() ? Never : TimeSpan.FromMilliseconds(100));

    // File.Move looks through links to folders, and finds none.
    private static void RenameLink(string from, string to) => Assert.That(Rename(from, to), Is.Zero);

    [LibraryImport("libc", EntryPoint = "rename", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Rename(string from, string to);

    private static void RequireLinks()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("symbolic links need rights on Windows");
        }
    }
}
