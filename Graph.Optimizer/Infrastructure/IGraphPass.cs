using System.Collections.Immutable;

namespace Graphene.Optimizer;

/// <summary>A function from module to module that keeps the meaning.</summary>
/// <remarks>
/// A pass returns the very module it was given when it changed nothing: that is how "did it change?" is asked. A pass object
/// serves one run at a time; <see cref="Pipelines"/> makes new ones for each run.
/// </remarks>
public interface IGraphPass
{
    /// <summary>The id: the words of the type in kebab-case.</summary>
    string Name { get; }

    /// <summary>Passes that, when they are in the pipeline, must come before this one.</summary>
    ImmutableArray<string> MustFollow { get; }

    /// <summary>Passes that, when they are in the pipeline, must come after this one.</summary>
    ImmutableArray<string> MustPrecede { get; }

    /// <summary>Applies the pass.</summary>
    /// <param name="module">A verified module.</param>
    /// <param name="context">Options, budgets and the log of this run.</param>
    /// <returns><paramref name="module"/> itself when nothing changed.</returns>
    Module Run(Module module, PassContext context);
}

/// <summary>Holds what every pass states about itself.</summary>
/// <param name="name">The id: the words of the type in kebab-case.</param>
public abstract class GraphPass(string name) : IGraphPass
{
    /// <inheritdoc/>
    public string Name { get; } = name;

    /// <inheritdoc/>
    public ImmutableArray<string> MustFollow { get; init; } = [];

    /// <inheritdoc/>
    public ImmutableArray<string> MustPrecede { get; init; } = [];

    /// <inheritdoc/>
    public abstract Module Run(Module module, PassContext context);
}
