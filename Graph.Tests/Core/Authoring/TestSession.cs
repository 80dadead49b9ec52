namespace Graphene.Tests.Core.Authoring;

/// <summary>Runs parts of a graph on the reference evaluator and keeps its variables.</summary>
internal sealed class TestSession(Graph graph)
{
    private readonly Dictionary<Variable, Literal> _values = graph.Variables.ToDictionary(v => v, v => v.InitialValue);

    public Literal[] Run(Tensor[] fetches, (Tensor Tensor, Literal Value)[]? feeds = null, Operation[]? targets = null)
    {
        LoweredGraph lowered = graph.Lower(fetches, feeds is null ? null : [.. feeds.Select(f => f.Tensor)], targets);
        var inputs = new Literal[lowered.Module.InputNames.Length];
        for (int i = 0; i < lowered.Feeds.Length; i++)
        {
            inputs[i] = feeds![i].Value;
        }
        foreach (VariableBinding binding in lowered.Variables.Where(v => v.Input >= 0))
        {
            inputs[binding.Input] = _values[binding.Variable];
        }
        Literal[] outputs = Evaluator.Evaluate(Specialized(lowered.Module, inputs).Entry, inputs);
        foreach (VariableBinding binding in lowered.Variables.Where(v => v.Output >= 0))
        {
            _values[binding.Variable] = outputs[binding.Output];
        }
        return outputs[..fetches.Length];
    }

    public double Scalar(Tensor fetch, params (Tensor Tensor, Literal Value)[] feeds) =>
        Run([fetch], feeds.Length == 0 ? null : feeds)[0][0].AsDouble;

    public double ValueOf(Variable variable) => _values[variable][0].AsDouble;

    // Symbols take their values from the inputs that have them as a dimension.
    private static Module Specialized(Module module, Literal[] inputs)
    {
        var values = new Dictionary<string, long>();
        for (int i = 0; i < inputs.Length; i++)
        {
            foreach ((Dim dim, Dim value) in module.Entry.Parameters[i].Type.Shape.Zip(inputs[i].Shape))
            {
                if (dim.AsSymbol is { } symbol)
                {
                    values[symbol.Name] = value.Value;
                }
            }
        }
        return values.Count == 0 ? module : Specialization.Apply(module, values);
    }
}
