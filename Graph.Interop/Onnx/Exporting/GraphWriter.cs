using System.Globalization;
using Google.Protobuf;
using Graphene.Interop.Onnx.Schema;

namespace Graphene.Interop.Onnx.Exporting;

/// <summary>Adds operators to a graph of the file. An operator that is there already with the same inputs is used again.</summary>
/// <remarks>
/// Bodies of loops and branches are graphs of their own, which see the names of those around them. Stored tensors and sizes
/// stand in the outermost graph, so that every body can use them.
/// </remarks>
internal sealed class GraphWriter
{
    private readonly GraphWriter? _outer;
    private readonly HashSet<string> _names;
    private readonly Dictionary<ByteString, string[]> _written = [];
    private readonly Dictionary<Literal, string> _stored = [];

    /// <summary>Begins the outermost graph.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="reserved">Names that inputs and outputs have.</param>
    public GraphWriter(string name, IEnumerable<string> reserved)
    {
        Graph = new GraphProto { Name = name };
        _names = new HashSet<string>(reserved, StringComparer.Ordinal);
    }

    private GraphWriter(GraphWriter outer, string name)
    {
        Graph = new GraphProto { Name = name };
        _outer = outer;
        _names = outer._names;
    }

    /// <summary>The message.</summary>
    public GraphProto Graph { get; }

    /// <summary>The outermost graph.</summary>
    public GraphWriter Root => _outer?.Root ?? this;

    /// <summary>What operators are called that are added from now on, for example the layer that they belong to.</summary>
    public string? Prefix { get; set; }

    /// <summary>Begins the body of a loop or branch.</summary>
    public GraphWriter Nested(string name) => new(this, Unique(name)) { Prefix = Prefix };

    /// <summary>Adds an operator with one output.</summary>
    /// <returns>The output.</returns>
    public string Add(string op, string[] inputs, params AttributeProto[] attributes) => AddMany(op, 1, inputs, attributes)[0];

    /// <summary>Adds an operator.</summary>
    /// <returns>The outputs.</returns>
    public string[] AddMany(string op, int outputs, string[] inputs, params AttributeProto[] attributes)
    {
        var node = new NodeProto { OpType = op };
        node.Input.AddRange(inputs);
        node.Attribute.AddRange(attributes);
        ByteString key = node.ToByteString();
        if (Written(key) is { } known && known.Length == outputs)
        {
            return known;
        }
        node.Name = Unique(Prefix is null ? op : $"{Prefix}/{op}");
        string[] results = [.. Enumerable.Range(0, outputs).Select(
            i => i == 0 ? node.Name : Unique(string.Create(CultureInfo.InvariantCulture, $"{node.Name}:{i}")))];
        node.Output.AddRange(results);
        Graph.Node.Add(node);
        _written[key] = results;
        return results;
    }

    /// <summary>Stores a tensor.</summary>
    /// <param name="value">The tensor.</param>
    /// <param name="name">What to call it; null for whatever is free.</param>
    public string Store(Literal value, string? name = null)
    {
        if (_outer is not null)
        {
            return Root.Store(value, name);
        }
        if (!_stored.TryGetValue(value, out string? stored))
        {
            stored = Unique(name ?? "constant");
            _stored.Add(value, stored);
            Graph.Initializer.Add(FileTypes.Tensor(stored, value));
        }
        return stored;
    }

    /// <summary>Stores a vector of i64.</summary>
    public string Ints(params IEnumerable<long> values)
    {
        long[] all = [.. values];
        return Store(Literal.From<long>(all, all.Length));
    }

    /// <summary>Stores a scalar.</summary>
    public string Number(DType type, double value) => Store(Literal.FromScalar(Scalar.FromNumber(type, value)));

    /// <summary>A name that nothing in the file has.</summary>
    public string Unique(string name)
    {
        string unique = name;
        for (int i = 1; !_names.Add(unique); i++)
        {
            unique = string.Create(CultureInfo.InvariantCulture, $"{name}_{i}");
        }
        return unique;
    }

    private string[]? Written(ByteString key) =>
        _written.TryGetValue(key, out string[]? results) ? results : _outer?.Written(key);
}
