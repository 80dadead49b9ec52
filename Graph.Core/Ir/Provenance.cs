using System.Runtime.CompilerServices;

namespace Graphene;

/// <summary>Where a node comes from: the user's source line, the foreign node, the scope.</summary>
/// <param name="Name">The name in the front end, for example an ONNX node name.</param>
/// <param name="File">The C# file, or the model file.</param>
/// <param name="Line">The line in a C# file, else 0.</param>
/// <param name="Scope">The name scope, for example <c>attention/keys</c>.</param>
public sealed record Provenance(string? Name = null, string? File = null, int Line = 0, string? Scope = null)
{
    /// <summary>As it appears in messages: <c>Model.cs:41 (scope attention/keys)</c>.</summary>
    public override string ToString()
    {
        string place = File is null ? "" : Line > 0 ? $"{Path.GetFileName(File)}:{Line}" : Path.GetFileName(File);
        string name = Name is null ? "" : place.Length > 0 ? $" node '{Name}'" : $"node '{Name}'";
        return $"{place}{name}{(Scope is null ? "" : $" (scope {Scope})")}";
    }
}

/// <summary>The side table from nodes to their origins. Interned nodes can have several.</summary>
public sealed class ProvenanceTable
{
    private const int MaxOriginsPerNode = 8;
    private readonly ConditionalWeakTable<Node, List<Provenance>> _origins = [];

    /// <summary>The origins of a node, oldest first; empty when unknown.</summary>
    public IReadOnlyList<Provenance> this[Node node] => _origins.TryGetValue(node, out List<Provenance>? list) ? list : [];

    /// <summary>Adds an origin unless it is there already or the node has enough of them.</summary>
    public void Add(Node node, Provenance origin)
    {
        List<Provenance> list = _origins.GetOrCreateValue(node);
        if (list.Count < MaxOriginsPerNode && !list.Contains(origin))
        {
            list.Add(origin);
        }
    }

    /// <summary>Adds all origins of <paramref name="source"/> to <paramref name="target"/>: a pass replaced the one by the other.</summary>
    public void Inherit(Node target, Node source)
    {
        if (!ReferenceEquals(target, source))
        {
            foreach (Provenance origin in this[source])
            {
                Add(target, origin);
            }
        }
    }
}
