using System.Text.RegularExpressions;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Repository;

/// <summary>docs/numerics.md names the test that pins each rule; those tests are there.</summary>
internal sealed partial class NumericsPageTests
{
    [Test]
    public void EveryTestThatIsNamedExists()
    {
        string page = File.ReadAllText(RepositoryRoot.Combine("docs", "numerics.md"));
        MatchCollection named = Named().Matches(page);
        ILookup<string, Type> types = typeof(NumericsPageTests).Assembly.GetTypes().ToLookup(t => t.Name);

        Assert.That(named, Has.Count.GreaterThan(20));
        Assert.Multiple(() =>
        {
            foreach (Match match in named)
            {
                (string type, string method) = (match.Groups[1].Value, match.Groups[2].Value);
                Assert.That(types[type].Any(t => t.GetMethod(method) is not null), $"{type}.{method}");
            }
        });
    }

    [GeneratedRegex(@"`(\w+Tests)\.(\w+)`")]
    private static partial Regex Named();
}
