using Graphene.Runtime;
using NUnit.Framework;

namespace Graphene.Tests.Runtime;

[NonParallelizable]
public sealed unsafe class MemoryTests
{
    [TestCase(0, 64)]
    [TestCase(1, 64)]
    [TestCase(100, 64)]
    [TestCase(4096, 4096)]
    [TestCase(5 << 20, 2 << 20)]
    public void BlocksAreAlignedByTheirSize(int length, int alignment)
    {
        using NativeBlock block = NativeBlock.Allocate(length);
        Assert.That((ulong)block.Pointer % (uint)alignment, Is.Zero);
        Assert.That(block.Length, Is.EqualTo((nuint)length));
        block.Bytes(0, length).Fill(0xAB);
    }

    [Test]
    public void LiveBytesReturnToWhatTheyWere()
    {
        long before = NativeBlock.LiveBytes;
        NativeBlock block = NativeBlock.Allocate(1000);
        Assert.That(NativeBlock.LiveBytes - before, Is.EqualTo(1000));
        block.Dispose();
        block.Dispose();
        Assert.That(NativeBlock.LiveBytes, Is.EqualTo(before));
    }

    [Test]
    public void ViewsStayInsideTheBlock()
    {
        using NativeBlock block = NativeBlock.Allocate(10);
        Assert.That(block.Bytes(4, 6).Length, Is.EqualTo(6));
        Assert.Throws<ArgumentOutOfRangeException>(() => block.Bytes(5, 6));
        Assert.Throws<ArgumentOutOfRangeException>(() => block.Bytes(-1, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => block.Bytes(long.MaxValue, int.MaxValue));
    }

    [Test]
    public void ImpossibleSizesAreAnErrorAndNotACrash() =>
        Assert.Throws<OutOfMemoryException>(() => NativeBlock.Allocate(long.MaxValue - 100));

    [Test]
    public void IdleObjectsAreUsedAgainAndBounded()
    {
        long before = NativeBlock.LiveBytes;
        using (var pool = new IdlePool<NativeBlock>(2))
        {
            Assert.That(pool.TryTake(), Is.Null);
            NativeBlock[] blocks = [NativeBlock.Allocate(100), NativeBlock.Allocate(100), NativeBlock.Allocate(100)];
            Array.ForEach(blocks, pool.Return);
            Assert.That(NativeBlock.LiveBytes - before, Is.EqualTo(200), "the third found no place");
            Assert.That(pool.TryTake(), Is.SameAs(blocks[0]));
            pool.Return(blocks[0]);
        }
        Assert.That(NativeBlock.LiveBytes, Is.EqualTo(before));
    }

    [Test]
    public void ObjectsOfADisposedPoolAreDisposedOnReturn()
    {
        long before = NativeBlock.LiveBytes;
        var pool = new IdlePool<NativeBlock>(2);
        pool.Dispose();
        pool.Return(NativeBlock.Allocate(100));
        Assert.That(NativeBlock.LiveBytes, Is.EqualTo(before));
        Assert.That(pool.TryTake(), Is.Null);
    }

    [Test]
    public void TakingAndReturningAllocatesNothing()
    {
        using var pool = new IdlePool<NativeBlock>(1);
        pool.Return(NativeBlock.Allocate(1000));
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            pool.Return(pool.TryTake()!);
        }
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    [Test]
    public void AMappedFileShowsItsBytes()
    {
        string path = Path.GetTempFileName();
        try
        {
            byte[] content = [.. Enumerable.Range(0, 10_000).Select(i => (byte)i)];
            File.WriteAllBytes(path, content);
            using (MappedFile file = MappedFile.Open(path))
            {
                Assert.That(file.Length, Is.EqualTo(content.Length));
                Assert.That(file.Bytes(0, 10_000).SequenceEqual(content), Is.True);
                Assert.That((ulong)file.Pointer % 4096, Is.Zero);
                Assert.Throws<ArgumentOutOfRangeException>(() => file.Bytes(9_999, 2));
            }
            File.WriteAllBytes(path, []);
            using MappedFile empty = MappedFile.Open(path);
            Assert.That(empty.Length, Is.Zero);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
