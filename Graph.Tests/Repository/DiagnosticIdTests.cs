using System.Reflection;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Repository;

/// <summary>The identities of errors, over all assemblies.</summary>
internal sealed class DiagnosticIdTests
{
    private static readonly string[] Assemblies =
        ["Graphene", "Graphene.Optimizer", "Graphene.Codegen", "Graphene.Runtime", "Graphene.Interop"];

    [Test]
    public void NoCodeIsGivenTwice()
    {
        string[] repeated =
        [
            .. AllIds().GroupBy(d => d.Id.Code).Where(g => g.Count() > 1)
                .Select(g => $"{g.Key}: {string.Join(", ", g.Select(d => d.Field))}"),
        ];

        Assert.That(repeated, Is.Empty);
    }

    [Test]
    public void EveryPageBelongsToAnId()
    {
        HashSet<string> known = [.. AllIds().Select(d => d.Id.Code)];
        IEnumerable<string?> pages = Directory.GetFiles(RepositoryRoot.Combine("docs", "errors"), "GR*.md")
            .Select(Path.GetFileNameWithoutExtension);

        Assert.That(pages.Where(p => !known.Contains(p!)), Is.Empty);
    }

    private static IEnumerable<(string Field, DiagnosticId Id)> AllIds() =>
        from name in Assemblies
        from type in Assembly.Load(name).GetTypes()
        from field in type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
        where field.FieldType == typeof(DiagnosticId)
        select ($"{type.Name}.{field.Name}", (DiagnosticId)field.GetValue(null)!);
}
