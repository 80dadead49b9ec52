using Graphene.Cli.Values;

namespace Graphene.Cli.Models;

/// <summary>What a run is fed with: files, and random values for the inputs without one.</summary>
/// <param name="Files">Values by input name.</param>
/// <param name="Seed">Seed of the random values, or null: every input must have a file.</param>
internal sealed record InputSet(IReadOnlyDictionary<string, Literal> Files, long? Seed)
{
    /// <summary>Reads the files of <c>--input NAME=FILE</c> options.</summary>
    public static InputSet Read(IEnumerable<string> options, long? seed)
    {
        var files = new Dictionary<string, Literal>(StringComparer.Ordinal);
        foreach ((string name, string file) in options.Select(InputFile.ParseOption))
        {
            if (!files.TryAdd(name, InputFile.Read(file)))
            {
                throw new UsageException($"input '{name}' is given twice");
            }
        }
        return new InputSet(files, seed);
    }

    /// <summary>The value of an input that came from a file.</summary>
    public Literal? Find(string name) => Files.GetValueOrDefault(name);

    /// <summary>One value for each input of a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="assumed">
    /// Told about each symbolic dim that neither a file nor <c>--dim</c> fixes: it is taken as 1, or its minimum.
    /// </param>
    /// <exception cref="UsageException">A file is for no input, or an input has neither file nor seed.</exception>
    public IReadOnlyList<Literal> For(LoadedModel model, Action<DimSymbol, long> assumed)
    {
        foreach (string name in Files.Keys)
        {
            model.IndexOfInput(name);
        }
        if (Seed is null && model.InputNames.FirstOrDefault(n => !Files.ContainsKey(n)) is { } missing)
        {
            throw new UsageException(
                $"input '{missing}' has no value: give --input {missing}=FILE, or --random SEED for all that are missing");
        }

        Dictionary<string, long> dims = FromFiles(model);
        var values = new Literal[model.InputTypes.Length];
        for (int i = 0; i < values.Length; i++)
        {
            string name = model.InputNames[i];
            TensorType type = model.InputTypes[i];
            values[i] = Find(name) ?? RandomValue.Generate(
                type.Shape.IsStatic ? type : new TensorType(type.DType, Fixed(type.Shape, s => ValueOf(s, dims, assumed))), Seed!.Value, i);
        }
        return values;
    }

    private static Shape Fixed(Shape shape, Func<DimSymbol, long> valueOf) =>
        Shape.From(shape.Select(d => (Dim)d.Evaluate(valueOf)));

    private Dictionary<string, long> FromFiles(LoadedModel model)
    {
        var dims = new Dictionary<string, long>(StringComparer.Ordinal);
        for (int i = 0; i < model.InputTypes.Length; i++)
        {
            TensorType type = model.InputTypes[i];
            if (Find(model.InputNames[i]) is not { } value || value.Shape.Rank != type.Rank)
            {
                continue;
            }
            for (int axis = 0; axis < type.Rank; axis++)
            {
                if (type.Shape[axis].AsSymbol is { } symbol)
                {
                    dims.TryAdd(symbol.Name, value.Shape[axis].Value);
                }
            }
        }
        return dims;
    }

    private static long ValueOf(DimSymbol symbol, Dictionary<string, long> dims, Action<DimSymbol, long> assumed)
    {
        if (!dims.TryGetValue(symbol.Name, out long value))
        {
            value = Math.Max(1, symbol.Min);
            dims.Add(symbol.Name, value);
            assumed(symbol, value);
        }
        return value;
    }
}
