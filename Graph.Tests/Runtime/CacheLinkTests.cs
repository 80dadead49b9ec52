using Graphene.Codegen;
using Graphene.Files;
using Graphene.Runtime;
using Graphene.Tests.Support;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;
using NUnit.Framework;

namespace Graphene.Tests.Runtime;

/// <summary>Links lead from what is at hand to what was compiled, never to anything else.</summary>
[TestFixture]
internal sealed class CacheLinkTests : FolderFixture
{
    private RecordingLogger _log = new();
    private CachedGraphCompiler _compiler = null!;
    private DiskCache _cache = null!;

    [SetUp]
    public void CreateFolder()
    {
        _log = new RecordingLogger();
        _cache = DiskCache.TryOpen(Folder.Path, 1 << 20, _log)!;
        _compiler = new CachedGraphCompiler(new Compiler(), "cpu", _cache);
    }

    [Test]
    public void AStampLeadsToWhatItsKeyLedTo()
    {
        Compile(new Source("key a", "stamp 1"));
        Assert.That(Find(new Source("key a", "stamp 1")), Is.EqualTo((true, 1)), "by the key, and a link is made");
        Assert.That(Find(new Source("key a", "stamp 1")), Is.EqualTo((true, 0)), "by the link");
        Assert.That(Find(new Source("key a", null)), Is.EqualTo((true, 1)));
        Assert.That(Find(new Source("key a", "stamp 2")), Is.EqualTo((true, 1)));
        Assert.That(Find(new Source("key b", "stamp 3")), Is.EqualTo((false, 1)));
        Assert.That(Links(), Has.Length.EqualTo(2));
    }

    [Test]
    public void ASourceThatChangedMeanwhileGetsNoLink()
    {
        Compile(new Source("key a", "stamp 1"));
        Assert.That(Find(new Source("key a", "stamp 1") { Stays = false }), Is.EqualTo((true, 1)));
        Assert.That(Links(), Is.Empty);
    }

    [Test]
    public void AnotherCompilerFollowsNoLink()
    {
        Compile(new Source("key a", "stamp 1"));
        Find(new Source("key a", "stamp 1"));
        var other = new CachedGraphCompiler(new Compiler { Fingerprint = "other" }, "cpu", _cache);
        var source = new Source("key a", "stamp 1");
        Assert.That(other.TryFind(source, _log), Is.Null);
        Assert.That(source.KeysAsked, Is.GreaterThan(0));
    }

    [Test]
    public void ADamagedLinkIsRemovedAndMadeAgain()
    {
        Compile(new Source("key a", "stamp 1"));
        Find(new Source("key a", "stamp 1"));
        string link = Links().Single();
        byte[] whole = File.ReadAllBytes(link);
        for (int i = 0; i < whole.Length; i++)
        {
            byte[] damaged = [.. whole];
            damaged[i] ^= 1;
            File.WriteAllBytes(link, i % 5 == 4 ? damaged[..i] : damaged);
            Assert.That(Find(new Source("key a", "stamp 1")), Is.EqualTo((true, 1)), $"byte {i}");
            Assert.That(Find(new Source("key a", "stamp 1")), Is.EqualTo((true, 0)), $"byte {i}");
        }
        Assert.That(_log.Messages, Has.Some.Contains("the link is damaged"));
    }

    [Test]
    public void ALinkUnderTheNameOfAnotherIsNotFollowed()
    {
        Compile(new Source("key a", "stamp 1"));
        Compile(new Source("key b", "stamp 2"));
        Find(new Source("key a", "stamp 1"));
        string first = Links().Single();
        Find(new Source("key b", "stamp 2"));
        string second = Links().Single(l => l != first);
        File.Copy(first, second, overwrite: true);
        Assert.That(Find(new Source("key b", "stamp 2")), Is.EqualTo((true, 1)));
    }

    [Test]
    public void ALinkToAnEntryThatIsGoneOrDamagedLeadsNowhere()
    {
        Compile(new Source("key a", "stamp 1"));
        Find(new Source("key a", "stamp 1"));
        string entry = Entries().Single();
        byte[] whole = File.ReadAllBytes(entry);
        whole[^1] ^= 1;
        File.WriteAllBytes(entry, whole);
        Assert.That(Find(new Source("key a", "stamp 1")), Is.EqualTo((false, 1)));
        Assert.That(File.Exists(entry), Is.False);
        Assert.That(Find(new Source("key a", "stamp 1")), Is.EqualTo((false, 1)));
        Compile(new Source("key a", "stamp 1"));
        Assert.That(Find(new Source("key a", "stamp 1")), Is.EqualTo((true, 0)), "the link is right again");
    }

    [Test]
    public void WhatWasVerifiedIsVerifiedAgainWhenTheFileChanged()
    {
        Compile(new Source("key a", "stamp 1"));
        string entry = Entries().Single();
        Thread.Sleep(FileStamp.Tick + TimeSpan.FromMilliseconds(200));
        using (SafeFileHandle file = File.OpenHandle(entry))
        {
            if (FileStamp.Of(file) is null)
            {
                Assert.Ignore("this system or the file system of its temporary files has no stamps");
            }
        }
        Find(new Source("key a", "stamp 1"));
        Assert.That(_log.Messages.Last(), Does.Contain("verified now"));
        Find(new Source("key a", "stamp 1"));
        Assert.That(_log.Messages.Last(), Does.Contain("verified before"));

        byte[] whole = File.ReadAllBytes(entry);
        DateTime written = File.GetLastWriteTimeUtc(entry);
        whole[^1] ^= 1; // of the constants, which alone are not looked at each time
        using (FileStream stream = File.Open(entry, FileMode.Open, FileAccess.Write))
        {
            stream.Write(whole);
        }
        File.SetLastWriteTimeUtc(entry, written);
        Assert.That(Find(new Source("key a", "stamp 1")).Found, Is.False);
        Assert.That(_log.Messages, Has.Some.Contains("constants are damaged"));
    }

    [Test]
    public void OldLinksAreForgotten()
    {
        Compile(new Source("key a", "stamp 1"));
        Find(new Source("key a", "stamp 1"));
        File.SetLastWriteTimeUtc(Links().Single(), DateTime.UtcNow.AddDays(-8));
        Compile(new Source("key b", "stamp 2"));
        Assert.That(Links(), Is.Empty);
    }

    private void Compile(Source source) => _compiler.Compile(source, _log, default).Dispose();

    // Whether it was found, and whether the key was asked for.
    private (bool Found, int KeysAsked) Find(Source source)
    {
        using GraphProgram? program = _compiler.TryFind(source, _log);
        return (program is not null, Math.Min(source.KeysAsked, 1));
    }

    private string[] Links() => Directory.GetFiles(Folder.Path, "*.link");

    private string[] Entries() => Directory.GetFiles(Folder.Path, "*.graphene");

    private sealed class Source(string key, string? stamp) : IGraphSource
    {
        public int KeysAsked { get; private set; }

        public bool Stays { get; init; } = true;

        public string Key
        {
            get
            {
                KeysAsked++;
                return key;
            }
        }

        public string? Stamp => stamp;

        public bool KeyIsComplete => true;

        public bool IsUnchanged() => Stays;

        public Module Load()
        {
            var b = new GraphBuilder();
            Node x = b.Parameter(0, new TensorType(DType.F32, Shape.Of(256)));
            Node c = b.Constant(Literal.From<float>([.. Enumerable.Range(0, 256).Select(i => MathF.Sin(i))], 256));
            return new Module("m", b.Build("main", [b.Add(x, c)]), ["x"], ["y"], b.Provenance);
        }
    }

    private sealed class Compiler : IExecutableCompiler
    {
        public string Fingerprint { get; init; } = "compiler";

        public Executable Compile(Module module, ILogger logger, CancellationToken cancellation) =>
            GraphCompiler.Cpu().Compile(module, logger, cancellation);
    }
}
