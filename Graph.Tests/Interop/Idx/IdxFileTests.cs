using System.IO.Compression;
using Graphene.Interop.Idx;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Interop.Idx;

internal sealed class IdxFileTests
{
    private static IEnumerable<Literal> Values()
    {
        yield return Literal.From<byte>([0, 127, 255, 4, 5, 6], 2, 3);
        yield return Literal.From<sbyte>([-128, 127], 2);
        yield return Literal.From<short>([short.MinValue, 258], 2, 1);
        yield return Literal.From<int>([int.MinValue, 16909060], 1, 2, 1);
        yield return Literal.From<float>([1f, -0f, float.NaN], 3);
        yield return Literal.From<double>([Math.PI], 1);
        yield return Literal.From<byte>([], 0, 28, 28);
    }

    [TestCaseSource(nameof(Values))]
    public void WhatIsWrittenIsReadBack(Literal value)
    {
        using var folder = new TemporaryFolder();
        foreach (string name in new[] { "x.idx", "x.idx.gz" })
        {
            IdxFile.Write(folder.Combine(name), value);
            Assert.That(IdxFile.Read(folder.Combine(name)), Is.EqualTo(value), name);
        }
    }

    [Test]
    public void TheFormatIsThatOfMnist() =>
        Assert.That(
            Read([0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 3, 7, 8, 9]), Is.EqualTo(Literal.From<byte>([7, 8, 9], 1, 3)));

    [Test]
    public void MnistIsRead()
    {
        string folder = SharedMaterial.Require("data/mnist");
        string[] files = Directory.GetFiles(folder, "*idx*", SearchOption.AllDirectories);
        Assert.That(files, Is.Not.Empty);
        foreach (string file in files)
        {
            Literal value = IdxFile.Read(file);
            Assert.That(value.DType, Is.EqualTo(DType.U8), file);
            Assert.That(value.Type.Rank, Is.EqualTo(file.Contains("labels", StringComparison.Ordinal) ? 1 : 3), file);
            Assert.That(value.Shape[0].Value, Is.GreaterThanOrEqualTo(10_000), file);
        }
    }

    [TestCase(new byte[] { }, "GR4202")]
    [TestCase(new byte[] { 0, 0, 8 }, "GR4202")]
    [TestCase(new byte[] { 1, 0, 8, 1, 0, 0, 0, 1, 0 }, "GR4202")]
    [TestCase(new byte[] { 0, 0, 7, 1, 0, 0, 0, 1, 0 }, "GR4202")]
    [TestCase(new byte[] { 0, 0, 8, 200, 0, 0, 0, 1, 0 }, "GR4202")]
    [TestCase(new byte[] { 0, 0, 8, 2, 0, 0, 0, 1 }, "GR4202")]
    [TestCase(new byte[] { 0, 0, 8, 1, 0, 0, 0, 2, 0 }, "GR4202")]
    [TestCase(new byte[] { 0, 0, 8, 1, 0, 0, 0, 1, 0, 0 }, "GR4202")]
    [TestCase(new byte[] { 0, 0, 8, 1, 255, 255, 255, 255 }, "GR4203")]
    [TestCase(new byte[] { 0, 0, 14, 4, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255 }, "GR4203")]
    [TestCase(new byte[] { 0, 0, 8, 1, 1, 0, 0, 0 }, "GR4202")]
    [TestCase(new byte[] { 0x1F, 0x8B }, "GR4202")]
    [TestCase(new byte[] { 0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 255, 255, 255 }, "GR4202")]
    public void HostileFilesAreReported(byte[] bytes, string code)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(
            () => Read(bytes),
            Throws.TypeOf<GraphException>().With.Property(nameof(GraphException.Id)).With.Property("Code").EqualTo(code));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(1 << 20));
    }

    [Test]
    public void ABombIsRefused()
    {
        using var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write([0, 0, 8, 1, 0x20, 0, 0, 0]); // 512 MiB
            byte[] zeros = new byte[1 << 20];
            for (int i = 0; i < 512; i++)
            {
                gzip.Write(zeros);
            }
        }
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(() => Read(stream.ToArray()), Throws.TypeOf<GraphException>().With.Message.Contains("GR4203"));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(8 << 20));
    }

    [Test]
    public void EveryTruncationOfACompressedFileIsReported()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Combine("x.gz");
        IdxFile.Write(path, Literal.From<byte>([1, 2, 3, 4, 5, 6], 6));
        byte[] whole = File.ReadAllBytes(path);
        // The end mark of the block and gzip's own checksum and length come after the elements.
        for (int length = 0; length < whole.Length - 9; length++)
        {
            Assert.That(() => Read(whole[..length]), Throws.TypeOf<GraphException>(), $"first {length} of {whole.Length} bytes");
        }
    }

    [Test]
    public void AMissingFileIsReported() =>
        Assert.That(
            () => IdxFile.Read("no-such-folder/train-images"), Throws.TypeOf<GraphException>().With.Message.StartsWith("GR4201"));

    private static Literal Read(byte[] bytes) => IdxFile.Read(new MemoryStream(bytes), "test");
}
