using System.Text;
using Graphene.Interop.Onnx.Schema;
using Kind = Graphene.Interop.Onnx.Schema.AttributeProto.Types.AttributeType;

namespace Graphene.Interop.Onnx.Importing;

/// <summary>A node's attributes by name, with those that refer to the attributes of a calling node replaced by the caller's.</summary>
internal sealed class AttributeSet
{
    private readonly Dictionary<string, AttributeProto> _attributes = new(StringComparer.Ordinal);
    private readonly string _where;

    /// <summary>Collects the attributes of a node.</summary>
    /// <param name="node">The node.</param>
    /// <param name="caller">Inside a function, the attributes of the call.</param>
    /// <param name="where">How errors call the node.</param>
    public AttributeSet(NodeProto node, AttributeSet? caller, string where)
    {
        _where = where;
        foreach (AttributeProto attribute in node.Attribute)
        {
            if (attribute.RefAttrName.Length == 0)
            {
                _attributes[attribute.Name] = attribute;
            }
            else if (caller is not null && caller._attributes.TryGetValue(attribute.RefAttrName, out AttributeProto? given))
            {
                _attributes[attribute.Name] = given;
            }
        }
    }

    private AttributeSet(Dictionary<string, AttributeProto> attributes, string where)
    {
        _attributes = attributes;
        _where = where;
    }

    /// <summary>The attribute names.</summary>
    public IEnumerable<string> Names => _attributes.Keys;

    /// <summary>The attributes with a function's defaults for those that are not given.</summary>
    public AttributeSet WithDefaults(IEnumerable<AttributeProto> defaults)
    {
        var all = new Dictionary<string, AttributeProto>(_attributes, StringComparer.Ordinal);
        foreach (AttributeProto attribute in defaults)
        {
            all.TryAdd(attribute.Name, attribute);
        }
        return new AttributeSet(all, _where);
    }

    /// <summary>True when the attribute is given.</summary>
    public bool Has(string name) => _attributes.ContainsKey(name);

    /// <summary>True when the attribute is given and says that it is an integer.</summary>
    public bool IsInt(string name) => _attributes.TryGetValue(name, out AttributeProto? attribute) && attribute.Type == Kind.Int;

    /// <summary>The graph of an attribute.</summary>
    public GraphProto? Graph(string name) => Find(name, Kind.Graph)?.G;

    /// <summary>The tensor of an attribute.</summary>
    public TensorProto? Tensor(string name) => Find(name, Kind.Tensor)?.T;

    /// <summary>The sparse tensor of an attribute.</summary>
    public SparseTensorProto? SparseTensor(string name) => Find(name, Kind.SparseTensor)?.SparseTensor;

    /// <summary>The integer of an attribute.</summary>
    public long? Int(string name) => Find(name, Kind.Int)?.I;

    /// <summary>The number of an attribute.</summary>
    public float? Float(string name) => Find(name, Kind.Float)?.F;

    /// <summary>The text of an attribute.</summary>
    public string? Text(string name) => Find(name, Kind.String)?.S.ToString(Encoding.UTF8);

    /// <summary>The integers of an attribute.</summary>
    public IReadOnlyList<long>? Ints(string name) => Find(name, Kind.Ints)?.Ints;

    /// <summary>The numbers of an attribute.</summary>
    public IReadOnlyList<float>? Floats(string name) => Find(name, Kind.Floats)?.Floats;

    /// <summary>The texts of an attribute.</summary>
    public IReadOnlyList<string>? Texts(string name) =>
        Find(name, Kind.Strings)?.Strings.Select(s => s.ToString(Encoding.UTF8)).ToArray();

    /// <summary>The attribute when it is given and has the kind; files older than IR version 2 do not record the kind.</summary>
    /// <exception cref="GraphException">It has another kind.</exception>
    private AttributeProto? Find(string name, Kind kind)
    {
        if (!_attributes.TryGetValue(name, out AttributeProto? attribute))
        {
            return null;
        }
        if (attribute.Type != kind && attribute.Type != Kind.Undefined)
        {
            throw new GraphException(
                OnnxDiagnosticIds.BadNode,
                $"onnx: attribute '{name}' is of kind {attribute.Type}",
                _where,
                $"the operator takes one of kind {kind}",
                "export the model again");
        }
        return attribute;
    }
}
