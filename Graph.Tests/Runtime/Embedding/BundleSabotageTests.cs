using Graphene.Runtime;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Runtime.Embedding;

/// <summary>Files that are no bundle for here: one readable error each, which names the file and what to do.</summary>
internal sealed class BundleSabotageTests : FolderFixture
{
    [Test]
    public void AMissingFile() => AssertError(Folder.Combine("none.graphene"), "GR6102", "none.graphene");

    [Test]
    public void AFolder() => AssertError(Folder.Path, "GR6102", Folder.Path);

    [Test]
    public void ATextFile() => AssertError(
        Written("hello, world, this is no bundle but a text of more than 64 bytes....."u8.ToArray()),
        "GR6102", "not a Graphene executable");

    [Test]
    public void AnEntryOfTheCache()
    {
        using var entry = new MemoryStream();
        ExecutableWriter.Write(BundleFixture.Scale(2).Functions[0].Variants[0].Executable, entry, FileHashKind.Fast);
        AssertError(Written(entry.ToArray()), "GR6102", "entry of a cache");
    }

    [Test]
    public void AnotherArchitecture()
    {
        BundleFunction run = BundleFixture.Scale(2).Functions[0];
        Executable code = run.Variants[0].Executable;
        Executable foreign = Executable.Create(code.Plan with { TargetTriple = "riscv64-unknown-linux-gnu" }, code.Objects, code.Constants);
        var content = new BundleContent { Name = "foreign", Functions = [run with { Variants = [new BundleCode("rv64", foreign)] }] };
        AssertError(Written(BundleFixture.Bytes(content)), "GR6103", "riscv64");
    }

    [Test]
    public void AnotherVersion()
    {
        byte[] bytes = BundleFixture.Bytes(BundleFixture.Scale(2));
        bytes[8]++;
        AssertError(Written(bytes), "GR6102", $"version {FileLayout.Version + 1}, this build reads version {FileLayout.Version}");
    }

    private string Written(byte[] bytes)
    {
        string path = Folder.Combine("x.graphene");
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private static void AssertError(string path, string code, string said)
    {
        GraphException e = Assert.Throws<GraphException>(() => CompiledGraph.Load(path))!;
        Assert.That(e.Id.Code, Is.EqualTo(code));
        Assert.That(e.Message, Does.Contain(said));
        Assert.That(e.Fix, Is.Not.Null.And.Not.Empty);
        Assert.That(e.Message.Split('\n'), Has.Length.LessThanOrEqualTo(6));
    }
}
