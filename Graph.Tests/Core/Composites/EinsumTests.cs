using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core.Composites;

internal sealed class EinsumTests
{
    // Sizes of the indices: a=2, b=3, c=4, d=5, e=1.
    [TestCase("ab,bc->ac", "ab", "bc", "ac")]
    [TestCase("ab,bc", "ab", "bc", "ac")]
    [TestCase("abc,acd->abd", "abc", "acd", "abd")]
    [TestCase("ab,cb->ca", "ab", "cb", "ca")]
    [TestCase("abc->cab", "abc", "", "cab")]
    [TestCase("abc->b", "abc", "", "b")]
    [TestCase("a,b->ab", "a", "b", "ab")]
    [TestCase("ab,ab->", "ab", "ab", "")]
    [TestCase("ab,ab->ab", "ab", "ab", "ab")]
    [TestCase("aa->a", "aa", "", "a")]
    [TestCase("aa->", "aa", "", "")]
    [TestCase("aba,ab->b", "aba", "ab", "b")]
    [TestCase("abc,d->bd", "abc", "d", "bd")]
    [TestCase("...a,ab->...b", "cda", "ab", "cdb")]
    [TestCase("...ab,...bc->...ac", "dab", "dbc", "dac")]
    [TestCase("a...->...a", "abc", "", "bca")]
    public void EquationsMeanSums(string equation, string left, string right, string result)
    {
        Literal x = Noise(Sizes(left), 1);
        Literal? y = right.Length == 0 ? null : Noise(Sizes(right), 2);

        Literal z = One(b => y is null ? b.Einsum(equation, b.Constant(x)) : b.Einsum(equation, b.Constant(x), b.Constant(y)));

        char[] all = [.. (result + left + right).Distinct()];
        var expected = new double[IndexSpace.Of(Sizes(result)).Count()];
        foreach (long[] at in IndexSpace.Of(Sizes(new string(all))))
        {
            long position = result.Aggregate(0L, (p, c) => (p * Size(c)) + at[Array.IndexOf(all, c)]);
            expected[position] += Pick(x, left) * (y is null ? 1 : Pick(y, right));

            double Pick(Literal tensor, string labels) =>
                tensor[[.. labels.Select(c => at[Array.IndexOf(all, c)])]].AsDouble;
        }
        Assert.That(z.Shape, Is.EqualTo(Shape.Of(Sizes(result))));
        CompositeAssert.Elements(z, expected);
    }

    [Test]
    public void ThreeOperandsContractFromTheLeft()
    {
        Literal[] x = [Noise([2, 3], 1), Noise([3, 4], 2), Noise([4, 5], 3)];

        CompositeAssert.Elements(
            b => b.Einsum("ab,bc,cd->ad", b.Constant(x[0]), b.Constant(x[1]), b.Constant(x[2])),
            One(b => b.Dot(b.Dot(b.Constant(x[0]), b.Constant(x[1])), b.Constant(x[2]))).ToDoubles());
    }

    [Test]
    public void EllipsisDimensionsBroadcast()
    {
        Literal x = Noise([1, 2, 3], 1);
        Literal y = Noise([5, 3, 4], 2);

        CompositeAssert.Elements(
            b => b.Einsum("...ab,...bc->...ac", b.Constant(x), b.Constant(y)),
            One(b => b.MatMul(b.Constant(x), b.Constant(y))).ToDoubles());
    }

    [TestCase("ab,bc->ac,")]
    [TestCase("ab->ab")]
    [TestCase("ab,b1->a")]
    [TestCase("ab,bc->az")]
    [TestCase("ab,bc->aa")]
    [TestCase("abc,bc->a")]
    public void EquationsThatDoNotFitAreRefused(string equation)
    {
        var b = new GraphBuilder();
        Node x = b.Constant(Noise([2, 3], 1));
        Node y = b.Constant(Noise([3, 4], 1));

        Assert.That(Assert.Throws<GraphException>(() => b.Einsum(equation, x, y))!.Id, Is.EqualTo(DiagnosticId.BadEquation));
    }

    private static long Size(char label) => label switch { 'a' => 2, 'b' => 3, 'c' => 4, 'd' => 5, _ => 1 };

    private static long[] Sizes(string labels) => [.. labels.Select(Size)];
}
