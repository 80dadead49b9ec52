using System.Collections.Immutable;

namespace Graphene;

/// <summary>Copies the needed nodes into IR: placeholders and variables become parameters, assignments become results.</summary>
internal sealed class GraphLowering(Graph graph, ProvenanceTable provenance)
{
    private readonly GraphBuilder _b = new(provenance);
    private readonly Dictionary<Node, Node> _copies = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Variable, (int Input, Node Value, bool Assigned)> _state = [];
    private readonly List<Node> _effects = [];
    private readonly List<string> _inputNames = [];
    private readonly HashSet<string> _usedInputs = new(StringComparer.Ordinal);
    private readonly HashSet<string> _usedOutputs = new(StringComparer.Ordinal);

    public LoweredGraph Lower(
        IReadOnlyList<Tensor> fetches, IReadOnlyList<Tensor> feeds, List<Node> needed, Func<Tensor, Node> nodeOf)
    {
        foreach (Tensor feed in feeds)
        {
            Node node = nodeOf(feed);
            if (!_copies.TryAdd(node, AddInput(feed.Name, node.Type)))
            {
                throw new GraphException(
                    DiagnosticId.BadName, $"{feed} is fed twice", graph.Name, fix: "feed each tensor once");
            }
            provenance.Inherit(_copies[node], node);
        }
        foreach (Node node in needed)
        {
            if (!_copies.ContainsKey(node))
            {
                _copies.Add(node, Copy(node));
            }
        }
        Node[] results = [.. fetches.Select(f => _copies[nodeOf(f)])];
        string[] names = [.. fetches.Select(f => Unique(_usedOutputs, f.Name))];
        Variable[] assigned = [.. graph.Variables.Where(v => _state.TryGetValue(v, out var s) && s.Assigned)];
        Computation entry = _b.Build("main", [.. results, .. assigned.Select(v => _state[v].Value)], _effects);
        var module = new Module(
            graph.Name, entry, [.. _inputNames], [.. names, .. assigned.Select(v => Unique(_usedOutputs, v.Name))], provenance);
        ImmutableArray<VariableBinding> variables =
        [
            .. graph.Variables.Where(_state.ContainsKey).Select(v => new VariableBinding(
                v, _state[v].Input, Array.IndexOf(assigned, v) is >= 0 and var place ? fetches.Count + place : -1)),
        ];
        return new LoweredGraph(module, [.. feeds], variables);
    }

    private Node Copy(Node node)
    {
        switch (node.Op)
        {
            case PlaceholderOp { Default: { } value }:
                return Traced(_b.Constant(value), node);
            case PlaceholderOp missing:
                throw new GraphException(
                    DiagnosticId.MissingFeed, $"placeholder '{missing.Key}' {missing.Type} is needed but not fed",
                    provenance[node].Count > 0 ? $"built in {provenance[node][0]}" : graph.Name,
                    fix: "feed it, or give it a default");
            case ControlOp:
                return _copies[node.Operands[0]];
            case VariableReadOp read:
                return Traced(Read(read.Variable), node);
            case VariableAssignOp assign:
                Node next = _copies[node.Operands[0]];
                _state[assign.Variable] = (_state.TryGetValue(assign.Variable, out var s) ? s.Input : -1, next, true);
                return next;
            default:
                Node copy = Traced(_b.Add(node.Op, node.Operands.Select(o => _copies[o]).ToImmutableArray()), node);
                if (node.Op.HasSideEffects)
                {
                    _effects.Add(copy);
                }
                return copy;
        }
    }

    private Node Read(Variable variable)
    {
        if (!_state.TryGetValue(variable, out var state))
        {
            state = (_inputNames.Count, AddInput(variable.Name, variable.Type), false);
            _state.Add(variable, state);
        }
        return state.Value;
    }

    private Node AddInput(string name, TensorType type)
    {
        _inputNames.Add(Unique(_usedInputs, name));
        return _b.Parameter(_inputNames.Count - 1, type);
    }

    private Node Traced(Node copy, Node original)
    {
        provenance.Inherit(copy, original);
        return copy;
    }

    private static string Unique(HashSet<string> used, string name)
    {
        string unique = name;
        for (int i = 1; !used.Add(unique); i++)
        {
            unique = $"{name}_{i}";
        }
        return unique;
    }
}
