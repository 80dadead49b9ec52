using NUnit.Framework;

namespace Graphene.Tests.Core.Types;

/// <summary>Literals whose bytes are read when they are needed are like others, and keep nothing that nobody asked to keep.</summary>
[TestFixture]
public sealed class StoredLiteralTests
{
    private const int Length = 300_001; // several parts, the last one odd

    [Test]
    public void ItEqualsALiteralInMemory()
    {
        Counted stored = Sines();
        var literal = new Literal(new TensorType(DType.F32, Shape.Of(Length)), stored);
        Literal inMemory = Literal.From<float>(Values(), Length);
        Assert.That(literal.ContentHash, Is.EqualTo(inMemory.ContentHash));
        Assert.That(literal, Is.EqualTo(inMemory));
        Assert.That(inMemory, Is.EqualTo(literal));
        Assert.That(literal.Reshape(Shape.Of(1, Length)).Part().As<float>().ToArray(), Is.EqualTo(Values()));
        using LiteralPart part = literal.Part(4 * 1000, 8);
        Assert.That(part.As<float>().ToArray(), Is.EqualTo(Values()[1000..1002]));
        Assert.That(stored.LargestRead, Is.LessThanOrEqualTo(Length * 4));
    }

    [Test]
    public void ADifferentLastByteIsADifferentLiteral()
    {
        float[] other = Values();
        other[^1] = BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(other[^1]) ^ 1);
        var literal = new Literal(new TensorType(DType.F32, Shape.Of(Length)), Sines());
        Assert.That(literal, Is.Not.EqualTo(Literal.From<float>(other, Length)));
    }

    [Test]
    public void LookingAtItKeepsNothing()
    {
        Counted stored = Sines();
        var literal = new Literal(new TensorType(DType.F32, Shape.Of(Length)), stored);
        Assert.That(literal.IsFinite(), Is.True);
        Assert.That(literal.IsSplat(), Is.False);
        _ = literal.ContentHash;
        Assert.That(stored.LargestRead, Is.LessThan(Length * 4), "never all at once");
        long before = stored.BytesRead;
        using (LiteralPart part = literal.Part())
        {
            Assert.That(part.As<float>()[7], Is.EqualTo(Values()[7]));
        }
        Assert.That(stored.BytesRead - before, Is.EqualTo(Length * 4), "it was read, and not kept");
        _ = literal.Bytes;
        before = stored.BytesRead;
        Assert.That(literal[9].AsDouble, Is.EqualTo(Values()[9]), "whoever asks for the bytes keeps them");
        Assert.That(stored.BytesRead, Is.EqualTo(before));
    }

    [TestCase(0, false)]
    [TestCase(Length - 1, false)]
    [TestCase(-1, true)]
    public void ASplatIsFoundWhereverItEnds(int different, bool isSplat)
    {
        float[] values = [.. Enumerable.Repeat(1.5f, Length)];
        if (different >= 0)
        {
            values[different] = 2;
        }
        var literal = new Literal(new TensorType(DType.F32, Shape.Of(Length)), new Counted(Literal.From<float>(values, Length)));
        Assert.That(literal.IsSplat(), Is.EqualTo(isSplat));
        Assert.That(literal.IsFinite(), Is.True);
    }

    [Test]
    public void AnInfinityIsFoundInTheLastPart()
    {
        float[] values = Values();
        values[^1] = float.NegativeInfinity;
        var literal = new Literal(new TensorType(DType.F32, Shape.Of(Length)), new Counted(Literal.From<float>(values, Length)));
        Assert.That(literal.IsFinite(), Is.False);
    }

    [Test]
    public void PartsOutsideAreRefused()
    {
        var literal = new Literal(new TensorType(DType.F32, Shape.Of(Length)), Sines());
        Assert.Throws<ArgumentOutOfRangeException>(() => literal.Part(4 * Length - 4, 8));
        Assert.Throws<ArgumentOutOfRangeException>(() => literal.Part(-1, 1));
        Assert.Throws<ArgumentException>(() => _ = new Literal(new TensorType(DType.F32, Shape.Of(Length + 1)), Sines()));
    }

    private static float[] Values() => [.. Enumerable.Range(0, Length).Select(i => MathF.Sin(i))];

    private static Counted Sines() => new(Literal.From<float>(Values(), Length));

    private sealed class Counted(Literal content) : StoredBytes
    {
        private long _bytesRead;

        public override long Length => content.SizeInBytes;

        public long BytesRead => _bytesRead;

        public long LargestRead { get; private set; }

        public override void Read(long offset, Span<byte> target)
        {
            content.Bytes.Span.Slice((int)offset, target.Length).CopyTo(target);
            _bytesRead += target.Length;
            LargestRead = Math.Max(LargestRead, target.Length);
        }
    }
}
