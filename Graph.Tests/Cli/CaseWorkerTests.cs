using Graphene.Cli.Conformance;
using NUnit.Framework;

namespace Graphene.Tests.Cli;

internal sealed class CaseWorkerTests
{
    [Test]
    public void AProcessThatDiesIsAFailureAndIsReplaced()
    {
        // A command line that ends at once stands for a crash.
        using var worker = new CaseWorker(["no-such-command"], TimeSpan.FromSeconds(60));

        for (int i = 0; i < 2; i++)
        {
            CaseOutcome outcome = worker.Run("any");

            Assert.That(outcome.Result, Is.EqualTo(CaseResult.Failed));
            Assert.That(outcome.Reason, Does.StartWith("the process died"));
        }
    }

    [Test]
    public void AProcessThatDoesNotAnswerIsStopped()
    {
        using var worker = new CaseWorker(["conformance", "worker"], TimeSpan.Zero);

        CaseOutcome outcome = worker.Run("any");

        Assert.That(outcome.Reason, Is.EqualTo("no answer within 0 s"));
    }

    [Test]
    public void OutcomesSurviveTheWayBetweenProcesses()
    {
        foreach (CaseOutcome outcome in new[]
            {
                CaseOutcome.Passed(), CaseOutcome.Passed("a remark"), CaseOutcome.Failed("two\nlines\tand a tab"),
                CaseOutcome.Skipped("unsupported: Foo"),
            })
        {
            Assert.That(CaseOutcome.TryParse(outcome.ToLine()), Is.EqualTo(outcome));
        }
        Assert.That(CaseOutcome.TryParse("Unhandled exception."), Is.Null);
    }
}
