using NUnit.Framework;

namespace Graphene.Tests.Core;

/// <summary>Buffers that live at the same time never overlap, and little is wasted.</summary>
[TestFixture]
public sealed class ArenaPackingTests
{
    [Test]
    public void NothingTakesNothing() => Assert.That(ArenaPacking.Pack([], [], []), Is.Zero);

    [Test]
    public void BuffersOfDifferentTimesShareMemory()
    {
        var offsets = new long[3];
        long size = ArenaPacking.Pack([100, 64, 128], [new(0, 1), new(2, 3), new(4, 5)], offsets);
        Assert.That(size, Is.EqualTo(128));
        Assert.That(offsets, Is.All.Zero);
    }

    [Test]
    public void BufferThatDiesWhereAnotherBeginsIsStillThere()
    {
        var offsets = new long[2];
        Assert.That(ArenaPacking.Pack([64, 64], [new(0, 1), new(1, 2)], offsets), Is.EqualTo(128));
    }

    [Test]
    public void HugeSizesOverflowInsteadOfWrapping() => Assert.That(
        () => ArenaPacking.Pack([long.MaxValue - 200, long.MaxValue - 200], [new(0, 1), new(0, 1)], new long[2]),
        Throws.InstanceOf<OverflowException>());

    [Test]
    public void RandomBuffersDoNotOverlapAndWasteLittle([Range(1, 30)] int seed)
    {
        var random = new Random(seed);
        int count = random.Next(1, 60);
        var sizes = new long[count];
        var live = new LiveInterval[count];
        var offsets = new long[count];
        for (int i = 0; i < count; i++)
        {
            sizes[i] = random.Next(0, 5000);
            int first = random.Next(0, 100);
            live[i] = new LiveInterval(first, first + random.Next(0, 20));
        }
        long arena = ArenaPacking.Pack(sizes, live, offsets);
        for (int i = 0; i < count; i++)
        {
            Assert.That(offsets[i] % ArenaPacking.AlignmentInBytes, Is.Zero);
            Assert.That(offsets[i] + sizes[i], Is.LessThanOrEqualTo(arena));
            for (int j = 0; j < i; j++)
            {
                bool apart = offsets[i] + sizes[i] <= offsets[j] || offsets[j] + sizes[j] <= offsets[i];
                Assert.That(apart || sizes[i] == 0 || sizes[j] == 0 || !live[i].Overlaps(live[j]), $"{i} and {j} overlap");
            }
        }
        long bound = ArenaPacking.LowerBound(sizes, live);
        Assert.That(arena, Is.InRange(bound, (bound * 5 / 4) + (64 * count)));
    }
}
