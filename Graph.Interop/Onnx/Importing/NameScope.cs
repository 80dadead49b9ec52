namespace Graphene.Interop.Onnx.Importing;

/// <summary>The values that names stand for in a graph; a subgraph sees those of the graph around it, a function does not.</summary>
/// <param name="outer">The scope around a subgraph.</param>
internal sealed class NameScope(NameScope? outer = null)
{
    private readonly Dictionary<string, OnnxValue> _values = new(StringComparer.Ordinal);

    /// <summary>Gives a name a value; a name has one value only.</summary>
    public void Define(string name, OnnxValue value) => _values[name] = value;

    /// <summary>The value of a name, or null.</summary>
    public OnnxValue? Find(string name)
    {
        for (NameScope? scope = this; scope is not null; scope = scope.Outer)
        {
            if (scope._values.TryGetValue(name, out OnnxValue? value))
            {
                return value;
            }
        }
        return null;
    }

    private NameScope? Outer { get; } = outer;
}
