namespace Graphene;

/// <summary>Tensors with names, wherever they are: a checkpoint, another framework's file, memory.</summary>
/// <remarks>Types are known without reading elements, so that whoever reads can decide first.</remarks>
public interface INamedTensors
{
    /// <summary>What to call the whole in messages, for example the file's path.</summary>
    string Name { get; }

    /// <summary>The names, each once.</summary>
    IReadOnlyCollection<string> Names { get; }

    /// <summary>The type of a tensor; null when there is no tensor of that name.</summary>
    TensorType? TypeOf(string name);

    /// <summary>Reads a tensor.</summary>
    /// <exception cref="KeyNotFoundException">There is no tensor of that name.</exception>
    /// <exception cref="GraphException">It cannot be read.</exception>
    Literal Read(string name);
}

/// <summary>A tensor and its name.</summary>
/// <param name="Name">Its name, different from those of the others that it stands with.</param>
/// <param name="Value">Its value.</param>
public readonly record struct NamedTensor(string Name, Literal Value);
