using System.CommandLine;
using Graphene.Runtime;

namespace Graphene.Cli.Commands;

/// <summary><c>graphene verify FILE</c>: is every byte of a bundle what its compiler wrote, and who signed it?</summary>
internal static class VerifyCommand
{
    private static readonly Argument<string> Bundle = new("FILE") { Description = "A bundle that `graphene compile` wrote." };

    private static readonly Option<string[]> Key = new("--key")
    {
        Description = "A public key of P-256 (PEM) of whoever must have signed it. May be repeated: any of them will do.",
        DefaultValueFactory = _ => [],
    };

    /// <summary>The command.</summary>
    public static Command Create(CommandIO io)
    {
        var command = new Command("verify", "Compare all of a bundle with its hashes, and its signature with keys.") { Bundle, Key };
        command.SetAction(p => Run(p, io));
        return command;
    }

    private static int Run(ParseResult parsed, CommandIO io)
    {
        string path = parsed.GetRequiredValue(Bundle);
        if (!File.Exists(path))
        {
            throw new UsageException($"there is no file {path}");
        }
        string[] keys = [.. (parsed.GetValue(Key) ?? []).Select(File.ReadAllText)];
        BundleInfo info;
        try
        {
            info = BundleInfo.Read(path, keys);
        }
        catch (GraphException e) when (e.Id != BundleDiagnostics.BadKey)
        {
            io.Error.WriteLine($"graphene: {e.Message}");
            return ExitCode.Negative;
        }
        string signer = info.SignedBy is { } fingerprint
            ? $"signed with the key {fingerprint}, which {(keys.Length > 0 ? "you trust" : "nobody vouches for: pass --key")}"
            : "not signed";
        io.Output.WriteLine($"{path}: {info.FileBytes} bytes in {info.Sections.Count} sections are what was written; {signer}");
        return ExitCode.Success;
    }
}
