using System.Diagnostics;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Repository;

/// <summary>What people and machines outside the repository rely on.</summary>
internal sealed class RepositoryLayoutTests
{
    [TestCase("graphene")]
    [TestCase(".ci/run")]
    public void ScriptsAreExecutableAndParse(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("Windows has no executable bit and no bash");
            return;
        }
        string file = RepositoryRoot.Combine(path);
        Assert.That(
            File.GetUnixFileMode(file) & UnixFileMode.UserExecute, Is.EqualTo(UnixFileMode.UserExecute), $"{path} +x");

        using var bash = Process.Start("bash", ["-n", file]);
        bash.WaitForExit();
        Assert.That(bash.ExitCode, Is.Zero);
    }

    [Test]
    public void TheReadmeShowsBothCommands()
    {
        string readme = File.ReadAllText(RepositoryRoot.Combine("README.md"));

        Assert.That(readme, Does.Contain("./graphene demo"));
        Assert.That(readme, Does.Contain("./graphene test"));
    }

    [Test]
    public void EveryProjectHasALockFileAndIsInTheSolution()
    {
        string solution = File.ReadAllText(RepositoryRoot.Combine("Graphene.sln")).Replace('\\', '/');
        string[] projects = Directory.GetFiles(RepositoryRoot.Path, "*.csproj", SearchOption.AllDirectories);

        Assert.That(projects, Is.Not.Empty);
        foreach (string project in projects)
        {
            string relative = Path.GetRelativePath(RepositoryRoot.Path, project).Replace('\\', '/');
            Assert.Multiple(() =>
            {
                Assert.That(solution, Does.Contain(relative), $"{relative} is not in Graphene.sln");
                Assert.That(
                    File.Exists(Path.Combine(Path.GetDirectoryName(project)!, "packages.lock.json")), $"{relative} has no lock file");
            });
        }
    }
}
