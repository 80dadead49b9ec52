namespace Graphene.Runtime;

/// <summary>Where the bundles of an application are.</summary>
public static class BundleFolder
{
    /// <summary>Finds a bundle beside the application, or where packages for several platforms put that of this one.</summary>
    /// <param name="bundleName">The file name, as generated classes give it.</param>
    /// <returns>The path.</returns>
    /// <exception cref="GraphException">GR6150: it is in none of these folders.</exception>
    public static string Find(string bundleName)
    {
        ArgumentException.ThrowIfNullOrEmpty(bundleName);
        return Find(bundleName, [AppContext.BaseDirectory, .. NativeFolders()]);
    }

    internal static string Find(string bundleName, params IReadOnlyList<string> folders)
    {
        foreach (string folder in folders)
        {
            string path = Path.Combine(folder, bundleName);
            if (File.Exists(path))
            {
                return path;
            }
        }
        throw new GraphException(
            RuntimeDiagnostics.BundleNotFound, $"there is no bundle '{bundleName}'",
            where: string.Join(", ", folders.Distinct()),
            why: "a GrapheneModel item, or a package with a model, puts it beside the application for the platform that it is built for",
            fix: "publish the application for the platform that it runs on, or load the bundle by its path");
    }

    // What the host found in packages for this platform: runtimes/RID/native, here or in the package folder.
    private static string[] NativeFolders() =>
        (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
}
