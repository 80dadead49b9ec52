namespace Graphene.Tests.Support;

/// <summary>The checkout that the tests were built from.</summary>
internal static class RepositoryRoot
{
    /// <summary>The folder that holds <c>Graphene.sln</c>.</summary>
    public static string Path { get; } = Find();

    /// <summary>A file or folder of the checkout.</summary>
    public static string Combine(params string[] parts) => System.IO.Path.Combine([Path, .. parts]);

    private static string Find()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(at.FullName, "Graphene.sln")))
            {
                return at.FullName;
            }
        }
        throw new InvalidOperationException($"no Graphene.sln above {AppContext.BaseDirectory}");
    }
}
