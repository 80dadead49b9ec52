namespace Graphene.Train;

/// <summary>How a model is fitted.</summary>
public sealed record FitOptions
{
    /// <summary>How many times to go through the data.</summary>
    public int Epochs { get; init; } = 1;

    /// <summary>Examples of a batch, where data is given as whole tensors.</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>Whether examples come in another order in each epoch, where data is given as whole tensors.</summary>
    public bool Shuffle { get; init; } = true;

    /// <summary>Whether a smaller last batch is left out.</summary>
    public bool DropRemainder { get; init; }

    /// <summary>The first epoch, when a training goes on.</summary>
    public int InitialEpoch { get; init; }

    /// <summary>Inputs and targets to evaluate the model on after each epoch; null for none.</summary>
    public (Literal Inputs, Literal Targets)? Validation { get; init; }

    /// <summary>What is told about the course of the training.</summary>
    public IReadOnlyList<Callback> Callbacks { get; init; } = [];

    /// <summary>Where progress is shown: a bar on a terminal, a line an epoch elsewhere; null for nothing.</summary>
    public TextWriter? Progress { get; init; } = Console.Out;

    /// <summary>Stops the training between two steps or within one.</summary>
    public CancellationToken Cancellation { get; init; }
}
