using System.Buffers.Binary;
using System.Text;
using Graphene.Runtime;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Runtime.Checkpoints;

internal sealed class SafetensorsFileTests : FolderFixture
{
    private string FilePath => Folder.Combine("x.safetensors");

    [Test]
    public void WhatIsWrittenIsReadBack()
    {
        NamedTensor[] tensors =
        [
            new("bools", Literal.From<bool>([true, false, true], 3)),
            new("i8", Literal.From<sbyte>([-128, 127], 2)),
            new("layer.0/weight \"quoted\" ü", Literal.From<float>([1f, -0f, float.NaN, float.PositiveInfinity, 1e-45f, 6f], 2, 3)),
            new("f64", Literal.From<double>([Math.PI], 1, 1)),
            new("f16", Literal.From<Half>([(Half)1.5f], 1)),
            new("bf16", Literal.From<BFloat16>([(BFloat16)1.5f, (BFloat16)(-3f)], 2)),
            new("i16", Literal.From<short>([short.MinValue], 1)),
            new("i32", Literal.From<int>([int.MinValue, 7], 2, 1)),
            new("i64", Literal.From<long>([long.MinValue], 1)),
            new("u8", Literal.From<byte>([0, 255, 3], 3)),
            new("u16", Literal.From<ushort>([65535], 1)),
            new("u32", Literal.From<uint>([uint.MaxValue], 1)),
            new("u64", Literal.From<ulong>([ulong.MaxValue], 1)),
            new("scalar", Literal.From<float>([42f])),
            new("empty", Literal.From<float>([], 3, 0, 2)),
        ];
        string digest = SafetensorsFile.Write(FilePath, tensors, new Dictionary<string, string> { ["format"] = "pt" });

        using SafetensorsFile file = SafetensorsFile.Open(FilePath);
        Assert.Multiple(() =>
        {
            Assert.That(file.Names, Is.EquivalentTo(tensors.Select(t => t.Name)));
            foreach (NamedTensor tensor in tensors)
            {
                Assert.That(file.TypeOf(tensor.Name), Is.EqualTo(tensor.Value.Type));
                Assert.That(file.Read(tensor.Name), Is.EqualTo(tensor.Value), tensor.Name);
            }
            Assert.That(file.Metadata["format"], Is.EqualTo("pt"));
            Assert.That(file.Digest, Is.EqualTo(digest));
            Assert.That(file.Verify(), Is.True);
            Assert.That(file.TypeOf("nobody"), Is.Null);
        });
    }

    // Bytes as the format's description and the reference implementation lay them out, put together by hand.
    [Test]
    public void FilesOfOthersAreRead()
    {
        WriteRaw("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"BF16","shape":[],"data_offsets":[8,10]}}   """,
            [0, 0, 0x80, 0x3F, 0, 0, 0, 0x40, 0xC0, 0x3F]);

        using SafetensorsFile file = SafetensorsFile.Open(FilePath);
        Assert.That(file.Read("w"), Is.EqualTo(Literal.From<float>([1, 2], 2)));
        Assert.That(file.Read("b"), Is.EqualTo(Literal.From<BFloat16>([(BFloat16)1.5f])));
        Assert.That(file.Verify(), Is.False, "nothing to compare with");
    }

    [Test]
    public void EachTensorBeginsAtAMultipleOfItsElementSize()
    {
        SafetensorsFile.Write(
            FilePath,
            [
                new("a", Literal.From<byte>([1, 2, 3], 3)), new("b", Literal.From<double>([1], 1)),
                new("c", Literal.From<short>([1], 1)), new("d", Literal.From<float>([1, 2, 3], 3)),
            ]);
        byte[] bytes = File.ReadAllBytes(FilePath);
        long data = 8 + BinaryPrimitives.ReadInt64LittleEndian(bytes);

        Assert.That(data % 64, Is.Zero);
        Assert.That(
            Encoding.UTF8.GetString(bytes, 8, (int)data - 8),
            Does.Contain("\"b\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}"));
        Assert.That(bytes, Has.Length.EqualTo(data + 8 + 12 + 2 + 3));
    }

    [TestCase("", "header")]
    [TestCase("[]", "not an object")]
    [TestCase("{", "JSON")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}""", "JSON")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} x""", "JSON")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[0],"data_offsets":[8,8]}}""", "twice")]
    [TestCase(
        """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""",
        "overlaps")]
    [TestCase("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "hole")]
    [TestCase("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "4 bytes, but 8")]
    [TestCase("""{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}""", "16 bytes, but 8")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", "does not take")]
    [TestCase("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", "does not take")]
    [TestCase("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", "not a size")]
    [TestCase("""{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,8]}}""", "not a size")]
    [TestCase("""{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}""", "does not take")]
    [TestCase("""{"a":{"dtype":"F32","shape":[9223372036854775807,9223372036854775807,0],"data_offsets":[0,0]}}""", "does not take")]
    [TestCase("""{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]}}""", "not a size")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[9223372036854775799,9223372036854775807]}}""", "hole")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}}""", "more than 2")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}""", "lacks")]
    [TestCase("""{"a":{"dtype":"F32","shape":"2","data_offsets":[0,8]}}""", "not a list")]
    [TestCase("""{"a":{"dtype":"F4","shape":[2],"data_offsets":[0,8]}}""", "'F4'")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2]}}""", "lacks")]
    [TestCase("""{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "twice")]
    [TestCase("""{"a":{"dtype":"F32","shape":[[2]],"data_offsets":[0,8]}}""", "other things")]
    [TestCase("""{"__metadata__":{"x":1}}""", "not a string")]
    [TestCase("""{"__metadata__":{"x":"1","x":"2"}}""", "twice")]
    [TestCase("""{"a":[[[[[[[[[[[[]]]]]]]]]]]]}""", "not an object")]
    public void BadHeadersAreReported(string header, string about)
    {
        WriteRaw(header, new byte[8]);

        Assert.That(
            () => SafetensorsFile.Open(FilePath).Dispose(),
            Throws.TypeOf<GraphException>().With.Property(nameof(GraphException.Id)).EqualTo(RuntimeDiagnostics.CheckpointDamaged)
                .And.Message.Contains(about));
    }

    [Test]
    public void DimensionsWithoutEndAreReported()
    {
        string ones = string.Join(",", Enumerable.Repeat(1, 100_000));
        WriteRaw("{\"a\":{\"dtype\":\"U8\",\"shape\":[" + ones + "],\"data_offsets\":[0,1]}}", new byte[1]);

        Assert.That(() => SafetensorsFile.Open(FilePath), Throws.TypeOf<GraphException>().With.Message.Contains("more than 64"));
    }

    [Test]
    public void AHeaderThatClaimsToBeHugeTakesNoMemory()
    {
        using (FileStream sparse = File.Create(FilePath))
        {
            sparse.SetLength(1L << 36);
            sparse.Write(BitConverter.GetBytes((1L << 36) - 8));
        }
        long before = GC.GetAllocatedBytesForCurrentThread();

        Assert.That(
            () => SafetensorsFile.Open(FilePath),
            Throws.TypeOf<GraphException>().With.Property(nameof(GraphException.Id)).EqualTo(RuntimeDiagnostics.CheckpointTooLarge));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(1 << 20));
    }

    [Test]
    public void EveryTruncationIsReported()
    {
        SafetensorsFile.Write(FilePath, [new("a", Literal.From<float>([1f, 2f], 2))]);
        byte[] whole = File.ReadAllBytes(FilePath);
        string cut = Folder.Combine("cut");
        for (int length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(cut, whole[..length]);
            Assert.That(() => SafetensorsFile.Open(cut), Throws.TypeOf<GraphException>(), $"first {length} bytes");
        }
    }

    [Test]
    public void EveryBitThatFlipsIsNoticed()
    {
        SafetensorsFile.Write(FilePath, [new("a", Literal.From<float>([1f, 2f], 2)), new("b", Literal.From<byte>([7], 1))]);
        byte[] bytes = File.ReadAllBytes(FilePath);
        string flipped = Folder.Combine("flipped");
        for (int bit = 0; bit < 8 * bytes.Length; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            File.WriteAllBytes(flipped, bytes);
            bool verified = false;
            try
            {
                using SafetensorsFile file = SafetensorsFile.Open(flipped);
                verified = file.Verify();
            }
            catch (GraphException)
            {
            }
            Assert.That(verified, Is.False, $"bit {bit}");
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Test]
    public void AFailedWriteLeavesTheOldFile()
    {
        SafetensorsFile.Write(FilePath, [new("a", Literal.From<float>([1f], 1))]);

        Assert.Throws<ArgumentException>(() => SafetensorsFile.Write(
            FilePath, [new("a", Literal.From<float>([2f], 1)), new("a", Literal.From<float>([3f], 1))]));

        using SafetensorsFile file = SafetensorsFile.Open(FilePath);
        Assert.That(file.Read("a").As<float>()[0], Is.EqualTo(1));
        Assert.That(Directory.GetFiles(Folder.Path), Has.Length.EqualTo(1));
    }

    private void WriteRaw(string header, byte[] data)
    {
        byte[] json = Encoding.UTF8.GetBytes(header);
        File.WriteAllBytes(FilePath, [.. BitConverter.GetBytes((long)json.Length), .. json, .. data]);
    }
}
