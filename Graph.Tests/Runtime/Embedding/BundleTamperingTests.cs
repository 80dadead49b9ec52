using System.Buffers.Binary;
using System.Diagnostics;
using System.Security.Cryptography;
using Graphene.Runtime;
using NUnit.Framework;

namespace Graphene.Tests.Runtime.Embedding;

/// <summary>Bundles that somebody or something changed: refused, soon, and before any of their code could run.</summary>
internal sealed class BundleTamperingTests
{
    private static readonly Lazy<byte[]> Signed = new(() =>
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return BundleFixture.Bytes(BundleFixture.Chat(), key);
    });

    [Test]
    public void EveryByteIsNoticed()
    {
        byte[] bytes = (byte[])Signed.Value.Clone();
        var random = new Random(1);
        for (int i = 0; i < bytes.Length; i++)
        {
            byte flip = (byte)(1 << random.Next(8));
            bytes[i] ^= flip;
            AssertRefused(bytes, $"byte {i} of {bytes.Length}");
            bytes[i] ^= flip;
        }
        CompiledGraph.Load(bytes).Dispose();
    }

    [Test]
    public void TenThousandRandomFlipsAreRefused()
    {
        byte[] bytes = (byte[])BundleFixture.ChatBundle.Clone();
        var random = new Random(2);
        for (int round = 0; round < 10_000; round++)
        {
            int bit = random.Next(bytes.Length * 8);
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            AssertRefused(bytes, $"bit {bit}");
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
        CompiledGraph.Load(bytes).Dispose();
    }

    [Test]
    public void EveryTruncationAndExtensionIsRefused()
    {
        byte[] bytes = Signed.Value;
        for (int length = 0; length < bytes.Length; length += length < 2000 ? 7 : 61)
        {
            AssertRefused(bytes[..length], $"{length} bytes");
        }
        int seal = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(28));
        AssertRefused(bytes[..^seal], "without the seal");
        AssertRefused([.. bytes, 0], "with a byte more");
        AssertRefused([.. bytes, .. new byte[4096]], "with a page more");
        AssertRefused([.. bytes, .. bytes], "twice");
    }

    [Test]
    public void SplicesOfTwoBundlesAreRefused()
    {
        byte[] first = BundleFixture.Bytes(BundleFixture.Scale(2));
        byte[] second = BundleFixture.Bytes(BundleFixture.Scale(3));
        Assert.That(second, Has.Length.EqualTo(first.Length));
        int differing = Enumerable.Range(0, first.Length).First(i => first[i] != second[i]);
        int last = Enumerable.Range(0, first.Length).Last(i => first[i] != second[i]);
        for (int cut = differing + 1; cut <= last; cut += 13)
        {
            AssertRefused([.. first[..cut], .. second[cut..]], $"cut at {cut}");
        }
    }

    // Whoever can write the file can write its hashes, too: then sizes and counts must hold for themselves.
    [Test]
    public void ForgedCountsAndLengthsAreRefusedInBoundedTimeAndMemory()
    {
        long[] values = [0, 1, 63, 64, 4095, 4096, 1L << 20, int.MaxValue, 1L << 32, 1L << 40, long.MaxValue, -1, long.MinValue];
        var random = new Random(3);
        byte[] whole = BundleFixture.ChatBundle;
        int sections = BinaryPrimitives.ReadInt32LittleEndian(whole.AsSpan(12));
        var watch = Stopwatch.StartNew();
        int refused = 0;
        int cases = 0;
        void Try(byte[] bytes, string what)
        {
            BundleForger.Rehash(bytes);
            long before = GC.GetAllocatedBytesForCurrentThread();
            refused += IsRefused(bytes, what) ? 1 : 0;
            cases++;
            Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(8 << 20), what);
        }

        foreach (long value in values)
        {
            for (int field = 8; field <= 28; field += field is 16 ? 8 : 4)
            {
                byte[] bytes = [.. whole];
                Write(bytes, field, value, field is 16 ? 8 : 4);
                Try(bytes, $"{value} at {field}");
            }
            for (int section = 0; section < sections; section++)
            {
                byte[] bytes = [.. whole];
                Write(bytes, 64 + (64 * section) + 8, value, 8);
                Try(bytes, $"section {section} at {value}");
                bytes = [.. whole];
                Write(bytes, 64 + (64 * section) + 16, value, 8);
                Try(bytes, $"section {section} of {value} bytes");
            }
        }
        foreach (FileSection section in BundleForger.Sections(whole).Where(s => s.Kind is FileSectionKind.Index or FileSectionKind.Plan))
        {
            for (int i = 0; i < 300; i++)
            {
                byte[] bytes = [.. whole];
                int at = (int)section.Offset + random.Next((int)section.Length - 4);
                BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(at), (int)values[random.Next(values.Length)]);
                Try(bytes, $"{section.Kind} at {at}");
            }
        }
        TestContext.Out.WriteLine($"{cases} forged files, {refused} refused, in {watch.ElapsedMilliseconds} ms");
        Assert.That(refused, Is.GreaterThan(cases / 2));
        Assert.That(watch.Elapsed, Is.LessThan(TimeSpan.FromSeconds(60)));
    }

    [Test]
    public void NothingIsLoadedBeforeEverythingIsVerified()
    {
        // Code that cannot be linked is complained about when it is linked; damaged constants come first.
        byte[] bytes = [.. BundleFixture.ChatBundle];
        FileSection code = BundleForger.Sections(bytes).First(s => s.Kind == FileSectionKind.Object);
        bytes.AsSpan((int)code.Offset, 64).Clear();
        BundleForger.Rehash(bytes);
        Assert.Throws<ObjectLoadException>(() => CompiledGraph.Load(bytes));
        FileSection constants = BundleForger.Sections(bytes)[^1];
        Assert.That(constants.Kind, Is.EqualTo(FileSectionKind.Constants));
        bytes[(int)constants.Offset] ^= 1;
        AssertRefused(bytes, "constants");
    }

    [Test]
    public void AForgedBundleIsNotWhatWasSigned()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var options = new CompiledGraphOptions { TrustedKeys = [key.ExportSubjectPublicKeyInfoPem()] };
        byte[] bytes = BundleFixture.Bytes(BundleFixture.Scale(2), key);
        CompiledGraph.Load(bytes, options).Dispose();
        BundleForger.ChangeConstants(bytes);
        CompiledGraph.Load(bytes).Dispose();
        GraphException e = Assert.Throws<GraphException>(() => CompiledGraph.Load(bytes, options))!;
        Assert.That(e.Id, Is.EqualTo(BundleDiagnostics.WrongSigner));
        Assert.That(e.What, Does.Contain("not what was signed"));
    }

    [Test]
    public void AFutureVersionIsRefusedWithBothVersions()
    {
        byte[] bytes = [.. BundleFixture.ChatBundle];
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), 77);
        GraphException e = Assert.Throws<GraphException>(() => CompiledGraph.Load(bytes))!;
        Assert.That(e.What, Does.Contain("version 77").And.Contain($"version {FileLayout.Version}"));
    }

    [Test]
    public void AMissingFeatureIsNamed()
    {
        byte[] bytes = BundleFixture.Bytes(BundleFixture.Scale(2));
        string features = BundleForger.Features(bytes);
        string[] list = features.Split(',');
        string longest = list.MaxBy(f => f.Length)!;
        string forged = "+" + new string('q', longest.Length - 1);
        byte[] changed = BundleForger.Replace(bytes, longest, forged);
        GraphException e = Assert.Throws<GraphException>(() => CompiledGraph.Load(changed))!;
        Assert.That(e.Id, Is.EqualTo(RuntimeDiagnostics.WrongProcessor));
        Assert.That(e.What, Does.Contain(forged[1..]));
    }

    private static void AssertRefused(byte[] bytes, string what)
    {
        try
        {
            CompiledGraph.Load(bytes).Dispose();
        }
        catch (GraphException e) when (e.Id == RuntimeDiagnostics.BadExecutable)
        {
            return;
        }
        Assert.Fail($"accepted: {what}");
    }

    // What loads must also be disposable; what is forged well enough may load.
    private static bool IsRefused(byte[] bytes, string what)
    {
        try
        {
            CompiledGraph.Load(bytes).Dispose();
            return false;
        }
        catch (Exception e) when (e is GraphException or ObjectLoadException)
        {
            return true;
        }
        catch (Exception e)
        {
            throw new InvalidOperationException(what, e);
        }
    }

    private static void Write(byte[] bytes, int at, long value, int size)
    {
        if (size == 4)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(at), (int)value);
        }
        else
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at), value);
        }
    }
}
