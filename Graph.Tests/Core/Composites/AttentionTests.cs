using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core.Composites;

internal sealed class AttentionTests
{
    private const int Batch = 2;
    private const int Heads = 4;
    private const int Queries = 3;
    private const int Keys = 5;
    private const int Size = 2;
    private static readonly Literal Query = Noise([Batch, Heads, Queries, Size], 1);

    [TestCase(4, false)]
    [TestCase(4, true)]
    [TestCase(2, false)]
    [TestCase(1, true)]
    public void HeadsAttendForThemselves(int keyHeads, bool causal)
    {
        Literal key = Noise([Batch, keyHeads, Keys, Size], 2);
        Literal value = Noise([Batch, keyHeads, Keys, 3], 3);
        Literal mask = Noise([Queries, Keys], 4);
        var options = new AttentionOptions { Causal = causal, QueryOffset = 2, SoftCap = 4 };

        CompositeAssert.Elements(
            b => b.Attention(b.Constant(Query), b.Constant(key), b.Constant(value), b.Constant(mask), options),
            IndexSpace.Of([Batch, Heads, Queries, 3]).Select(at =>
            {
                long shared = at[1] / (Heads / keyHeads);
                double[] weights = [.. Enumerable.Range(0, Keys).Select(k =>
                {
                    double score = Enumerable.Range(0, Size).Sum(
                        i => Query[[at[0], at[1], at[2], i]].AsDouble * key[[at[0], shared, k, i]].AsDouble) / Math.Sqrt(Size);
                    score = (4 * Math.Tanh(score / 4)) + mask[[at[2], k]].AsDouble;
                    return causal && k > at[2] + 2 ? 0 : Math.Exp(score);
                })];
                return Enumerable.Range(0, Keys).Sum(k => weights[k] * value[[at[0], shared, k, at[3]]].AsDouble) / weights.Sum();
            }));
    }

    [Test]
    public void ABoolMaskHidesKeys()
    {
        Literal key = Noise([Batch, Heads, Keys, Size], 2);
        Literal mask = Literal.From<bool>([true, true, false, false, false], 1, Keys);

        Literal masked = One(b => b.Attention(b.Constant(Query), b.Constant(key), b.Constant(key), b.Constant(mask)));
        Literal shorter = One(b =>
        {
            Node first = b.SliceDimension(b.Constant(key), 2, 0, 2);
            return b.Attention(b.Constant(Query), first, first);
        });

        CompositeAssert.Elements(masked, shorter.ToDoubles());
    }

    [Test]
    public void HeadsThatDoNotShareEvenlyAreRefused()
    {
        var b = new GraphBuilder();
        Node key = b.Constant(Noise([Batch, 3, Keys, Size], 2));

        Assert.That(
            Assert.Throws<GraphException>(() => b.Attention(b.Constant(Query), key, key))!.Message,
            Does.StartWith("GR1009 attention: 4 heads cannot share 3 key heads"));
    }
}
