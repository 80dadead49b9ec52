using Graphene.Runtime;
using Graphene.Tests.Support;
using Microsoft.Extensions.Logging;
using NUnit.Framework;

namespace Graphene.Tests.Runtime;

public sealed class DiskCacheTests : FolderFixture
{
    private static readonly string KeyA = new('a', 64);
    private static readonly string KeyB = new('b', 64);
    private RecordingLogger _log = new();

    private string CachePath => Folder.Combine("cache");

    [SetUp]
    public void ForgetMessages() => _log = new RecordingLogger();

    [Test]
    public void WhatIsWrittenIsFound()
    {
        DiskCache cache = Open();
        Assert.That(cache.TryRead(KeyA), Is.Null);
        using (Executable made = TestEntries.ScaleAndAdd())
        {
            cache.TryWrite(KeyA, made);
        }
        using Executable? found = cache.TryRead(KeyA);
        Assert.That(found!.Plan.Name, Is.EqualTo("scale-and-add"));
        Assert.That(cache.TryRead(KeyB), Is.Null);
    }

    [Test]
    public void TheFolderBelongsToTheUserAlone()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("Windows folders take their rights from the user's profile");
            return;
        }
        Open();
        Assert.That(
            File.GetUnixFileMode(CachePath), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));
        File.SetUnixFileMode(CachePath, File.GetUnixFileMode(CachePath) | UnixFileMode.OtherWrite);
        Assert.That(DiskCache.TryOpen(CachePath, 1 << 20, _log), Is.Null);
        Assert.That(_log.Messages.Last(), Does.Contain("other users can write to it"));
    }

    [Test]
    public void ADamagedEntryIsIgnoredLoggedAndRemoved()
    {
        DiskCache cache = Open();
        using (Executable made = TestEntries.ScaleAndAdd())
        {
            cache.TryWrite(KeyA, made);
        }
        string file = Directory.GetFiles(CachePath).Single();
        byte[] bytes = File.ReadAllBytes(file);
        bytes[^1] ^= 1;
        File.WriteAllBytes(file, bytes);
        Assert.That(cache.TryRead(KeyA), Is.Null);
        Assert.That(_log.Messages.Last(), Does.Contain("is removed").And.Contain("constants are damaged"));
        Assert.That(File.Exists(file), Is.False);
    }

    [Test]
    public void TheEntryUsedLongestAgoMakesRoom()
    {
        DiskCache cache = Open(maxBytes: 10_000); // a little more than two entries
        using Executable made = TestEntries.ScaleAndAdd();
        cache.TryWrite(KeyA, made);
        Assert.That(new FileInfo(Directory.GetFiles(CachePath).Single()).Length, Is.InRange(4000, 4999));
        cache.TryWrite(KeyB, made);
        foreach (string file in Directory.GetFiles(CachePath))
        {
            File.SetLastAccessTimeUtc(file, DateTime.UtcNow.AddDays(-1));
        }
        cache.TryRead(KeyA)!.Dispose();
        cache.TryWrite(new string('c', 64), made);
        Assert.That(
            Directory.GetFiles(CachePath).Select(f => Path.GetFileName(f)[0]), Is.EquivalentTo(new[] { 'a', 'c' }));
    }

    [Test]
    public void AnAbandonedWriteIsCleanedUp()
    {
        DiskCache cache = Open();
        string old = Path.Combine(CachePath, "x.tmp");
        string current = Path.Combine(CachePath, "y.tmp");
        File.WriteAllText(old, "");
        File.WriteAllText(current, "");
        File.SetLastWriteTimeUtc(old, DateTime.UtcNow.AddHours(-2));
        using Executable made = TestEntries.ScaleAndAdd();
        cache.TryWrite(KeyA, made);
        Assert.That(File.Exists(old), Is.False);
        Assert.That(File.Exists(current), Is.True);
    }

    [Test]
    public void ManyWritersAndReadersNeverSeeHalfAnEntry()
    {
        DiskCache cache = Open();
        Parallel.For(0, 60, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i =>
        {
            if (i % 3 == 0)
            {
                using Executable made = TestEntries.ScaleAndAdd();
                cache.TryWrite(KeyA, made);
            }
            else
            {
                cache.TryRead(KeyA)?.Dispose();
            }
        });
        Assert.That(_log.Messages, Has.None.Contains("removed").And.None.Contains("could not"));
    }

    [TestCase("../../etc/passwd")]
    [TestCase("ABC")]
    public void OnlyKeysNameFiles(string key) => Assert.Throws<ArgumentException>(() => Open().TryRead(key));

    [Test]
    public void TheEnvironmentDecides()
    {
        Assert.That(DiskCache.FromEnvironment(new DebugOptions { Cache = false, CacheFolder = CachePath }, _log), Is.Null);
        Assert.That(DiskCache.FromEnvironment(new DebugOptions { CacheFolder = "" }, _log), Is.Null);
        Assert.That(DiskCache.FromEnvironment(new DebugOptions { CacheFolder = CachePath }, _log)!.Folder, Is.EqualTo(CachePath));
        string blocked = Path.Combine(CachePath, "file");
        File.WriteAllText(blocked, "");
        Assert.That(DiskCache.FromEnvironment(new DebugOptions { CacheFolder = blocked }, _log), Is.Null);
        Assert.That(_log.Messages.Last(), Does.Contain("is not cached"));
    }

    [Test]
    public void SwitchesAreChecked()
    {
        string? name = "GRAPHENE_THREADS";
        foreach (string bad in (string[])["0", "-1", "two", "1025", "99999999999"])
        {
            var error = Assert.Throws<GraphException>(() => DebugOptions.Read(v => v == name ? bad : null));
            Assert.That(error!.Message, Does.Contain(bad));
        }
        Assert.That(DebugOptions.Read(v => v == name ? "12" : null).Threads, Is.EqualTo(12));
        Assert.That(DebugOptions.Read(v => v == "GRAPHENE_CACHE" ? "0" : null).Cache, Is.False);
    }

    [Test]
    public void KeysDependOnGraphNamesBoundsAndFingerprint()
    {
        string[] keys =
        [
            CacheKey.Of(Graph("x", 10, 1f), "compiler 1"),
            CacheKey.Of(Graph("x", 10, 1f), "compiler 2"),
            CacheKey.Of(Graph("y", 10, 1f), "compiler 1"),
            CacheKey.Of(Graph("x", 11, 1f), "compiler 1"),
            CacheKey.Of(Graph("x", 10, 2f), "compiler 1"),
        ];
        Assert.That(keys.Distinct().Count(), Is.EqualTo(keys.Length));
        Assert.That(keys[0], Has.Length.EqualTo(64));
        Assert.That(CacheKey.Of(Graph("x", 10, 1f), "compiler 1"), Is.EqualTo(keys[0]));
    }

    [Test]
    public void CodeThatCannotBeLoadedIsCompiledAnew()
    {
        DiskCache cache = Open();
        Module module = Graph("x", 10, 1f);
        var compiler = new BrokenCompiler();
        using Executable foreign = compiler.Compile(module, _log, default);
        string key = CacheKey.Of(module, compiler.Fingerprint);
        cache.TryWrite(key, foreign);
        var cached = new CachedGraphCompiler(compiler, "cpu", cache);
        Assert.Throws<GraphException>(() => cached.Compile(module, _log, default));
        Assert.That(compiler.Count, Is.EqualTo(2), "the entry was found, could not be loaded, and was compiled again");
        Assert.That(_log.Messages, Has.Some.Contains("is removed").And.Some.Contains("wasm32"));
    }

    private static Module Graph(string input, long max, float constant)
    {
        var b = new GraphBuilder();
        Node x = b.Parameter(0, new TensorType(DType.F32, [new DimSymbol("n", 1, max)]));
        Node c = b.Add(new BroadcastInDimOp(x.Shape, []), b.Constant(DType.F32, constant));
        return new Module("m", b.Build("main", [b.Add(x, c)]), [input], ["out"], b.Provenance);
    }

    private DiskCache Open(long maxBytes = 1 << 20) => DiskCache.TryOpen(CachePath, maxBytes, _log)!;

    private sealed class BrokenCompiler : IExecutableCompiler
    {
        public int Count { get; private set; }

        public string Fingerprint => "broken 1";

        public Executable Compile(Module module, ILogger logger, CancellationToken cancellation)
        {
            Count++;
            return Executable.Create(TestEntries.Plan("m") with { TargetTriple = "wasm32" }, []);
        }
    }
}
