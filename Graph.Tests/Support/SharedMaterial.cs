using System.Diagnostics;
using NUnit.Framework;

namespace Graphene.Tests.Support;

/// <summary>Public test suites and models that lie beside the checkout and are too large to be part of it.</summary>
/// <remarks>
/// The folder is <c>GRAPHENE_SHARED</c>, or <c>../shared</c> relative to the root of the repository. It is optional: a test
/// that needs a file which is not there is skipped, with the reason.
/// </remarks>
internal static class SharedMaterial
{
    private static readonly Lock Gate = new();

    /// <summary>The folder, or null when there is none.</summary>
    public static string? Root { get; } = Find(
        Environment.GetEnvironmentVariable("GRAPHENE_SHARED"), RepositoryRoot.Combine("..", "shared"));

    /// <summary>The full path of a file or folder; skips the running test when it is not there.</summary>
    /// <param name="path">Relative to the folder, with <c>/</c>, for example <c>conformance/models</c>.</param>
    public static string Require(string path)
    {
        string? found = TryLocate(path);
        if (found is null)
        {
            Assert.Ignore(Root is null
                ? $"{path} is not here: there is no ../shared beside the repository, and GRAPHENE_SHARED names no folder"
                : $"{path} is not in {Root}");
        }
        return found!;
    }

    /// <summary>The full path of a file or folder, or null; for test case sources, which must not skip.</summary>
    public static string? TryLocate(string path)
    {
        string? full = Root is null ? null : Path.Combine(Root, path);
        return File.Exists(full) || Directory.Exists(full) ? full : null;
    }

    /// <summary>Unpacks a <c>.tar.xz</c> once for all runs and gives the folder; skips the test when that cannot be done.</summary>
    /// <param name="archive">Relative to the folder, for example <c>conformance/onnx_node_tests.tar.xz</c>.</param>
    public static string RequireUnpacked(string archive)
    {
        string source = Require(archive);
        string? folder = TryUnpack(source, out string problem);
        if (folder is null)
        {
            Assert.Ignore(problem);
        }
        return folder!;
    }

    /// <summary>As <see cref="RequireUnpacked"/>, but null when the archive is missing or cannot be unpacked.</summary>
    public static string? TryLocateUnpacked(string archive) =>
        TryLocate(archive) is { } source ? TryUnpack(source, out _) : null;

    private static string? TryUnpack(string source, out string problem)
    {
        lock (Gate)
        {
            // Another archive of the same name (size, time) gets another folder.
            var file = new FileInfo(source);
            string name = $"{Path.GetFileName(source).Replace(".tar.xz", "", StringComparison.Ordinal)}" +
                $"-{file.Length:x}-{file.LastWriteTimeUtc.Ticks:x}";
            string target = Path.Combine(Path.GetTempPath(), "graphene-shared-material", name);
            problem = "";
            if (Directory.Exists(target))
            {
                return target;
            }

            string partial = $"{target}.{Environment.ProcessId}";
            Directory.CreateDirectory(partial);
            string? error = RunTar(source, partial);
            if (error is not null)
            {
                Directory.Delete(partial, recursive: true);
                problem = $"{source} cannot be unpacked: {error}";
                return null;
            }

            // Whoever renames first wins, so that a half unpacked folder is never seen under the final name.
            try
            {
                Directory.Move(partial, target);
            }
            catch (IOException) when (Directory.Exists(target))
            {
                Directory.Delete(partial, recursive: true);
            }
            return target;
        }
    }

    private static string? RunTar(string archive, string folder)
    {
        var start = new ProcessStartInfo("tar", ["-xJf", archive, "-C", folder])
        {
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        try
        {
            using Process tar = Process.Start(start)!;
            string errors = tar.StandardError.ReadToEnd();
            tar.WaitForExit();
            return tar.ExitCode == 0 ? null : errors.Trim();
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return $"tar does not start: {e.Message}";
        }
    }

    private static string? Find(params string?[] candidates) =>
        candidates.FirstOrDefault(c => !string.IsNullOrEmpty(c) && Directory.Exists(c)) is { } found
            ? Path.GetFullPath(found)
            : null;
}
