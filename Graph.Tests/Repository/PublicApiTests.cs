using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Repository;

/// <summary>The public surface of each package's assembly is written down in docs/api; what changes it changes that file, too.</summary>
/// <remarks>
/// A test rather than an analyzer: it sees what was compiled, costs builds nothing, and one command writes all files anew,
/// <c>GRAPHENE_BLESS=1 ./graphene test --filter Name~SurfaceIsTheOneWrittenDown</c>.
/// </remarks>
internal sealed class PublicApiTests
{
    private static readonly string[] Assemblies =
    [
        "Graphene", "Graphene.Runtime", "Graphene.Optimizer", "Graphene.Codegen", "Graphene.Interop", "Graphene.Data", "Graphene.Train",
        "Graphene.Hosting", "Graphene.Tensors",
    ];

    [TestCaseSource(nameof(Assemblies))]
    public void TheSurfaceIsTheOneWrittenDown(string assembly)
    {
        string path = RepositoryRoot.Combine("docs", "api", $"{assembly}.txt");
        string[] actual = PublicApi.Of(assembly);
        Assert.That(actual, Has.Length.GreaterThan(5));
        if (GoldenFile.Blesses)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, string.Join('\n', actual) + "\n");
            return;
        }

        Assert.That(path, Does.Exist, "GRAPHENE_BLESS=1 writes it");
        string[] written = File.ReadAllLines(path);
        string[] changes = [.. written.Except(actual).Select(l => "- " + l), .. actual.Except(written).Select(l => "+ " + l)];
        Assert.That(changes, Is.Empty, "GRAPHENE_BLESS=1 renews docs/api; read the difference before committing it");
        Assert.That(written, Is.EqualTo(actual));
    }
}
