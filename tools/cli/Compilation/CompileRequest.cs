using Graphene.Cli.Models;
using Graphene.Codegen;
using Graphene.Codegen.Aot;
using Microsoft.Extensions.Logging;

namespace Graphene.Cli.Compilation;

/// <summary>What a user asked <c>graphene compile</c> for.</summary>
internal sealed record CompileRequest
{
    /// <summary>The model.</summary>
    public required LoadedModel Model { get; init; }

    /// <summary>What a bundle is made of; the model alone if nothing else was asked for.</summary>
    public required BundleRequest Bundle { get; init; }

    /// <summary>The path of what is written, as given.</summary>
    public required string Output { get; init; }

    /// <summary>What every symbol begins with.</summary>
    public required string Name { get; init; }

    /// <summary>The target that was named; null for what suits the form of the output.</summary>
    public AotTarget? Target { get; init; }

    /// <summary>Whether code may need no function from outside.</summary>
    public bool IsFreestanding { get; init; }

    /// <summary>The weights file; null when weights are embedded.</summary>
    public string? WeightsPath { get; init; }

    /// <summary>Measured tiles of products, for GPUs; null for none.</summary>
    public ProductTuning? Tuning { get; init; }

    /// <summary>Told what takes how long.</summary>
    public required ILogger Logger { get; init; }

    /// <summary><see cref="Output"/> without the ending of a form.</summary>
    public string Stem => ArtifactTable.ForPath(Output) is null ? Output : Path.ChangeExtension(Output, null);
}
