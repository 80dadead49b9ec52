namespace Graphene.Codegen.Llvm;

/// <summary>The command that installs libLLVM on a system.</summary>
internal static class LlvmInstallHint
{
    /// <summary>The hint for the system that runs now.</summary>
    public static string ForThisSystem() =>
        OperatingSystem.IsWindows() ? Windows
        : OperatingSystem.IsMacOS() ? MacOS
        : ForLinux(ReadOsRelease());

    /// <summary>The hint for a Linux described by the text of its <c>/etc/os-release</c>.</summary>
    public static string ForLinux(string osRelease)
    {
        // ID_LIKE covers derivatives: Mint says "ubuntu debian", Rocky "rhel centos fedora".
        string ids = string.Join(
            ' ',
            osRelease.Split('\n')
                .Where(line => line.StartsWith("ID=", StringComparison.Ordinal)
                    || line.StartsWith("ID_LIKE=", StringComparison.Ordinal))
                .Select(line => line[(line.IndexOf('=') + 1)..].Trim().Trim('"')));
        foreach ((string id, string command) in Linux)
        {
            if (ids.Split(' ').Contains(id))
            {
                return $"{command}, or {Elsewhere}";
            }
        }

        return $"install libLLVM {LlvmSearchPath.MinimumMajor} with the package manager of the system, or {Elsewhere}";
    }

    private static readonly (string Id, string Command)[] Linux =
    [
        ("debian", $"sudo apt-get install libllvm{LlvmSearchPath.MinimumMajor}"),
        ("ubuntu", $"sudo apt-get install libllvm{LlvmSearchPath.MinimumMajor}"),
        ("fedora", "sudo dnf install llvm-libs"),
        ("rhel", "sudo dnf install llvm-libs"),
        ("arch", "sudo pacman -S llvm-libs"),
        ("alpine", $"sudo apk add llvm{LlvmSearchPath.MinimumMajor}-libs"),
        ("suse", $"sudo zypper install libLLVM{LlvmSearchPath.MinimumMajor}"),
        ("opensuse", $"sudo zypper install libLLVM{LlvmSearchPath.MinimumMajor}"),
    ];

    private static string Elsewhere => $"set {LlvmSearchPath.OverrideVariable} to the library or its folder";

    private static string MacOS => $"brew install llvm, or {Elsewhere}";

    private static string Windows => $"winget install LLVM.LLVM, or {Elsewhere}";

    private static string ReadOsRelease()
    {
        try
        {
            return File.ReadAllText("/etc/os-release");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return string.Empty;
        }
    }
}
