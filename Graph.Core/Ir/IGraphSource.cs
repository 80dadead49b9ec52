namespace Graphene;

/// <summary>A graph that has a name before it is loaded, usually the hash of the file that holds it.</summary>
/// <remarks>
/// Whoever keeps what was made from graphs can find it by the name alone: a start from a cache reads no graph and optimizes none.
/// </remarks>
public interface IGraphSource
{
    /// <summary>
    /// Names the graph: sources of equal keys load equal graphs, provenance aside, for as long as
    /// <see cref="KeyIsComplete"/>.
    /// </summary>
    string Key { get; }

    /// <summary>
    /// A name of the graph that costs next to nothing, made before <see cref="Key"/> if both are asked for: sources of equal stamps have
    /// equal keys, while sources of equal keys may have other stamps or none.
    /// </summary>
    string? Stamp => null;

    /// <summary>
    /// Whether everything that the loaded graph depends on is in the key. False before it is loaded, and when loading met
    /// something that the key does not cover: another file, a value that was fed.
    /// </summary>
    bool KeyIsComplete { get; }

    /// <summary>
    /// Whether what the key names is still what it was when the key was made. To be asked when nothing of the graph will be read
    /// any more, constants included; it may take as long as making the key.
    /// </summary>
    bool IsUnchanged() => true;

    /// <summary>Loads the graph; a second call gives the same one.</summary>
    /// <exception cref="GraphException">The graph cannot be loaded.</exception>
    Module Load();
}
