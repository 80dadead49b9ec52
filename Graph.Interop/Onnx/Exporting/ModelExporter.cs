using Graphene.Interop.Onnx.Schema;

namespace Graphene.Interop.Onnx.Exporting;

/// <summary>Writes a module as a model: inputs, stored tensors, operators, outputs.</summary>
internal sealed class ModelExporter
{
    private readonly Module _module;
    private readonly OnnxExportOptions _options;
    private readonly string[] _inputs;
    private readonly string[] _outputs;
    private readonly GraphWriter _graph;
    private readonly ExportFailures _failures = new();
    private readonly Dictionary<string, string> _renamed = new(StringComparer.Ordinal);

    /// <summary>Prepares an export.</summary>
    /// <param name="module">The module.</param>
    /// <param name="options">Names and texts, and the values of inputs that become stored tensors.</param>
    /// <exception cref="GraphException">GR4017: two inputs or outputs are called the same.</exception>
    public ModelExporter(Module module, OnnxExportOptions options)
    {
        _module = module;
        _options = options;
        _inputs = Renamed(module.InputNames, options.InputNames);
        _outputs = Renamed(module.OutputNames, options.OutputNames);
        _graph = new GraphWriter(
            module.Name, _inputs.Where((_, i) => !options.Values.ContainsKey(module.InputNames[i])).Concat(_outputs));
    }

    /// <summary>The message.</summary>
    /// <exception cref="GraphException">GR4015, GR4017.</exception>
    public ModelProto Export()
    {
        Computation entry = _module.Entry;
        var sources = new Dictionary<DimSymbol, (string, int)>();
        StoredValue[] arguments = [.. entry.Parameters.Select((p, i) => Input(p.Type, i, sources))];
        RequireAllUsed();
        var exporter = new ComputationExporter(_graph, new DimWriter(_graph, sources), _failures, _module.Provenance);
        string[] results = [.. exporter.Inline(entry, arguments).Select(r => Plain(exporter, r))];
        _failures.ThrowIfAny(_module.Name);
        for (int i = 0; i < results.Length; i++)
        {
            AddOutput(results[i], _outputs[i], entry.Results[i].Type);
        }
        RemoveUnread();
        var model = new ModelProto
        {
            IrVersion = OnnxExporter.IrVersion,
            ProducerName = "graphene",
            ProducerVersion = typeof(ModelExporter).Assembly.GetName().Version?.ToString(3) ?? "",
            DocString = _options.Description,
            Graph = _graph.Graph,
        };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = OnnxExporter.OperatorSet });
        model.MetadataProps.AddRange(_options.Metadata.OrderBy(m => m.Key, StringComparer.Ordinal)
            .Select(m => new StringStringEntryProto { Key = m.Key, Value = m.Value }));
        return model;
    }

    private string[] Renamed(IReadOnlyList<string> names, IReadOnlyList<string>? others)
    {
        string[] renamed = [.. names.Select((name, i) => i < others?.Count ? others[i] : name)];
        return renamed.Distinct().Count() == renamed.Length
            ? renamed
            : throw BadValue(
                $"the names {string.Join(", ", renamed)} are not all different", "names tell inputs and outputs apart");
    }

    private StoredValue Input(TensorType type, int number, Dictionary<DimSymbol, (string, int)> sources)
    {
        string name = _inputs[number];
        if (_options.Values.TryGetValue(_module.InputNames[number], out Literal? value))
        {
            return value.DType == type.DType && value.Shape.Equals(type.Shape)
                ? StoredValue.Of(value, name)
                : throw BadValue($"the value given for '{name}' is {value.Type}", $"the input is {type}");
        }
        for (int axis = 0; axis < type.Rank; axis++)
        {
            if (type.Shape[axis].AsSymbol is { } symbol)
            {
                sources.TryAdd(symbol, (name, axis));
            }
        }
        _graph.Graph.Input.Add(FileTypes.Port(name, type));
        return StoredValue.Plain(name, type);
    }

    private void RequireAllUsed()
    {
        if (_options.Values.Keys.FirstOrDefault(name => !_module.InputNames.Contains(name)) is { } unknown)
        {
            throw BadValue($"a value is given for '{unknown}'", $"the inputs are {string.Join(", ", _module.InputNames)}");
        }
    }

    private GraphException BadValue(string what, string why) => new(
        OnnxDiagnosticIds.BadExportValue, $"onnx: {what}", $"'{_module.Name}'", why,
        "give values of inputs, by their names and of their types");

    private string Plain(ComputationExporter exporter, StoredValue result)
    {
        try
        {
            return exporter.Place.Plain(result);
        }
        catch (NoOnnxFormException e)
        {
            _failures.Add("output", e.Message, null);
            return "";
        }
    }

    // The operator that computes an output takes its name, unless somebody else knows it by another.
    private void AddOutput(string value, string output, TensorType type)
    {
        if (value != output && _graph.Graph.Input.Any(i => i.Name == output))
        {
            throw BadValue($"an output is called '{output}', as an input is", "names tell values apart");
        }
        _graph.Graph.Output.Add(FileTypes.Port(output, type));
        if (value == output)
        {
            return; // an input is handed on under its own name
        }
        NodeProto? producer = _graph.Graph.Node.LastOrDefault(n => n.Output.Contains(value));
        if (producer is not null && !IsRead(_graph.Graph, value))
        {
            producer.Output[producer.Output.IndexOf(value)] = output;
            _renamed.Add(value, output);
            return;
        }
        var copy = new NodeProto { OpType = "Identity", Name = _graph.Unique("Identity") };
        copy.Input.Add(_renamed.GetValueOrDefault(value, value));
        copy.Output.Add(output);
        _graph.Graph.Node.Add(copy);
    }

    // What was looked at and not needed in the end, such as the value of padding where there is none.
    private void RemoveUnread()
    {
        var read = new HashSet<string>(NamesRead(_graph.Graph), StringComparer.Ordinal);
        for (int i = _graph.Graph.Initializer.Count - 1; i >= 0; i--)
        {
            if (!read.Contains(_graph.Graph.Initializer[i].Name))
            {
                _graph.Graph.Initializer.RemoveAt(i);
            }
        }
    }

    private static IEnumerable<string> NamesRead(GraphProto graph) => graph.Node.SelectMany(
        n => n.Input.Concat(n.Attribute.Where(a => a.G is not null).SelectMany(a => NamesRead(a.G))));

    private static bool IsRead(GraphProto graph, string name) => graph.Output.Any(o => o.Name == name) || graph.Node.Any(
        n => n.Input.Contains(name) || n.Attribute.Any(a => a.G is not null && IsRead(a.G, name)));
}
