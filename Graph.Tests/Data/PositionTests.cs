using Graphene.Data;
using NUnit.Framework;
using static Graphene.Tests.Data.DatasetTests;

namespace Graphene.Tests.Data;

/// <summary>A saved place gives back exactly the elements that would have followed.</summary>
internal sealed class PositionTests
{
    private static IEnumerable<TestCaseData> Pipelines()
    {
        IndexedDataset numbers = Numbers(10);
        TestCaseData Case(string name, Dataset data) => new TestCaseData(data).SetArgDisplayNames(name);
        yield return Case("rows", numbers);
        yield return Case("shuffled", numbers.Shuffle(5));
        yield return Case("batched", numbers.Shuffle(5).Batch(3));
        yield return Case("repeated", numbers.Shuffle(5).Batch(3, dropRemainder: true).Repeat(3));
        yield return Case("repeated batches", numbers.Shuffle(5).Repeat(3).Batch(4));
        yield return Case("prefetched", numbers.Shuffle(5).Batch(3).Repeat(2).Prefetch(4));
        yield return Case("mapped", numbers.Shuffle(5).Map(e => [Literal.From<int>([e[0].As<int>()[0] + 1])]).Batch(4).Prefetch());
        yield return Case("zipped", numbers.Shuffle(5).Zip(numbers.Shuffle(6)).Take(7));
        yield return Case("generated", Dataset.Generate(epoch => Numbers(10).Shuffle(epoch)).Batch(3).Repeat(2));
        yield return Case("prefetched twice", numbers.Shuffle(1).Prefetch(3).Batch(2).Prefetch(3));
    }

    [TestCaseSource(nameof(Pipelines))]
    public void EveryPlaceCanBeSavedAndRestored(Dataset data)
    {
        string[] all = [.. Walk(data.Iterate(1))];
        Assert.That(all, Is.Not.Empty);
        for (int place = 0; place <= all.Length; place++)
        {
            using DatasetIterator iterator = data.Iterate(1);
            for (int i = 0; i < place; i++)
            {
                iterator.MoveNext();
            }
            Literal position = iterator.SavePosition();
            Assert.That(Walk(iterator, dispose: false), Is.EqualTo(all[place..]), "saving changes nothing");

            iterator.RestorePosition(position);
            Assert.That(Walk(iterator, dispose: false), Is.EqualTo(all[place..]), "going back");

            DatasetIterator fresh = data.Iterate(place % 2); // the position knows its epoch
            fresh.RestorePosition(position);
            Assert.That(fresh.SavePosition(), Is.EqualTo(position));
            Assert.That(Walk(fresh), Is.EqualTo(all[place..]), $"in a new iterator, place {place}");
        }
    }

    [Test]
    public void PositionsOfOtherDataAreRefused()
    {
        Literal position = Numbers(10).Shuffle(5).Batch(3).Iterate().SavePosition();
        Dataset[] others =
        [
            Numbers(11).Shuffle(5).Batch(3), Numbers(10).Shuffle(6).Batch(3), Numbers(10).Batch(3), Numbers(10).Shuffle(5),
            Numbers(10).Shuffle(5).Batch(3).Repeat(), Numbers(10).Shuffle(5).Batch(3).Prefetch(),
        ];

        foreach (Dataset other in others)
        {
            using DatasetIterator iterator = other.Iterate();
            Assert.That(() => iterator.RestorePosition(position), ThrowsCode("GR6401"));
        }
        using DatasetIterator another = Numbers(10).Shuffle(5).Batch(5).Iterate();
        Assert.That(() => another.RestorePosition(position), Throws.Nothing, "a batch may have another size");
    }

    [Test]
    public void HostilePositionsAreRefused()
    {
        using DatasetIterator iterator = Numbers(10).Shuffle(5).Iterate();
        long[] good = iterator.SavePosition().As<long>().ToArray();

        Assert.That(() => iterator.RestorePosition(Literal.From<float>([1, 2], 2)), ThrowsCode("GR6401"));
        Assert.That(() => iterator.RestorePosition(Literal.From<long>([1])), ThrowsCode("GR6401"));
        Assert.That(() => iterator.RestorePosition(Literal.From<long>([], 0)), ThrowsCode("GR6401"));
        foreach (long[] bad in new long[][] { [.. good[..^1], -1], [.. good[..^1], 11], good[..^1], [.. good, 0], [2, .. good[1..]] })
        {
            Assert.That(() => iterator.RestorePosition(Literal.From<long>(bad, bad.Length)), ThrowsCode("GR6401"));
        }
    }

    private static IEnumerable<string> Walk(DatasetIterator iterator, bool dispose = true)
    {
        while (iterator.MoveNext())
        {
            yield return string.Join(" ", iterator.Current.Select(t => $"{t.Type}:{string.Join(",", t.ToDoubles())}"));
        }
        if (dispose)
        {
            iterator.Dispose();
        }
    }
}
