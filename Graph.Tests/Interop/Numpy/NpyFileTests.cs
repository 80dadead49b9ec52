using System.Buffers.Binary;
using System.Text;
using Graphene.Interop.Numpy;
using NUnit.Framework;

namespace Graphene.Tests.Interop.Numpy;

internal sealed class NpyFileTests
{
    private static IEnumerable<Literal> Values()
    {
        yield return Literal.From<float>([1f, -0f, float.NaN, float.PositiveInfinity, 1e-45f, 6f], 2, 3);
        yield return Literal.From<double>([Math.PI], 1, 1);
        yield return Literal.From<Half>([(Half)1.5f, Half.MinValue], 2);
        yield return Literal.From<bool>([true, false, true], 3);
        yield return Literal.From<sbyte>([-128, 127], 2);
        yield return Literal.From<short>([short.MinValue], 1);
        yield return Literal.From<int>([int.MinValue, 7], 2, 1);
        yield return Literal.From<long>([long.MinValue, long.MaxValue], 1, 2);
        yield return Literal.From<byte>([0, 255], 2);
        yield return Literal.From<ushort>([65535], 1);
        yield return Literal.From<uint>([uint.MaxValue], 1);
        yield return Literal.From<ulong>([ulong.MaxValue], 1);
        yield return Literal.From<float>([42f]);
        yield return Literal.From<float>([], 3, 0, 2);
    }

    [TestCaseSource(nameof(Values))]
    public void WhatIsWrittenIsReadBack(Literal value)
    {
        using var stream = new MemoryStream();
        NpyFile.Write(stream, value);

        Assert.That((stream.Length - value.Bytes.Length) % 64, Is.Zero, "data starts at a multiple of 64");
        stream.Position = 0;
        Assert.That(NpyFile.Read(stream, "value"), Is.EqualTo(value));
    }

    [Test]
    public void BFloat16IsWrittenAsTheSameValuesInF32()
    {
        using var stream = new MemoryStream();
        NpyFile.Write(stream, Literal.From<BFloat16>([(BFloat16)1.5f, (BFloat16)(-3f)], 2));
        stream.Position = 0;

        Assert.That(NpyFile.Read(stream, "value"), Is.EqualTo(Literal.From<float>([1.5f, -3f], 2)));
    }

    [Test]
    public void BigEndianElementsAreTurned()
    {
        byte[] data = new byte[8];
        BinaryPrimitives.WriteInt32BigEndian(data, 1);
        BinaryPrimitives.WriteInt32BigEndian(data.AsSpan(4), -2);

        Assert.That(Read("{'descr': '>i4', 'fortran_order': False, 'shape': (2,), }", data),
            Is.EqualTo(Literal.From<int>([1, -2], 2)));
    }

    [Test]
    public void FortranOrderBecomesRowMajor()
    {
        // [[0, 1, 2], [3, 4, 5]] column by column
        Assert.That(Read("{'shape': (2, 3), 'fortran_order': True, 'descr': '|u1'}", [0, 3, 1, 4, 2, 5]),
            Is.EqualTo(Literal.From<byte>([0, 1, 2, 3, 4, 5], 2, 3)));
    }

    [Test]
    public void BoolsAreZeroOrOne() =>
        Assert.That(
            Read("{'descr': '|b1', 'fortran_order': False, 'shape': (3,)}", [0, 7, 255]).Bytes.ToArray(),
            Is.EqualTo(new byte[] { 0, 1, 1 }));

    [TestCase(2)]
    [TestCase(3)]
    public void LongHeadersOfNewerFormatsAreRead(byte version) =>
        Assert.That(
            Read("{'descr': '<i2', 'fortran_order': False, 'shape': (1,)}", [5, 0], version),
            Is.EqualTo(Literal.From<short>([5], 1)));

    [TestCase("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", 4, "GR4103", TestName = "too little data")]
    [TestCase("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", 12, "GR4103", TestName = "too much data")]
    [TestCase("{'descr': '|O', 'fortran_order': False, 'shape': (2,)}", 16, "GR4104", TestName = "Python objects")]
    [TestCase("{'descr': '<c8', 'fortran_order': False, 'shape': (2,)}", 16, "GR4104", TestName = "complex")]
    [TestCase("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", 8, "GR4103", TestName = "records")]
    [TestCase("{'descr': '', 'fortran_order': False, 'shape': (2,)}", 8, "GR4104", TestName = "empty type")]
    [TestCase("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4)}", 0, "GR4105", TestName = "2^64 elements")]
    [TestCase("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 0)}", 0, "GR4105", TestName = "2^62 x 0")]
    [TestCase("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", 0, "GR4103", TestName = "past 64 bits")]
    [TestCase("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", 4, "GR4103", TestName = "negative extent")]
    [TestCase("{'descr': '<f4', 'fortran_order': False}", 4, "GR4103", TestName = "no shape")]
    [TestCase("{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,)}", 4, "GR4103", TestName = "bad order")]
    [TestCase("{'descr': '<f4", 4, "GR4103", TestName = "unterminated string")]
    [TestCase("{", 4, "GR4103", TestName = "unterminated dictionary")]
    [TestCase("", 4, "GR4103", TestName = "empty header")]
    public void BadHeadersAreReported(string header, int dataLength, string code) =>
        Assert.That(
            () => Read(header, new byte[dataLength]),
            Throws.TypeOf<GraphException>().With.Property(nameof(GraphException.Id)).With.Property("Code").EqualTo(code));

    [Test]
    public void ShapesOfTooManyDimensionsAreReported()
    {
        string ones = string.Concat(Enumerable.Repeat("1,", 10_000));

        Assert.That(
            () => Read($"{{'descr': '|u1', 'fortran_order': False, 'shape': ({ones})}}", new byte[1]),
            Throws.TypeOf<GraphException>().With.Message.Contains("10000 dimensions"));
    }

    [Test]
    public void EveryTruncationIsReported()
    {
        using var whole = new MemoryStream();
        NpyFile.Write(whole, Literal.From<float>([1f, 2f], 2));
        for (int length = 0; length < whole.Length; length++)
        {
            using var cut = new MemoryStream(whole.ToArray(), 0, length);
            Assert.That(() => NpyFile.Read(cut, "cut"), Throws.TypeOf<GraphException>(), $"first {length} bytes");
        }
    }

    [Test]
    public void AMissingFileIsReported() =>
        Assert.That(
            () => NpyFile.Read(Path.Combine(Path.GetTempPath(), "no-such-folder", "x.npy")),
            Throws.TypeOf<GraphException>().With.Message.StartsWith("GR4101"));

    private static Literal Read(string header, byte[] data, byte version = 1)
    {
        using var stream = new MemoryStream();
        stream.Write([0x93, .. "NUMPY"u8, version, 0]);
        byte[] text = Encoding.ASCII.GetBytes(header);
        byte[] length = new byte[version == 1 ? 2 : 4];
        if (version == 1)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(length, (ushort)text.Length);
        }
        else
        {
            BinaryPrimitives.WriteInt32LittleEndian(length, text.Length);
        }
        stream.Write([.. length, .. text, .. data]);
        stream.Position = 0;
        return NpyFile.Read(stream, "test");
    }
}
