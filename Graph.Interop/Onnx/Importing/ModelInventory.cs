using Graphene.Interop.Onnx.Operators;
using Graphene.Interop.Onnx.Schema;

namespace Graphene.Interop.Onnx.Importing;

/// <summary>Goes over a whole model before anything is imported: graph structure, functions, and operators that are missing.</summary>
/// <remarks>Missing is what an output needs and no row or function covers, inside subgraphs and functions too.</remarks>
internal sealed class ModelInventory
{
    private const int MaxFunctionDepth = 64;

    private readonly OnnxModelFile _file;
    private readonly Dictionary<(string Domain, string Name, string Overload), FunctionProto> _functions = [];
    private readonly Dictionary<object, IReadOnlyList<NodeProto>> _orders = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<FunctionProto> _visited = new(ReferenceEqualityComparer.Instance);
    private readonly Stack<FunctionProto> _open = new();
    private readonly UnsupportedOperators _unsupported = new();

    public ModelInventory(OnnxModelFile file)
    {
        _file = file;
        foreach (FunctionProto function in file.Model.Functions)
        {
            _functions[(OnnxModelFile.NormalDomain(function.Domain), function.Name, function.Overload)] = function;
        }
    }

    /// <summary>The model's function that a node calls, or null when it is an operator.</summary>
    public FunctionProto? FindFunction(NodeProto node) =>
        _functions.GetValueOrDefault((OnnxModelFile.NormalDomain(node.Domain), node.OpType, node.Overload));

    /// <summary>The needed nodes of a graph that <see cref="FindUnsupported"/> has seen, in order.</summary>
    public IReadOnlyList<NodeProto> OrderOf(GraphProto graph) => _orders[graph];

    /// <summary>The needed nodes of a function that <see cref="FindUnsupported"/> has seen, in order.</summary>
    public IReadOnlyList<NodeProto> OrderOf(FunctionProto function) => _orders[function];

    /// <summary>Checks the structure of all graphs and collects the operators that are missing.</summary>
    /// <exception cref="GraphException">GR4005, GR4008: a version is not known, or names do not form a graph.</exception>
    public UnsupportedOperators FindUnsupported()
    {
        var sets = new OperatorSets(_file.Model.OpsetImport, _file.Name);
        VisitGraph(_file.Model.Graph, new OuterNames(null, []), sets);
        return _unsupported;
    }

    private void VisitGraph(GraphProto graph, OuterNames outer, OperatorSets sets)
    {
        string where = $"graph '{GraphOrder.Shorten(graph.Name)}'";
        var given = new HashSet<string>(ModelImporter.StoredNames(graph), StringComparer.Ordinal);
        foreach (ValueInfoProto input in graph.Input)
        {
            given.Add(input.Name);
        }
        RequireUnique(graph, where);
        _orders[graph] = GraphOrder.Sort(graph.Node, given, graph.Output.Select(o => o.Name), outer.Contains, where);
        given.UnionWith(graph.Node.SelectMany(n => n.Output));
        VisitNodes(_orders[graph], new OuterNames(outer, given), sets);
    }

    private void VisitFunction(FunctionProto function, OperatorSets callerSets)
    {
        if (_open.Contains(function) || _open.Count >= MaxFunctionDepth)
        {
            throw new GraphException(
                OnnxDiagnosticIds.BadGraph,
                $"onnx: function '{GraphOrder.Shorten(function.Name)}' "
                    + (_open.Contains(function) ? "calls itself" : "is called too deeply"),
                _file.Name, $"functions are imported in place, at most {MaxFunctionDepth} deep", "export the model again");
        }
        if (!_visited.Add(function))
        {
            return;
        }
        _open.Push(function);
        var given = new HashSet<string>(function.Input, StringComparer.Ordinal);
        _orders[function] = GraphOrder.Sort(
            function.Node, given, function.Output, _ => false, $"function '{GraphOrder.Shorten(function.Name)}'");
        given.UnionWith(function.Node.SelectMany(n => n.Output));
        OperatorSets sets = function.OpsetImport.Count == 0 ? callerSets : new OperatorSets(function.OpsetImport, _file.Name);
        VisitNodes(_orders[function], new OuterNames(null, given), sets);
        _open.Pop();
    }

    private void VisitNodes(IReadOnlyList<NodeProto> nodes, OuterNames names, OperatorSets sets)
    {
        foreach (NodeProto node in nodes)
        {
            if (FindFunction(node) is { } function)
            {
                VisitFunction(function, sets);
                continue;
            }
            string domain = OnnxModelFile.NormalDomain(node.Domain);
            long version = sets.VersionOf(domain);
            if (OperatorTable.Find(domain, node.OpType, version) is null)
            {
                string name = domain.Length == 0 ? node.OpType : $"{domain}.{node.OpType}";
                bool known = OperatorTable.Find(domain, node.OpType, long.MaxValue) is not null;
                _unsupported.Add(
                    $"{GraphOrder.Shorten(name)}{(known ? $" (as of version {version})" : "")}",
                    node.Name.Length > 0 ? node.Name : node.Output.FirstOrDefault() ?? "?");
            }
            foreach (GraphProto subgraph in node.Attribute.SelectMany(GraphOrder.Graphs))
            {
                VisitGraph(subgraph, names, sets);
            }
        }
    }

    private static void RequireUnique(GraphProto graph, string where)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        string? twice = ModelImporter.StoredNames(graph).FirstOrDefault(name => !seen.Add(name));
        if (twice is null)
        {
            seen.Clear();
            twice = graph.Input.Select(i => i.Name).FirstOrDefault(name => !seen.Add(name));
        }
        if (twice is not null)
        {
            throw new GraphException(
                OnnxDiagnosticIds.BadGraph, $"onnx: the value '{GraphOrder.Shorten(twice)}' is defined twice", where,
                "every input and stored tensor needs a name of its own", "export the model again");
        }
    }

    private sealed class OuterNames(OuterNames? outer, HashSet<string> names)
    {
        private readonly OuterNames? _outer = outer;
        private readonly HashSet<string> _names = names;

        public bool Contains(string name)
        {
            for (OuterNames? scope = this; scope is not null; scope = scope._outer)
            {
                if (scope._names.Contains(name))
                {
                    return true;
                }
            }
            return false;
        }
    }
}
