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

/// <summary>The way to and from the origins of nodes. Interned nodes can have several; they are no part of equality.</summary>
/// <remarks>
/// The origins lie with the nodes themselves, so that they cost nothing to keep and go when their node goes: a table beside
/// them would either keep every node of every pass alive or burden the garbage collector with weak references.
/// </remarks>
public sealed class ProvenanceTable
{
    /// <summary>How many origins a node keeps; later ones are dropped.</summary>
    public int MaxOriginsPerNode { get; init; } = 8;

    /// <summary>The origins of a node, oldest first; empty when unknown.</summary>
    public IReadOnlyList<Provenance> this[Node node] => node.Origins;

    /// <summary>Adds an origin unless it is there already or the node has enough of them.</summary>
    public void Add(Node node, Provenance origin)
    {
        if (node.Origins.Length < MaxOriginsPerNode && !node.Origins.Contains(origin))
        {
            node.Origins = [.. node.Origins, origin];
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
