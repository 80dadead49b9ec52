using Graphene.Data;
using NUnit.Framework;
using static Graphene.Tests.Data.DatasetTests;

namespace Graphene.Tests.Data;

internal sealed class PrefetchTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Test]
    public void ReadsAheadNoFurtherThanAllowed()
    {
        using var read = new SemaphoreSlim(0);
        int count = 0;
        Dataset data = Numbers(100).Map(e =>
        {
            Interlocked.Increment(ref count);
            read.Release();
            return e;
        }).Prefetch(3);
        using DatasetIterator iterator = data.Iterate();
        Assert.That(count, Is.Zero, "nothing is read before something is asked for");

        iterator.MoveNext();
        // The one that was taken, three that are ready, and one in the reader's hands.
        for (int i = 0; i < 5; i++)
        {
            Assert.That(read.Wait(Patience), $"element {i} is read ahead");
        }
        Assert.That(read.Wait(50), Is.False, "and no further");
        Assert.That(Volatile.Read(ref count), Is.EqualTo(5));
    }

    [Test]
    public void OrderAndElementsAreThose()
    {
        Dataset data = Numbers(1000).Shuffle(2).Batch(7);

        Assert.That(All(data.Prefetch()), Is.EqualTo(All(data)));
    }

    [Test]
    public void AnErrorComesWhereItsElementWouldHave()
    {
        Dataset data = Numbers(10).Map(e => e[0].As<int>()[0] == 2 ? throw new FormatException("element 2") : e).Prefetch(5);
        using DatasetIterator iterator = data.Iterate();

        Assert.That(iterator.MoveNext(), Is.True);
        Assert.That(iterator.MoveNext(), Is.True);
        Assert.That(iterator.Current[0].As<int>()[0], Is.EqualTo(1));
        Assert.That(iterator.MoveNext, Throws.TypeOf<FormatException>());
        Assert.That(iterator.MoveNext, Throws.TypeOf<FormatException>(), "again");
    }

    [Test]
    public void DisposingStopsTheThread()
    {
        bool disposed = false;
        IEnumerable<Literal[]> Endless()
        {
            try
            {
                while (true)
                {
                    yield return [Literal.From<int>([1])];
                }
            }
            finally
            {
                disposed = true;
            }
        }
        DatasetIterator iterator = Dataset.Generate(_ => Endless()).Prefetch(2).Iterate();
        Assert.That(iterator.MoveNext(), Is.True);
        iterator.Dispose();

        Assert.That(disposed, Is.True, "what it is built on is disposed, too, after the thread has ended");
    }

    [Test]
    public void AnIteratorThatIsNotUsedStartsNoThread() => Assert.That(() => Numbers(3).Prefetch().Iterate().Dispose(), Throws.Nothing);
}
