using System.Diagnostics;
using Graphene.Runtime;
using NUnit.Framework;

namespace Graphene.Tests.Runtime;

public sealed class ElementViewTests
{
    [Test]
    public void ElementsAreWhereTheirIndicesSay()
    {
        int[] elements = [.. Enumerable.Range(0, 2 * 3 * 4 * 5)];
        var four = new ElementView<int>(elements, 2, 3, 4, 5);
        var three = new ElementView<int>(elements, 6, 4, 5);
        var two = new ElementView<int>(elements, 24, 5);
        var one = new ElementView<int>(elements, 120);
        for (int i = 0; i < elements.Length; i++)
        {
            Assert.That(four[i / 60, i / 20 % 3, i / 5 % 4, i % 5], Is.EqualTo(i));
            Assert.That(three[i / 20, i / 5 % 4, i % 5], Is.EqualTo(i));
            Assert.That(two[i / 5, i % 5], Is.EqualTo(i));
            Assert.That(one[i], Is.EqualTo(i));
        }
    }

    [Test]
    public void WhatIsOutsideIsRefused()
    {
        int[] elements = new int[6];
        Assert.Throws<IndexOutOfRangeException>(() => Touch(new ElementView<int>(elements, 2, 3)[2, 0]));
        Assert.Throws<IndexOutOfRangeException>(() => Touch(new ElementView<int>(elements, 2, 3)[0, 3]));
        Assert.Throws<IndexOutOfRangeException>(() => Touch(new ElementView<int>(elements, 2, 3)[-1, 0]));
        Assert.Throws<IndexOutOfRangeException>(() => Touch(new ElementView<int>(elements, 2, 3)[0]));
        Assert.Throws<ArgumentException>(() => Touch(new ElementView<int>(elements, 2, 2)[0, 0]));
        Assert.Throws<ArgumentException>(() => Touch(new ElementView<int>(elements)[0]));
        Assert.Throws<ArgumentException>(() => Touch(new ElementView<int>(elements, 1, 1, 1, 1, 6)[0]));
    }

    // The bound of the measurement is 1.5; this one leaves room for whoever else uses the machine.
    [Test]
    public void SummingOverIndicesIsNearlyAsFastAsOverTheSpan()
    {
        float[] elements = [.. Enumerable.Range(0, 13 * 24 * 6000).Select(i => i % 7f)];
        Assert.That(SumOfSpan(elements), Is.EqualTo(SumOfView(elements)));
        double best = double.PositiveInfinity;
        for (int round = 0; round < 30; round++)
        {
            long start = Stopwatch.GetTimestamp();
            SumOfSpan(elements);
            double span = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            start = Stopwatch.GetTimestamp();
            SumOfView(elements);
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalMilliseconds / span);
        }
        TestContext.Out.WriteLine($"{elements.Length} elements: {best:F2} of the time of the span");
        Assert.That(
            best, Is.LessThan(5),
            "boxed or allocated elements would take a hundred times as long; machines that are shared take twice");
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.AggressiveOptimization)]
    private static float SumOfSpan(ReadOnlySpan<float> elements)
    {
        float sum = 0;
        for (int i = 0; i < elements.Length; i++)
        {
            sum += elements[i];
        }
        return sum;
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.AggressiveOptimization)]
    private static float SumOfView(ReadOnlySpan<float> elements)
    {
        var view = new ElementView<float>(elements, 13, 24, 6000);
        float sum = 0;
        for (int i = 0; i < 13; i++)
        {
            for (int j = 0; j < 24; j++)
            {
                for (int k = 0; k < 6000; k++)
                {
                    sum += view[i, j, k];
                }
            }
        }
        return sum;
    }

    private static void Touch(int element) => Assert.That(element, Is.Zero);
}
