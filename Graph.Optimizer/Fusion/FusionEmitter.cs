using System.Collections.Immutable;

namespace Graphene.Optimizer;

/// <summary>Rewrites a computation so that each planned fusion is one node.</summary>
internal sealed class FusionEmitter
{
    private readonly FusionGraph _graph;
    private readonly GraphBuilder _b;
    private readonly Dictionary<Node, Node> _values = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Node, FusionCluster> _home = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<FusionCluster, ClusterContent> _contents = new(ReferenceEqualityComparer.Instance);

    private readonly HashSet<FusionCluster> _started = new(ReferenceEqualityComparer.Instance);

    private FusionEmitter(FusionGraph graph, ProvenanceTable provenance)
    {
        _graph = graph;
        _b = new GraphBuilder(provenance);
        foreach (FusionCluster cluster in graph.Clusters)
        {
            var content = ClusterContent.Of(cluster, graph);
            _contents.Add(cluster, content);
            foreach (Node stored in content.Stored)
            {
                _home.Add(stored, cluster);
            }
        }
    }

    /// <summary>Builds the computation with fusion nodes.</summary>
    public static Computation Emit(Computation computation, FusionGraph graph, ProvenanceTable provenance)
    {
        var emitter = new FusionEmitter(graph, provenance);
        foreach (Node parameter in computation.Parameters)
        {
            emitter.Define(parameter, emitter._b.Parameter(((ParameterOp)parameter.Op).Number, parameter.Type));
        }
        foreach (Node root in computation.Effects.Concat(computation.Results))
        {
            emitter.Emit(root);
        }
        return emitter._b.Build(
            computation.Name, computation.Results.Select(r => emitter._values[r]), computation.Effects.Select(e => emitter._values[e]));
    }

    // Emits everything that a value needs, with a stack of its own.
    private void Emit(Node root)
    {
        var pending = new Stack<(Node Node, bool Expanded)>();
        pending.Push((root, false));
        while (pending.TryPop(out (Node Node, bool Expanded) top))
        {
            if (_values.ContainsKey(top.Node))
            {
                continue;
            }
            FusionCluster? home = _home.GetValueOrDefault(top.Node);
            if (top.Expanded)
            {
                EmitNow(top.Node, home);
                continue;
            }
            if (home is not null && !_started.Add(home))
            {
                throw new CompilerBugException("fusion", $"{home} waits for its own result {top.Node}");
            }
            pending.Push((top.Node, true));
            IReadOnlyList<Node> needs = home is null ? top.Node.Operands : _contents[home].Reads;
            for (int i = needs.Count - 1; i >= 0; i--)
            {
                if (!_values.ContainsKey(needs[i]))
                {
                    pending.Push((needs[i], false));
                }
            }
        }
    }

    private void EmitNow(Node node, FusionCluster? home)
    {
        if (home is null)
        {
            Define(node, _b.Add(node.Op, node.Operands.Select(o => _values[o]).ToImmutableArray()));
            return;
        }
        ClusterContent content = _contents[home];
        Node fusion = _b.Add(new FusionOp(home.Kind, Body(home, content)), content.Reads.Select(r => _values[r]).ToImmutableArray());
        foreach (Node member in content.Members)
        {
            _b.Provenance.Inherit(fusion, member);
        }
        int result = 0;
        foreach (Node stored in content.Stored)
        {
            if (stored.Types.Length == 1)
            {
                Define(stored, _b.GetTupleElement(fusion, result++));
                continue;
            }
            // A value with several results: whoever takes it apart finds them here.
            foreach (Node element in _graph.UsersOf(stored))
            {
                _values.TryAdd(element, _b.GetTupleElement(fusion, result + ((GetTupleElementOp)element.Op).Index));
            }
            result += stored.Types.Length;
            _values.TryAdd(stored, fusion);
        }
    }

    private void Define(Node node, Node value)
    {
        _b.Provenance.Inherit(value, node);
        _values.Add(node, value);
    }

    private Computation Body(FusionCluster cluster, ClusterContent content)
    {
        var b = new GraphBuilder(_b.Provenance);
        var inside = new Dictionary<Node, Node>(ReferenceEqualityComparer.Instance);
        for (int i = 0; i < content.Reads.Length; i++)
        {
            inside.Add(content.Reads[i], b.Parameter(i, content.Reads[i].Type));
        }
        foreach (Node member in content.Members)
        {
            Node copy = b.Add(member.Op, member.Operands.Select(o => inside[o]).ToImmutableArray());
            b.Provenance.Inherit(copy, member);
            inside.Add(member, copy);
        }
        string name = cluster.Kind.ToString().ToLowerInvariant() + "_" + content.Stored[^1].Op.Name;
        return b.Build(name, content.Stored.SelectMany(stored => b.Results(inside[stored])));
    }

    /// <summary>What is inside of a fusion and what it reads.</summary>
    /// <param name="Members">The nodes computed inside, operands before users.</param>
    /// <param name="Reads">The values read from memory, each once, in the order of their first use.</param>
    /// <param name="Stored">The members written to memory, in the order of the computation.</param>
    private sealed record ClusterContent(
        ImmutableArray<Node> Members, ImmutableArray<Node> Reads, ImmutableArray<Node> Stored)
    {
        public static ClusterContent Of(FusionCluster cluster, FusionGraph graph)
        {
            var members = ImmutableArray.CreateBuilder<Node>();
            var present = new HashSet<Node>(ReferenceEqualityComparer.Instance);
            var reads = ImmutableArray.CreateBuilder<Node>();
            var read = new HashSet<Node>(ReferenceEqualityComparer.Instance);
            foreach (Node node in cluster.Members.OrderBy(graph.OrderOf))
            {
                // Another name for memory is made outside of the fusion, where it costs nothing.
                bool isName = FusionRoles.Of(node) is FusionRole.Reshape or FusionRole.TupleElement;
                if (isName && !present.Contains(node.Operands[0]))
                {
                    continue;
                }
                members.Add(node);
                present.Add(node);
            }
            foreach (Node operand in members.SelectMany(m => m.Operands))
            {
                if (!present.Contains(operand) && read.Add(operand))
                {
                    reads.Add(operand);
                }
            }
            return new ClusterContent(
                members.ToImmutable(), reads.ToImmutable(), [.. cluster.Stored.Where(present.Contains).OrderBy(graph.OrderOf)]);
        }
    }
}
