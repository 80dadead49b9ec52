using Google.Protobuf;
using Graphene.Interop.Onnx;
using Graphene.Interop.Onnx.Schema;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Interop.Onnx;

/// <summary>Every encoding of a tensor is read, and what contradicts itself is refused.</summary>
[TestFixture]
public sealed class StoredTensorTests : FolderFixture
{
    [Test]
    public void RawAndTypedDataAreTheSameTensor()
    {
        TensorProto raw = Tensor(OnnxDataType.Float, 2);
        raw.RawData = ByteString.CopyFrom([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]);
        TensorProto typed = Tensor(OnnxDataType.Float, 2);
        typed.FloatData.AddRange([1, -2]);
        Assert.That(Read(raw), Is.EqualTo(Read(typed)));
        Assert.That(Read(raw).As<float>().ToArray(), Is.EqualTo((float[])[1, -2]));
    }

    [Test]
    public void SmallTypesComeInInt32Data()
    {
        Assert.That(ReadInt32(OnnxDataType.Int8, -3, 100).As<sbyte>().ToArray(), Is.EqualTo((sbyte[])[-3, 100]));
        Assert.That(ReadInt32(OnnxDataType.UInt16, 65535, 1).As<ushort>().ToArray(), Is.EqualTo((ushort[])[65535, 1]));
        Assert.That(ReadInt32(OnnxDataType.Bool, 1, 0).As<bool>().ToArray(), Is.EqualTo((bool[])[true, false]));
        Assert.That(ReadInt32(OnnxDataType.Float16, 0x3c00, 0xc000).As<Half>().ToArray(), Is.EqualTo((Half[])[(Half)1, (Half)(-2)]));
        Assert.That(ReadInt32(OnnxDataType.BFloat16, 0x3f80, 0xc000)[1].AsDouble, Is.EqualTo(-2));
        Assert.That(ReadInt32(OnnxDataType.Float8E4M3FN, 0x7f, 0x80).As<byte>().ToArray(), Is.EqualTo((byte[])[0x7f, 0x80]));
    }

    [Test]
    public void WideTypesHaveFieldsOfTheirOwn()
    {
        TensorProto longs = Tensor(OnnxDataType.Int64, 2);
        longs.Int64Data.AddRange([long.MinValue, 7]);
        Assert.That(Read(longs).As<long>().ToArray(), Is.EqualTo((long[])[long.MinValue, 7]));
        TensorProto doubles = Tensor(OnnxDataType.Double, 1);
        doubles.DoubleData.Add(0.1);
        Assert.That(Read(doubles).As<double>().ToArray(), Is.EqualTo((double[])[0.1]));
        TensorProto unsigned = Tensor(OnnxDataType.UInt32, 1);
        unsigned.Uint64Data.Add(4_000_000_000);
        Assert.That(Read(unsigned).As<uint>().ToArray(), Is.EqualTo((uint[])[4_000_000_000]));
    }

    [Test]
    public void PackedTypesTakeAByteEach()
    {
        // 0x9f: element 0 is 0xf, element 1 is 0x9; three elements in two bytes.
        Assert.That(ReadRaw(OnnxDataType.Int4, [3], 0x9f, 0x07).As<sbyte>().ToArray(), Is.EqualTo((sbyte[])[-1, -7, 7]));
        Assert.That(ReadRaw(OnnxDataType.UInt4, [3], 0x9f, 0x07).As<byte>().ToArray(), Is.EqualTo((byte[])[15, 9, 7]));
        Assert.That(ReadRaw(OnnxDataType.Int2, [5], 0b11_10_01_00, 0b01).As<sbyte>().ToArray(), Is.EqualTo((sbyte[])[0, 1, -2, -1, 1]));
        Assert.That(ReadRaw(OnnxDataType.UInt2, [4], 0b11_10_01_00).As<byte>().ToArray(), Is.EqualTo((byte[])[0, 1, 2, 3]));
        TensorProto typed = Tensor(OnnxDataType.UInt4, 3);
        typed.Int32Data.AddRange([0x9f, 0x07]);
        Assert.That(Read(typed).As<byte>().ToArray(), Is.EqualTo((byte[])[15, 9, 7]));
    }

    [Test]
    public void TensorsWithoutElementsNeedNoData()
    {
        Assert.That(Read(Tensor(OnnxDataType.Float, 0, 3)).Type.ToString(), Is.EqualTo("f32[0,3]"));
    }

    [Test]
    public void AScalarHasOneElement() => Assert.That(ReadRaw(OnnxDataType.UInt8, [], 5).As<byte>().ToArray(), Is.EqualTo((byte[])[5]));

    private static IEnumerable<TestCaseData> Contradictions()
    {
        yield return Case("raw data shorter than the shape", "GR4006", Raw(OnnxDataType.Float, [2], new byte[7]));
        yield return Case("raw data longer than the shape", "GR4006", Raw(OnnxDataType.Float, [2], new byte[9]));
        yield return Case("no data at all", "GR4006", Tensor(OnnxDataType.Float, 2));
        yield return Case("packed data one byte short", "GR4006", Raw(OnnxDataType.Int4, [3], [1]));
        yield return Case("a negative dimension", "GR4006", Raw(OnnxDataType.Float, [-2, -3], new byte[24]));
        yield return Case("2^62 elements", "GR4004", Tensor(OnnxDataType.Float, 1L << 31, 1L << 31));
        yield return Case("a product beyond 64 bits", "GR4004", Tensor(OnnxDataType.Float, 1L << 62, 1L << 62, 1L << 62, 1L << 62));
        yield return Case(
            "no elements, but 2^126 in the other dimensions", "GR4004",
            Tensor(OnnxDataType.Float, 1L << 62, 0, 1L << 62, 1L << 2));
        yield return Case("a product that wraps to the right size", "GR4004", Raw(OnnxDataType.UInt8, [1L << 32, 1L << 32], new byte[1]));
        yield return Case("no element type", "GR4006", Tensor(OnnxDataType.Undefined, 1));
        yield return Case("an element type from the future", "GR4006", Tensor((OnnxDataType)99, 1));
        yield return Case("a negative element type", "GR4006", Tensor((OnnxDataType)(-1), 1));
        yield return Case("text", "GR4011", Tensor(OnnxDataType.String, 1));
        yield return Case("complex numbers", "GR4011", Raw(OnnxDataType.Complex64, [1], new byte[8]));
        yield return Case("a truth value of 7", "GR4006", Raw(OnnxDataType.Bool, [1], [7]));

        TensorProto both = Raw(OnnxDataType.Float, [1], new byte[4]);
        both.FloatData.Add(1);
        yield return Case("two encodings at once", "GR4006", both);

        TensorProto wrongField = Tensor(OnnxDataType.Int64, 1);
        wrongField.FloatData.Add(1);
        yield return Case("values in the field of another type", "GR4006", wrongField);

        TensorProto segment = Raw(OnnxDataType.Float, [1], new byte[4]);
        segment.Segment = new TensorProto.Types.Segment { Begin = 0, End = 1 };
        yield return Case("a segment", "GR4006", segment);
    }

    [TestCaseSource(nameof(Contradictions))]
    public void IsRefused(string id, object tensor)
    {
        GraphException error = Assert.Throws<GraphException>(() => Read((TensorProto)tensor))!;
        Assert.That(error.Id.Code, Is.EqualTo(id), error.Message);
        Assert.That(error.Where, Does.Contain("tensor.pb"));
    }

    [Test]
    public void ATruncatedFileIsRefused()
    {
        string path = Path.Join(Folder.Path, "tensor.pb");
        File.WriteAllBytes(path, Raw(OnnxDataType.Float, [4], new byte[16]).ToByteArray()[..^3]);
        Assert.That(() => OnnxTensor.Read(path), Throws.TypeOf<GraphException>().With.Message.Contains("GR4003"));
    }

    private static TestCaseData Case(string name, string id, TensorProto tensor) =>
        new TestCaseData(id, tensor).SetArgDisplayNames(name);

    private static TensorProto Tensor(OnnxDataType type, params long[] dims)
    {
        var tensor = new TensorProto { Name = "t", DataType = (int)type };
        tensor.Dims.AddRange(dims);
        return tensor;
    }

    private static TensorProto Raw(OnnxDataType type, long[] dims, byte[] bytes)
    {
        TensorProto tensor = Tensor(type, dims);
        tensor.RawData = ByteString.CopyFrom(bytes);
        return tensor;
    }

    private Literal ReadRaw(OnnxDataType type, long[] dims, params byte[] bytes) => Read(Raw(type, dims, bytes));

    private Literal ReadInt32(OnnxDataType type, params int[] values)
    {
        TensorProto tensor = Tensor(type, values.Length);
        tensor.Int32Data.AddRange(values);
        return Read(tensor);
    }

    private Literal Read(TensorProto tensor)
    {
        string path = Path.Join(Folder.Path, "tensor.pb");
        File.WriteAllBytes(path, tensor.ToByteArray());
        return OnnxTensor.Read(path).Value;
    }
}
