namespace Graphene.Runtime;

/// <summary>The graphs of one frame for one set of addresses: each segment is captured when it comes up the second time.</summary>
/// <remarks>What happens once is not worth a graph, and what happens again usually happens often.</remarks>
/// <param name="binding">Shapes and numbers.</param>
/// <param name="addresses">The addresses of all buffers.</param>
/// <param name="segments">How many segments there are.</param>
internal sealed class CapturedSegments(GpuBinding binding, nint[] addresses, int segments) : IDisposable
{
    private readonly GpuGraph?[] _graphs = new GpuGraph?[segments];
    private readonly bool[] _seen = new bool[segments];

    /// <summary>Whether the graphs do what a run with these shapes and addresses wants.</summary>
    public bool Fits(GpuBinding other, nint[] otherAddresses) =>
        ReferenceEquals(binding, other) && otherAddresses.AsSpan().SequenceEqual(addresses);

    /// <summary>The graph of a segment; null when it has none yet.</summary>
    public GpuGraph? this[int segment]
    {
        get => _graphs[segment];
        set => _graphs[segment] = value;
    }

    /// <summary>Whether the segment came up before; from now on it did.</summary>
    public bool WasSeen(int segment)
    {
        bool seen = _seen[segment];
        _seen[segment] = true;
        return seen;
    }

    /// <inheritdoc/>
    public void Dispose() => Array.ForEach(_graphs, g => g?.Dispose());
}
