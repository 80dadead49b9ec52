using System.CommandLine;
using System.Security.Cryptography;
using Graphene.Cli.Commands;
using Graphene.Cli.Models;
using Graphene.Codegen;
using Graphene.Codegen.Aot;
using Graphene.Optimizer;

namespace Graphene.Cli.Compilation;

/// <summary>What <c>graphene compile</c> may be told about bundles.</summary>
internal static class BundleOptions
{
    private static readonly Option<string[]> Signature = new("--signature")
    {
        Description = "NAME=MODEL: a function of the bundle or the native library, instead of MODEL alone. May be repeated; "
            + "equal weights are stored once.",
        DefaultValueFactory = _ => [],
    };

    private static readonly Option<string[]> State = new("--state")
    {
        Description = "INPUT=OUTPUT: what a function gives as OUTPUT the next one that reads INPUT takes, and nobody feeds or sees it. " +
            "May be repeated.",
        DefaultValueFactory = _ => [],
    };

    private static readonly Option<string> Sign = new("--sign")
    {
        Description = "A private key of P-256 (PEM) that signs the bundle.",
    };

    /// <summary>The model, which may be missing where <c>--signature</c> names models.</summary>
    public static readonly Argument<string?> Model = new("MODEL")
    {
        Description = CommonOptions.Model.Description,
        Arity = ArgumentArity.ZeroOrOne,
    };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Option> All { get; } = [Signature, State, Sign];

    private static string RequiredModel(ParseResult parsed) => parsed.GetValue(Model) ?? throw new UsageException(
        "the MODEL to compile is missing; a bundle of several is made with --signature NAME=MODEL");

    /// <summary>What to put into the bundle.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="targets">What code is for; none for this processor.</param>
    /// <param name="forms">What is written besides or instead.</param>
    /// <exception cref="UsageException">An option does not fit.</exception>
    public static BundleRequest Read(ParseResult parsed, IReadOnlyList<AotTarget> targets, IReadOnlyList<ArtifactForm> forms)
    {
        string[] signatures = parsed.GetValue(Signature) ?? [];
        bool IsGiven(Option option) => parsed.GetResult(option) is { Implicit: false };
        if ((targets.Count > 1 || IsGiven(State) || IsGiven(Sign)) && forms.Any(f => f.Writer != BundleArtifact.Write))
        {
            throw new UsageException("several targets, --state and --sign are for bundles, not for native code");
        }
        if (signatures.Length > 0 &&
            forms.FirstOrDefault(f => f.Writer != BundleArtifact.Write && f.Writer != NativeArtifact.Write) is { } single)
        {
            throw new UsageException($"--signature is for bundles and native libraries; {single.Name} has one function");
        }
        if (signatures.Length > 0 && parsed.GetValue(Model) is { } model)
        {
            throw new UsageException($"the models come from --signature, so {model} has no place");
        }
        OptimizerOptions optimizer = CommonOptions.Optimizer(parsed);
        if (IsGiven(CommonOptions.Winograd) &&
            forms.FirstOrDefault(f => f.Writer != BundleArtifact.Write && f.Writer != NativeArtifact.Write) is { } other)
        {
            throw new UsageException($"{CommonOptions.Winograd.Name} is for bundles and native libraries, not for {other.Name}");
        }
        return new BundleRequest
        {
            Optimizer = optimizer,
            Functions = signatures.Length > 0
                ? [.. signatures.Select(s => Function(parsed, s))]
                : [new FunctionRequest("run", RequiredModel(parsed), CommonOptions.Load(parsed, RequiredModel(parsed)))],
            States = [.. (parsed.GetValue(State) ?? []).Select(s => Pair(s, "INPUT=OUTPUT"))],
            Targets = targets,
            Tuning = CommonOptions.TuningOf(parsed),
            Key = parsed.GetValue(Sign) is { } path ? ReadKey(path) : null,
        };
    }

    private static FunctionRequest Function(ParseResult parsed, string text)
    {
        (string name, string path) = Pair(text, "NAME=MODEL");
        return new FunctionRequest(name, path, CommonOptions.Load(parsed, path));
    }

    private static (string Left, string Right) Pair(string text, string form)
    {
        int at = text.IndexOf('=', StringComparison.Ordinal);
        return at > 0 && at < text.Length - 1 ? (text[..at], text[(at + 1)..]) : throw new UsageException($"'{text}' is not {form}");
    }

    private static ECDsa ReadKey(string path)
    {
        ECDsa key = ECDsa.Create();
        try
        {
            key.ImportFromPem(File.ReadAllText(path));
            _ = key.ExportParameters(includePrivateParameters: true);
            return key.KeySize == 256
                ? key
                : throw new UsageException($"{path} holds a key of {key.KeySize} bits, bundles are signed with P-256");
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            key.Dispose();
            throw new UsageException($"{path} is no private key of ECDSA in PEM form: {e.Message}");
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }
}

/// <summary>A bundle to be made.</summary>
internal sealed record BundleRequest : IDisposable
{
    /// <summary>The functions.</summary>
    public required IReadOnlyList<FunctionRequest> Functions { get; init; }

    /// <summary>Pairs of inputs and outputs that are state.</summary>
    public IReadOnlyList<(string Input, string Output)> States { get; init; } = [];

    /// <summary>What code is for; none for this processor alone.</summary>
    public IReadOnlyList<AotTarget> Targets { get; init; } = [];

    /// <summary>Choices of the optimizer.</summary>
    public required OptimizerOptions Optimizer { get; init; }

    /// <summary>Measured tiles of products, for GPUs; null for none.</summary>
    public ProductTuning? Tuning { get; init; }

    /// <summary>Signs it; null for nobody.</summary>
    public ECDsa? Key { get; init; }

    /// <inheritdoc/>
    public void Dispose() => Key?.Dispose();
}

/// <summary>A function to be compiled.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Path">The file of its model.</param>
/// <param name="Model">The model.</param>
internal sealed record FunctionRequest(string Name, string Path, LoadedModel Model);
