using Graphene.Interop.Onnx.Schema;

namespace Graphene.Interop.Onnx.Importing;

/// <summary>
/// Checks that the names of a graph form a graph, and puts its nodes in an order in which each comes after those it uses. Nodes
/// that no output needs are left out.
/// </summary>
/// <remarks>
/// Most files list their nodes in such an order already, but not all exporters do. A value used inside a subgraph is used by the
/// node that carries the subgraph.
/// </remarks>
internal static class GraphOrder
{
    /// <summary>The needed nodes of a graph or function body, in order.</summary>
    /// <param name="nodes">The nodes of the file.</param>
    /// <param name="given">Names that have a value before any node runs: inputs and stored tensors.</param>
    /// <param name="outputs">The names of the outputs.</param>
    /// <param name="isOuter">Tells whether a graph around this one has a value of a name.</param>
    /// <param name="where">How errors call the graph.</param>
    /// <exception cref="GraphException">GR4008: a name is missing, defined twice, or part of a cycle.</exception>
    public static IReadOnlyList<NodeProto> Sort(
        IReadOnlyList<NodeProto> nodes, IReadOnlySet<string> given, IEnumerable<string> outputs, Func<string, bool> isOuter,
        string where)
    {
        Dictionary<string, int> producers = Producers(nodes, given, where);
        var uses = new int[nodes.Count][];
        for (int i = 0; i < nodes.Count; i++)
        {
            uses[i] = [.. Uses(nodes[i])
                .Select(name => Producer(producers, given, isOuter, name, $"{Label(nodes[i])} in {where}"))
                .Where(p => p >= 0).Distinct()];
        }
        int[] roots = [.. outputs
            .Select(name => Producer(producers, given, isOuter, name, $"the outputs of {where}")).Where(p => p >= 0)];
        bool[] needed = Needed(uses, roots);
        return Order(nodes, uses, needed, where);
    }

    /// <summary>How messages call a node: its name when it has one, and its operator.</summary>
    public static string Label(NodeProto node)
    {
        string name = node.Name.Length > 0 ? node.Name : node.Output.FirstOrDefault(o => o.Length > 0) ?? "?";
        return $"node '{Shorten(name)}' ({Shorten(node.OpType)})";
    }

    /// <summary>A name from a file, short enough for a message.</summary>
    public static string Shorten(string name) => name.Length <= 120 ? name : name[..117] + "...";

    /// <summary>All names that a node uses, inside of its subgraphs too.</summary>
    public static IEnumerable<string> Uses(NodeProto node)
    {
        IEnumerable<string> own = node.Input.Where(name => name.Length > 0);
        return node.Attribute.Any(HasGraph) ? own.Concat(node.Attribute.SelectMany(Graphs).SelectMany(FreeNames)) : own;
    }

    /// <summary>The graphs of an attribute.</summary>
    public static IEnumerable<GraphProto> Graphs(AttributeProto attribute) =>
        attribute.G is null ? attribute.Graphs : attribute.Graphs.Prepend(attribute.G);

    private static bool HasGraph(AttributeProto attribute) => attribute.G is not null || attribute.Graphs.Count > 0;

    // Names that a subgraph uses but does not define. The file reader has bounded how deep subgraphs nest.
    private static IEnumerable<string> FreeNames(GraphProto graph)
    {
        var defined = new HashSet<string>(StringComparer.Ordinal);
        defined.UnionWith(graph.Input.Select(i => i.Name));
        defined.UnionWith(graph.Initializer.Select(t => t.Name));
        defined.UnionWith(graph.SparseInitializer.Select(t => t.Values?.Name ?? ""));
        defined.UnionWith(graph.Node.SelectMany(n => n.Output));
        return graph.Node.SelectMany(Uses).Concat(graph.Output.Select(o => o.Name)).Where(name => !defined.Contains(name));
    }

    private static Dictionary<string, int> Producers(IReadOnlyList<NodeProto> nodes, IReadOnlySet<string> given, string where)
    {
        var producers = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int i = 0; i < nodes.Count; i++)
        {
            foreach (string name in nodes[i].Output.Where(name => name.Length > 0))
            {
                if (given.Contains(name) || !producers.TryAdd(name, i))
                {
                    throw Error(
                        $"the value '{Shorten(name)}' is defined twice", $"{Label(nodes[i])} in {where}",
                        "every input, stored tensor and node output needs a name of its own");
                }
            }
        }
        return producers;
    }

    private static int Producer(
        Dictionary<string, int> producers, IReadOnlySet<string> given, Func<string, bool> isOuter, string name, string user)
    {
        if (producers.TryGetValue(name, out int producer))
        {
            return producer;
        }
        return given.Contains(name) || isOuter(name)
            ? -1
            : throw Error($"the value '{Shorten(name)}' does not exist", user, "no input, stored tensor or node output has this name");
    }

    private static bool[] Needed(int[][] uses, int[] roots)
    {
        var needed = new bool[uses.Length];
        var stack = new Stack<int>(roots);
        while (stack.TryPop(out int node))
        {
            if (!needed[node])
            {
                needed[node] = true;
                foreach (int used in uses[node])
                {
                    stack.Push(used);
                }
            }
        }
        return needed;
    }

    // Depth first from the first node of the file on, so that an order that is right already stays as it is.
    private static List<NodeProto> Order(IReadOnlyList<NodeProto> nodes, int[][] uses, bool[] needed, string where)
    {
        var order = new List<NodeProto>();
        var state = new State[nodes.Count];
        var stack = new Stack<(int Node, int Next)>();
        for (int root = 0; root < nodes.Count; root++)
        {
            if (needed[root] && state[root] == State.New)
            {
                state[root] = State.Open;
                stack.Push((root, 0));
            }
            while (stack.TryPop(out (int Node, int Next) top))
            {
                if (top.Next == uses[top.Node].Length)
                {
                    state[top.Node] = State.Done;
                    order.Add(nodes[top.Node]);
                    continue;
                }
                stack.Push((top.Node, top.Next + 1));
                int used = uses[top.Node][top.Next];
                if (state[used] == State.Open)
                {
                    throw Cycle(nodes, [.. stack.Select(s => s.Node)], used, where);
                }
                if (state[used] == State.New)
                {
                    state[used] = State.Open;
                    stack.Push((used, 0));
                }
            }
        }
        return order;
    }

    private static GraphException Cycle(IReadOnlyList<NodeProto> nodes, int[] path, int closing, string where)
    {
        const int shown = 5;
        int[] cycle = path[..(Array.IndexOf(path, closing) + 1)];
        string names = string.Join(" <- ", cycle.Take(shown).Select(i => Label(nodes[i])));
        return Error(
            "the graph has a cycle", where,
            $"each of these uses the next, and the last the first: {names}{(cycle.Length > shown ? " <- ..." : "")}");
    }

    private static GraphException Error(string what, string where, string why) =>
        new(OnnxDiagnosticIds.BadGraph, $"onnx: {what}", where, why, "export the model again");

    private enum State : byte
    {
        New,
        Open,
        Done,
    }
}
