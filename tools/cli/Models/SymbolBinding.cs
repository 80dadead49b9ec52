namespace Graphene.Cli.Models;

/// <summary>The values that a run's inputs give to symbolic dims, and the check that inputs fit the model.</summary>
internal static class SymbolBinding
{
    /// <summary>Reads the values of all symbols off the inputs' shapes.</summary>
    /// <exception cref="UsageException">An input does not fit its type, or two inputs contradict each other.</exception>
    public static IReadOnlyDictionary<string, long> Bind(LoadedModel model, IReadOnlyList<Literal> inputs)
    {
        var values = new Dictionary<string, long>(StringComparer.Ordinal);
        for (int i = 0; i < inputs.Count; i++)
        {
            TensorType type = model.InputTypes[i];
            string name = model.InputNames[i];
            if (inputs[i].DType != type.DType || inputs[i].Shape.Rank != type.Rank)
            {
                throw new UsageException($"input '{name}' is {type}, not {inputs[i].Type}");
            }
            for (int axis = 0; axis < type.Rank; axis++)
            {
                if (type.Shape[axis].AsSymbol is { } symbol)
                {
                    values.TryAdd(symbol.Name, inputs[i].Shape[axis].Value);
                }
            }
        }
        for (int i = 0; i < inputs.Count; i++)
        {
            Check(model, i, inputs[i], values);
        }
        return values;
    }

    private static void Check(LoadedModel model, int index, Literal input, Dictionary<string, long> values)
    {
        TensorType type = model.InputTypes[index];
        for (int axis = 0; axis < type.Rank; axis++)
        {
            Dim dim = type.Shape[axis];
            if (dim.Symbols.Any(s => !values.ContainsKey(s.Name)))
            {
                continue; // an expression whose symbols no input shows alone; the program checks it itself
            }
            long expected = dim.Evaluate(s => values[s.Name]);
            long actual = input.Shape[axis].Value;
            if (actual != expected)
            {
                string meaning = dim.IsStatic ? "" : $" ({dim} is {expected} here)";
                throw new UsageException(
                    $"input '{model.InputNames[index]}' is {type}, not {input.Type}: axis {axis} must be {expected}{meaning}");
            }
        }
    }
}
