using Graphene.Tests.Support;

namespace Graphene.Tests.Packages;

/// <summary>A folder with packages of what the tests were built with, and projects that restore from it alone.</summary>
/// <remarks>Other packages come from the folder that the repository was restored into, so no network is needed.</remarks>
internal sealed class PackageFeed : IDisposable
{
#if DEBUG
    private const string Configuration = "Debug";
#else
    private const string Configuration = "Release";
#endif

    private readonly TemporaryFolder _folder = new();

    /// <summary>Makes the packages that an application with a model needs.</summary>
    public PackageFeed()
    {
        Directory.CreateDirectory(Feed);
        File.WriteAllText(_folder.Combine("nuget.config"), $"""
            <configuration>
              <packageSources>
                <clear />
                <add key="made" value="{Feed}" />
                <add key="restored" value="{RestoredPackages}" />
              </packageSources>
              <fallbackPackageFolders><clear /></fallbackPackageFolders>
            </configuration>
            """);
        // One process for all of them; nothing is built, the machine code beside IL is left out by the projects themselves.
        string[] projects =
        [
            "Graph.Core/Graph.Core.csproj", "Graph.Runtime/Graph.Runtime.csproj", "Graph.Tensors/Graph.Tensors.csproj",
            "Graph.Build/Graph.Build.csproj",
        ];
        File.WriteAllText(_folder.Combine("pack.proj"), $"""
            <Project>
              <Target Name="Pack">
                <MSBuild Projects="{string.Join(';', projects.Select(p => RepositoryRoot.Combine(p.Split('/'))))}" Targets="Pack"
                         Properties="Configuration={Configuration};NoBuild=true;PackageOutputPath={Feed}" />
              </Target>
            </Project>
            """);
        Packing = Run(_folder.Path, "msbuild", "pack.proj", "-t:Pack", "-nologo", "-v:q");
    }

    /// <summary>What packing said.</summary>
    public DotnetCommand Packing { get; }

    /// <summary>The packages.</summary>
    public string Feed => _folder.Combine("feed");

    /// <summary>Where the repository's own packages are; where they are restored to when somebody says so.</summary>
    private static string RestoredPackages => Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } chosen
        ? chosen
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    /// <summary>A path below the folder of all projects.</summary>
    public string Combine(params string[] parts) => Path.Combine([_folder.Path, .. parts]);

    /// <summary>Runs the SDK on a project of the feed.</summary>
    public DotnetCommand Run(string folder, params string[] arguments) =>
        DotnetCommand.Run(Combine(folder), _folder.Combine("packages"), arguments);

    /// <summary>Makes a project as <c>dotnet new</c> does, and adds lines to it.</summary>
    public string NewProject(string template, string name, params string[] lines)
    {
        DotnetCommand made = Run(_folder.Path, "new", template, "-o", name, "--no-restore");
        if (made.Exit != 0)
        {
            throw new InvalidOperationException(made.Output);
        }
        string project = Combine(name, $"{name}.csproj");
        string text = File.ReadAllText(project);
        File.WriteAllText(project, text.Replace(
            "</Project>", $"  <ItemGroup>\n{string.Concat(lines.Select(l => $"    {l}\n"))}  </ItemGroup>\n\n</Project>",
            StringComparison.Ordinal));
        return project;
    }

    /// <inheritdoc/>
    public void Dispose() => _folder.Dispose();
}
