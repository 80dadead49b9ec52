namespace Graphene.Optimizer;

/// <summary>How tiles of results cover one spatial dimension of a convolution.</summary>
/// <remarks>
/// Results that are a multiple of the dilation apart read elements that are, and nothing of what lies between: along the dimension there
/// are as many images, one in another, as the dilation says. A tile is of one of them. Tiles that follow each other begin at
/// results that follow each other until each image has one.
/// </remarks>
/// <param name="Results">The results along the dimension.</param>
/// <param name="Tile">The results of a tile.</param>
/// <param name="Dilation">How far apart these are, which is how far apart taps are.</param>
public sealed record WinogradSpan(long Results, int Tile, long Dilation)
{
    /// <summary>How many tiles there are.</summary>
    public long Count => (Results / Period * Dilation) + Math.Min(Dilation, Results % Period);

    /// <summary>The results that one tile of each image covers.</summary>
    public long Period => Tile * Dilation;

    /// <summary>Where the last tile begins; none begins behind it.</summary>
    public long Last => (((Count - 1) / Dilation) * Period) + ((Count - 1) % Dilation);
}
