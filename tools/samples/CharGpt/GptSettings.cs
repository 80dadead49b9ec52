namespace Graphene.Samples.CharGpt;

/// <summary>The size of a model and of its training; the defaults are nanoGPT's small configuration for one CPU.</summary>
public sealed record GptSettings
{
    /// <summary>The number of blocks.</summary>
    public int Layers { get; init; } = 4;

    /// <summary>Heads of attention in each block.</summary>
    public int Heads { get; init; } = 4;

    /// <summary>The size of the vector that stands for a character.</summary>
    public int Width { get; init; } = 128;

    /// <summary>Characters that the model sees at once.</summary>
    public int Context { get; init; } = 64;

    /// <summary>Sequences of a step.</summary>
    public int Batch { get; init; } = 12;

    /// <summary>Steps of training.</summary>
    public int Steps { get; init; } = 2000;

    /// <summary>Steps in which the learning rate rises.</summary>
    public int WarmupSteps { get; init; } = 100;

    /// <summary>The highest learning rate; it falls to a tenth of that. Twice that of nanoGPT, which such a small model bears.</summary>
    public double LearningRate { get; init; } = 2e-3;

    /// <summary>Batches that the validation loss is the mean of.</summary>
    public int ValidationBatches { get; init; } = 100;

    /// <summary>Characters to write afterwards.</summary>
    public int Generated { get; init; } = 500;

    /// <summary>Decides first weights, batches and the text that is written.</summary>
    public long Seed { get; init; } = 1337;
}
