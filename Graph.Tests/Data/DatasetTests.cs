using Graphene.Data;
using NUnit.Framework;

namespace Graphene.Tests.Data;

internal sealed class DatasetTests
{
    [Test]
    public void ElementsAreRows()
    {
        Literal images = Literal.From<byte>([1, 2, 3, 4, 5, 6], 3, 2);
        Literal labels = Literal.From<int>([7, 8, 9], 3);

        Literal[][] elements = [.. Dataset.FromTensors(images, labels)];

        Assert.That(elements, Has.Length.EqualTo(3));
        Assert.That(elements[1][0], Is.EqualTo(Literal.From<byte>([3, 4], 2)));
        Assert.That(elements[1][1], Is.EqualTo(Literal.From<int>([8])));
    }

    [TestCase(false, new[] { 4, 4, 2 })]
    [TestCase(true, new[] { 4, 4 })]
    public void BatchesHaveANewFirstDimension(bool dropRemainder, int[] sizes)
    {
        Dataset batches = Numbers(10).Batch(4, dropRemainder);

        Assert.That(batches.Select(b => (int)b[0].Shape[0].Value), Is.EqualTo(sizes));
        Assert.That(batches.Count, Is.EqualTo(sizes.Length));
        Assert.That(All(batches), Is.EqualTo(Enumerable.Range(0, sizes.Sum())));
    }

    [Test]
    public void BatchesOfRowsAndOfElementsAreEqual()
    {
        Dataset rows = Numbers(10).Shuffle(3);

        Assert.That(All(rows.Batch(3)), Is.EqualTo(All(rows.Map(e => e).Batch(3))));
    }

    [Test]
    public void ShufflingIsAPermutationThatSeedAndEpochDecide()
    {
        Dataset data = Numbers(1000).Shuffle(42);
        int[] first = All(data, epoch: 0);

        Assert.Multiple(() =>
        {
            Assert.That(first, Is.EquivalentTo(Enumerable.Range(0, 1000)));
            Assert.That(first, Is.Not.Ordered);
            Assert.That(All(data, epoch: 0), Is.EqualTo(first));
            Assert.That(All(data, epoch: 1), Is.Not.EqualTo(first));
            Assert.That(All(Numbers(1000).Shuffle(43)), Is.Not.EqualTo(first));
        });
    }

    // The order is part of what a seed promises: it must not change between versions or machines. Computed by a program of its own.
    [Test]
    public void TheOrderOfASeedIsFixed() =>
        Assert.That(Permutation.Of(8, seed: 1, epoch: 2), Is.EqualTo(new[] { 3, 1, 4, 0, 2, 6, 5, 7 }));

    [Test]
    public void EveryPlaceIsEquallyLikely()
    {
        var counts = new int[4, 4];
        for (int epoch = 0; epoch < 4000; epoch++)
        {
            int[] order = Permutation.Of(4, 9, epoch);
            for (int place = 0; place < 4; place++)
            {
                counts[place, order[place]]++;
            }
        }
        // Binomial with 4000 trials of 1/4: standard deviation 27.
        Assert.That(counts.Cast<int>(), Is.All.InRange(1000 - 140, 1000 + 140));
    }

    [Test]
    public void RepeatingGoesThroughEpochs()
    {
        Dataset data = Numbers(5).Shuffle(1);
        int[] three = All(data.Repeat(3));

        Assert.That(three, Is.EqualTo(All(data, 0).Concat(All(data, 1)).Concat(All(data, 2))));
        Assert.That(data.Repeat(3).Count, Is.EqualTo(15));
        Assert.That(data.Repeat().Count, Is.Null);
        Assert.That(All(data.Repeat().Take(12)), Is.EqualTo(three[..12]));
        Assert.That(All(data.Repeat(3), epoch: 1), Is.EqualTo(All(data, 3).Concat(All(data, 4)).Concat(All(data, 5))));
        Assert.That(All(Numbers(5).Range(0, 0).Repeat()), Is.Empty, "nothing, repeated for ever, ends");
    }

    [Test]
    public void MapsZipsAndRanges()
    {
        Dataset squares = Numbers(6).Map(e => [Literal.From<int>([e[0].As<int>()[0] * e[0].As<int>()[0]])]);
        Literal[][] pairs = [.. Numbers(9).Range(2, 4).Zip(squares)];

        Assert.That(pairs.Select(p => p[0].As<int>()[0]), Is.EqualTo(new[] { 2, 3, 4, 5 }));
        Assert.That(pairs.Select(p => p[1].As<int>()[0]), Is.EqualTo(new[] { 0, 1, 4, 9 }));
        Assert.That(All(Numbers(9).Range(2, 4).Shuffle(1)), Is.EquivalentTo(new[] { 2, 3, 4, 5 }));
        Assert.That(All(Numbers(9).Range(2, 4).Shuffle(1).Batch(3)), Is.EqualTo(All(Numbers(9).Range(2, 4).Shuffle(1))));
    }

    [Test]
    public void TensorsMustGoTogether()
    {
        Literal three = Literal.From<int>([1, 2, 3], 3);
        Assert.That(() => Dataset.FromTensors(), ThrowsCode("GR6402"));
        Assert.That(() => Dataset.FromTensors(Literal.From<int>([1])), ThrowsCode("GR6402"));
        Assert.That(() => Dataset.FromTensors(three, Literal.From<int>([1, 2], 2)), ThrowsCode("GR6402"));
        Dataset ragged = Dataset.Generate(_ => [[three], [Literal.From<int>([1, 2], 2)]]);
        Assert.That(() => ragged.Batch(2).First(), ThrowsCode("GR6402"));
        Assert.That(ragged.Batch(1).Count(), Is.EqualTo(2));
    }

    internal static NUnit.Framework.Constraints.IResolveConstraint ThrowsCode(string code) =>
        Throws.TypeOf<GraphException>().With.Property(nameof(GraphException.Id)).With.Property("Code").EqualTo(code);

    internal static IndexedDataset Numbers(int count) =>
        Dataset.FromTensors(Literal.From<int>([.. Enumerable.Range(0, count)], count));

    internal static int[] All(Dataset data, long epoch = 0)
    {
        var numbers = new List<int>();
        using DatasetIterator iterator = data.Iterate(epoch);
        while (iterator.MoveNext())
        {
            numbers.AddRange(iterator.Current[0].As<int>());
        }
        return [.. numbers];
    }
}
