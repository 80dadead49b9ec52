using System.IO.Compression;
using System.Text;
using Graphene.Interop.Numpy;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Interop.Numpy;

internal sealed class NpzFileTests : FolderFixture
{
    private string FilePath => Folder.Combine("x.npz");

    [TestCase(false)]
    [TestCase(true)]
    public void WhatIsWrittenIsReadBack(bool compress)
    {
        NamedTensor[] tensors =
        [
            new("dense/kernel", Literal.From<float>([1f, -0f, float.NaN, 1e-45f, 5f, 6f], 2, 3)),
            new("step", Literal.From<long>([long.MaxValue])),
            new("empty", Literal.From<byte>([], 0, 7)),
            new("many", Literal.From<double>([.. Enumerable.Range(0, 10_000).Select(i => (double)i)], 100, 100)),
        ];
        NpzFile.Write(FilePath, tensors, compress);

        using NpzFile file = NpzFile.Open(FilePath);
        Assert.That(file.Names, Is.EquivalentTo(tensors.Select(t => t.Name)));
        foreach (NamedTensor tensor in tensors)
        {
            Assert.That(file.TypeOf(tensor.Name), Is.EqualTo(tensor.Value.Type));
            Assert.That(file.Read(tensor.Name), Is.EqualTo(tensor.Value), tensor.Name);
        }
        Assert.That(file.TypeOf("nobody"), Is.Null);
    }

    [Test]
    public void EqualArraysGiveEqualFiles()
    {
        NamedTensor[] tensors = [new("a", Literal.From<float>([1, 2], 2))];
        NpzFile.Write(FilePath, tensors);
        NpzFile.Write(Folder.Combine("y.npz"), tensors);

        Assert.That(File.ReadAllBytes(Folder.Combine("y.npz")), Is.EqualTo(File.ReadAllBytes(FilePath)));
    }

    // A megabyte that becomes a gigabyte.
    [Test]
    public void ABombIsRefusedBeforeAnythingIsInflated()
    {
        using (FileStream stream = File.Create(FilePath))
        using (var archive = new ZipArchive(stream, ZipArchiveMode.Create))
        {
            using Stream entry = archive.CreateEntry("bomb.npy", CompressionLevel.Fastest).Open();
            NpyFile.Write(entry, Literal.From<byte>([0], 1));
            byte[] zeros = new byte[1 << 20];
            for (int i = 0; i < 300; i++)
            {
                entry.Write(zeros);
            }
        }
        long before = GC.GetAllocatedBytesForCurrentThread();

        Assert.That(
            () => NpzFile.Open(FilePath),
            Throws.TypeOf<GraphException>().With.Property(nameof(GraphException.Id)).EqualTo(NpyDiagnosticIds.InflatedTooLarge));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(1 << 20));
        Assert.That(
            () => NpzFile.Open(FilePath, maxBytes: 1L << 40).Read("bomb"),
            Throws.TypeOf<GraphException>().With.Property(nameof(GraphException.Id)).EqualTo(NpyDiagnosticIds.Damaged));
    }

    // The list says that a large array follows, and the header agrees, but only a few bytes are there.
    [Test]
    public void ASizeThatTheListInventsIsReported()
    {
        NpzFile.Write(FilePath, [new("a", Literal.From<byte>(new byte[1000], 1000))]);
        byte[] bytes = File.ReadAllBytes(FilePath);
        int entry = bytes.AsSpan().IndexOf("PK\x01\x02"u8);
        BitConverter.TryWriteBytes(bytes.AsSpan(entry + 24), 2000);
        File.WriteAllBytes(FilePath, bytes);

        Assert.That(() => ReadAll(FilePath), Throws.TypeOf<GraphException>());
    }

    [Test]
    public void DamagedElementsAreNoticed()
    {
        NpzFile.Write(FilePath, [new("a", Literal.From<float>([1, 2], 2))]);
        byte[] bytes = File.ReadAllBytes(FilePath);
        int at = bytes.AsSpan().IndexOf(BitConverter.GetBytes(2f));
        bytes[at] ^= 1;
        File.WriteAllBytes(FilePath, bytes);

        Assert.That(
            () => ReadAll(FilePath),
            Throws.TypeOf<GraphException>().With.Property(nameof(GraphException.Id)).EqualTo(NpyDiagnosticIds.NotNpz));
    }

    [Test]
    public void NamesThatAreThereTwiceAreReported()
    {
        using (FileStream stream = File.Create(FilePath))
        using (var archive = new ZipArchive(stream, ZipArchiveMode.Create))
        {
            for (int i = 0; i < 2; i++)
            {
                using Stream entry = archive.CreateEntry("a.npy").Open();
                NpyFile.Write(entry, Literal.From<byte>([0], 1));
            }
        }

        Assert.That(() => NpzFile.Open(FilePath), Throws.TypeOf<GraphException>().With.Message.Contains("twice"));
        Assert.Throws<ArgumentException>(
            () => NpzFile.Write(FilePath, [new("a", Literal.From<byte>([0], 1)), new("a", Literal.From<byte>([0], 1))]));
    }

    [Test]
    public void OtherFilesAreReported()
    {
        File.WriteAllText(FilePath, "1.0, 2.0, 3.0");
        Assert.That(
            () => NpzFile.Open(FilePath),
            Throws.TypeOf<GraphException>().With.Property(nameof(GraphException.Id)).EqualTo(NpyDiagnosticIds.NotNpz));
        Assert.That(
            () => NpzFile.Open(Folder.Combine("none.npz")),
            Throws.TypeOf<GraphException>().With.Property(nameof(GraphException.Id)).EqualTo(NpyDiagnosticIds.CannotOpen));
    }

    [Test]
    public void EveryTruncationIsReported()
    {
        NpzFile.Write(FilePath, [new("a", Literal.From<float>([1, 2], 2))], compress: true);
        byte[] whole = File.ReadAllBytes(FilePath);
        string cut = Folder.Combine("cut.npz");
        for (int length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(cut, whole[..length]);
            Assert.That(() => ReadAll(cut), Throws.TypeOf<GraphException>(), $"first {length} bytes");
        }
    }

    [Test]
    public void BytesThatFlipGiveErrorsOrTheSameValues()
    {
        Literal value = Literal.From<float>([1, 2, 3, 4], 4);
        NpzFile.Write(FilePath, [new("a", value)], compress: true);
        byte[] bytes = File.ReadAllBytes(FilePath);
        string flipped = Folder.Combine("flipped.npz");
        var random = new Random(1);
        for (int i = 0; i < bytes.Length; i++)
        {
            byte old = bytes[i];
            bytes[i] ^= (byte)(1 + random.Next(255));
            File.WriteAllBytes(flipped, bytes);
            try
            {
                Assert.That(ReadAll(flipped), Is.All.EqualTo(value), $"byte {i}");
            }
            catch (GraphException)
            {
            }
            bytes[i] = old;
        }
    }

    [Test]
    public void TheChecksumIsThatOfZip() =>
        // The check value of the standard: the CRC-32 of the digits 1 to 9.
        Assert.That(Crc32.Append(Crc32.Append(0, Encoding.ASCII.GetBytes("12345678")), "9"u8), Is.EqualTo(0xCBF43926));

    private static Literal[] ReadAll(string path)
    {
        using NpzFile file = NpzFile.Open(path);
        return [.. file.Names.Select(file.Read)];
    }
}
