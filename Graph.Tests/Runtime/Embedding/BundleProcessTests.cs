using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Runtime.Embedding;

/// <summary>Bundles in processes that have nothing else: no compiler, many models, one processor.</summary>
internal sealed class BundleProcessTests : FolderFixture
{
    private string _path = "";

    [SetUp]
    public void MakeBundle()
    {
        _path = Folder.Combine("scale.graphene");
        BundleFixture.Scale(3).WriteFile(_path);
    }

    [Test]
    public void NoCompilerIsThereAndAHundredModelsAddNoThreads()
    {
        Dictionary<string, string> said = BundleProcess.Start(_path, 100);
        Assert.That(said["y"], Is.EqualTo("3 6 9 16"));
        Assert.That(said["llvm"], Is.EqualTo("absent"));
        Assert.That(said["compiler"], Is.EqualTo("absent"));
        Assert.That(said["logging"], Is.EqualTo("absent"), "the one library that the runtime refers to is for those who compile");
        Assert.That(said["openssl"], Is.EqualTo("absent"));
        Assert.That(int.Parse(said["threads"]), Is.LessThanOrEqualTo(2));
        Assert.That(said["live"], Is.EqualTo("0"));
    }

    [Test]
    public void OneProcessorMeansOneThreadThatDoesNotSpin()
    {
        if (!OperatingSystem.IsLinux() || !File.Exists("/usr/bin/taskset"))
        {
            Assert.Ignore("taskset is not here, so no process can be given one processor");
        }
        Dictionary<string, string> said = BundleProcess.Start(_path, 1, "/usr/bin/taskset", "-c", "0");
        Assert.That(said["width"], Is.EqualTo("1"));
        Assert.That(int.Parse(said["idle"]), Is.LessThan(100), "of 300 ms");
    }
}
