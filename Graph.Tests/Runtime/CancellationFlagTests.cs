using Graphene.Runtime;
using NUnit.Framework;

namespace Graphene.Tests.Runtime;

public sealed class CancellationFlagTests
{
    [Test]
    public void ATokenRaisesTheFlagOnlyWhileConnected()
    {
        using var flag = new CancellationFlag();
        using var source = new CancellationTokenSource();
        using (flag.Connect(source.Token))
        {
            Assert.That(flag.IsRaised, Is.False);
            source.Cancel();
            Assert.That(flag.IsRaised, Is.True);
        }
        using var later = new CancellationTokenSource();
        flag.Connect(later.Token).Dispose();
        later.Cancel();
        Assert.That(flag.IsRaised, Is.False);
    }

    [Test]
    public void ACancelledTokenRaisesTheFlagAtOnce()
    {
        using var flag = new CancellationFlag();
        using var connection = flag.Connect(new CancellationToken(canceled: true));
        Assert.That(flag.IsRaised, Is.True);
    }

    [Test]
    public void NoTokenCostsNoMemory()
    {
        using var flag = new CancellationFlag();
        flag.Connect(CancellationToken.None).Dispose();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            using var connection = flag.Connect(CancellationToken.None);
        }
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }
}
