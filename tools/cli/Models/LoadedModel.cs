namespace Graphene.Cli.Models;

/// <summary>A model from a file, ready to be optimized or run.</summary>
/// <param name="Path">The file.</param>
/// <param name="Module">The program.</param>
/// <param name="SpecializedInputs">Inputs whose values are built into the program, since they decide shapes.</param>
internal sealed record LoadedModel(string Path, Module Module, IReadOnlyList<string> SpecializedInputs)
{
    /// <summary>The types of the inputs, in order.</summary>
    public IReadOnlyList<TensorType> InputTypes => [.. Module.Entry.Parameters.Select(p => p.Type)];

    /// <summary>The position of an input.</summary>
    /// <exception cref="UsageException">There is no such input; the message lists those that there are.</exception>
    public int IndexOfInput(string name)
    {
        int index = Module.InputNames.IndexOf(name);
        return index >= 0
            ? index
            : throw new UsageException(
                $"{Path} has no input '{name}'; its inputs are {string.Join(", ", Module.InputNames.Select(n => $"'{n}'"))}");
    }
}
