using Graphene.Runtime;
using NUnit.Framework;

namespace Graphene.Tests.Runtime;

public sealed class ArenaLayoutTests
{
    [Test]
    public void BuffersThatNeverLiveTogetherShareMemory()
    {
        long[] offsets = new long[3];
        long arena = ArenaLayout.Pack([100, 200, 100], [0, 1, 2], [0, 1, 2], offsets);
        Assert.That(offsets, Is.All.Zero);
        Assert.That(arena, Is.EqualTo(256));
    }

    [Test]
    public void BuffersThatLiveTogetherDoNot()
    {
        long[] offsets = new long[3];
        long arena = ArenaLayout.Pack([64, 128, 64], [0, 0, 1], [1, 0, 2], offsets);
        Assert.That(offsets, Is.EqualTo(new long[] { 128, 0, 0 }));
        Assert.That(arena, Is.EqualTo(192));
    }

    [Test]
    public void RandomBuffersNeverOverlapAndNeedNoMoreThanTheirSum([Range(1, 30)] int seed)
    {
        var random = new Random(seed);
        int count = random.Next(1, 80);
        long[] sizes = [.. Enumerable.Range(0, count).Select(_ => (long)random.Next(0, 5000))];
        int[] first = [.. Enumerable.Range(0, count).Select(_ => random.Next(0, 40))];
        int[] last = [.. first.Select(f => f + random.Next(0, 10))];
        long[] offsets = new long[count];
        long arena = ArenaLayout.Pack(sizes, first, last, offsets);
        for (int a = 0; a < count; a++)
        {
            Assert.That(offsets[a] % NativeBlock.Alignment, Is.Zero);
            Assert.That(offsets[a] + sizes[a], Is.LessThanOrEqualTo(arena));
            for (int b = 0; b < a; b++)
            {
                bool together = first[a] <= last[b] && first[b] <= last[a];
                bool overlap = offsets[a] < offsets[b] + sizes[b] && offsets[b] < offsets[a] + sizes[a];
                Assert.That(together && overlap, Is.False, $"seed {seed}: buffers {a} and {b}");
            }
        }
        long live = Enumerable.Range(0, 60).Max(step =>
            Enumerable.Range(0, count).Where(i => first[i] <= step && step <= last[i]).Sum(i => (sizes[i] + 63) / 64 * 64));
        Assert.That(arena, Is.InRange(live, sizes.Sum(s => (s + 63) / 64 * 64)));
    }

    [Test]
    public void ImpossibleSizesAreNoticed() =>
        Assert.Throws<OverflowException>(() => ArenaLayout.Pack([long.MaxValue - 64, 128], [0, 0], [0, 0], new long[2]));
}
