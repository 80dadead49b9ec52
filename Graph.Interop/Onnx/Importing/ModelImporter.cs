using System.Runtime.ExceptionServices;
using Graphene.Interop.Onnx.Operators;
using Graphene.Interop.Onnx.Reading;
using Graphene.Interop.Onnx.Schema;

namespace Graphene.Interop.Onnx.Importing;

/// <summary>Walks over the nodes of a model and has each imported by the row of its operator.</summary>
/// <remarks>
/// First the whole model is checked: names, order, and that every operator is known. Then nodes are imported in order; functions
/// are imported in place, as if their nodes stood in the graph.
/// </remarks>
internal sealed class ModelImporter
{
    private const int MaxCallDepth = 64;
    private const long BytesWorthThreads = 64 << 10;

    private readonly OnnxModelFile _file;
    private readonly OnnxImportOptions _options;
    private readonly ModelInventory _inventory;
    private readonly ModelInputs _inputs;
    private readonly ProvenanceTable _provenance = new();
    private readonly string _fileName;
    private int _nodeCount;
    private int _callDepth;

    public ModelImporter(OnnxModelFile file, OnnxImportOptions options)
    {
        _file = file;
        _options = options;
        _inventory = new ModelInventory(file);
        _inputs = new ModelInputs(options);
        _fileName = Path.GetFileName(file.Name);
        Constants = new ConstantEvaluator(options);
    }

    /// <summary>Computes values at import.</summary>
    public ConstantEvaluator Constants { get; }

    /// <summary>Reads tensors in attributes.</summary>
    public TensorReader Tensors => _file.Tensors;

    /// <summary>Imports the model.</summary>
    public OnnxModel Import()
    {
        UnsupportedOperators unsupported = _inventory.FindUnsupported();
        if (!unsupported.IsEmpty)
        {
            throw unsupported.Error(_file.Name);
        }
        GraphProto graph = _file.Model.Graph;
        var stored = new HashSet<string>(StoredNames(graph), StringComparer.Ordinal);
        var region = new Region(null, _provenance);
        var ports = new List<OnnxPort>();
        var values = new List<OnnxValue>();
        foreach (ValueInfoProto info in graph.Input.Where(i => !stored.Contains(i.Name)))
        {
            OnnxPort port = _inputs.Read(info);
            Node parameter = region.AddParameter(port.Type);
            Constants.AddInput(parameter, port.Name);
            ports.Add(port);
            values.Add(OnnxValue.FromNode(region, parameter, port.ElementType));
        }
        _inputs.RequireAllUsed();
        var frame = new Frame(new OperatorSets(_file.Model.OpsetImport, _file.Name), null, "");
        IReadOnlyList<OnnxValue> results = ImportGraph(graph, region, new NameScope(), values, frame);
        region.Builder.CurrentOrigin = null;
        Node[] nodes = [.. results.Select(region.NodeOf)];
        OnnxPort[] outputs = [.. results.Zip(graph.Output, nodes).Select(
            r => new OnnxPort(r.Second.Name, r.First.Type, r.Third.Type))];
        CheckDeclaredTypes(graph, outputs);
        Computation entry = region.Builder.Build(graph.Name.Length == 0 ? "main" : graph.Name, nodes);
        var module = new Module(
            Path.GetFileNameWithoutExtension(_file.Name), entry, [.. ports.Select(p => p.Name)], [.. outputs.Select(o => o.Name)],
            _provenance);
        return new OnnxModel(module, ports, outputs, [.. Constants.UsedInputs], _options.Dims);
    }

    /// <summary>Imports a subgraph into a region.</summary>
    /// <param name="graph">The subgraph.</param>
    /// <param name="region">Where its nodes go.</param>
    /// <param name="call">The node that carries it; its names are visible inside.</param>
    /// <param name="inputs">The values of the subgraph's inputs.</param>
    public IReadOnlyList<OnnxValue> ImportSubgraph(
        GraphProto graph, Region region, OperatorCall call, IReadOnlyList<OnnxValue> inputs)
    {
        Provenance? origin = region.Builder.CurrentOrigin;
        IReadOnlyList<OnnxValue> results = ImportGraph(graph, region, new NameScope(call.Names), inputs, call.Frame);
        region.Builder.CurrentOrigin = origin;
        return results;
    }

    private IReadOnlyList<OnnxValue> ImportGraph(
        GraphProto graph, Region region, NameScope names, IReadOnlyList<OnnxValue> inputs, Frame frame)
    {
        var stored = new HashSet<string>(StoredNames(graph), StringComparer.Ordinal);
        string[] inputNames = [.. graph.Input.Select(i => i.Name).Where(name => !stored.Contains(name))];
        if (inputNames.Length != inputs.Count)
        {
            throw new GraphException(
                OnnxDiagnosticIds.BadGraph, $"onnx: a subgraph with {inputNames.Length} inputs is given {inputs.Count} values",
                $"graph '{GraphOrder.Shorten(graph.Name)}'", "the operator decides how many inputs its subgraph has", "export again");
        }
        for (int i = 0; i < inputNames.Length; i++)
        {
            names.Define(inputNames[i], inputs[i]);
        }
        IReadOnlyList<NodeProto> nodes = _inventory.OrderOf(graph);
        DefineStored(graph, nodes, names);
        foreach (NodeProto node in nodes)
        {
            ImportNode(node, region, names, frame);
        }
        return [.. graph.Output.Select(o => names.Find(o.Name)!)];
    }

    // Only what is used is read: files may hold much more than the outputs need.
    private void DefineStored(GraphProto graph, IReadOnlyList<NodeProto> nodes, NameScope names)
    {
        var used = new HashSet<string>(nodes.SelectMany(GraphOrder.Uses), StringComparer.Ordinal);
        used.UnionWith(graph.Output.Select(o => o.Name));
        var literals = new List<Literal>();
        foreach (TensorProto tensor in graph.Initializer.Where(t => used.Contains(t.Name)))
        {
            StoredTensor stored = Tensors.Read(tensor, $"tensor '{GraphOrder.Shorten(tensor.Name)}'");
            literals.Add(DefineStored(names, stored, tensor.Name));
        }
        HashLarge(literals);
        foreach (SparseTensorProto sparse in graph.SparseInitializer.Where(t => used.Contains(t.Values?.Name ?? "")))
        {
            string name = sparse.Values.Name;
            DefineStored(names, Tensors.ReadSparse(sparse, $"tensor '{GraphOrder.Shorten(name)}'"), name);
        }
    }

    private static Literal DefineStored(NameScope names, StoredTensor tensor, string name)
    {
        Literal literal = OnnxTypes.ToLiteral(tensor);
        names.Define(name, OnnxValue.FromLiteral(literal, tensor.Format.Type));
        return literal;
    }

    // The builder will ask for the hash of every constant, one after another; all processors compute them now.
    private static void HashLarge(IEnumerable<Literal> literals)
    {
        try
        {
            Parallel.ForEach(literals.Where(l => l.SizeInBytes >= BytesWorthThreads), literal => _ = literal.ContentHash);
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }
    }

    private void ImportNode(NodeProto node, Region region, NameScope names, Frame frame)
    {
        if (++_nodeCount > _options.MaxNodes)
        {
            throw OnnxErrors.TooLarge(_file.Name, $"it has more than {_options.MaxNodes} nodes, counting those of functions");
        }
        string name = node.Name.Length > 0 ? node.Name : node.Output.FirstOrDefault(o => o.Length > 0) ?? node.OpType;
        string where = $"{GraphOrder.Label(node)} in {_fileName}";
        region.Builder.CurrentOrigin = new Provenance(
            GraphOrder.Shorten(name), _fileName, Scope: frame.Scope.Length == 0 ? null : frame.Scope);
        OnnxValue?[] inputs = [.. node.Input.Select(i => i.Length == 0 ? null : names.Find(i))];
        var attributes = new AttributeSet(node, frame.Attributes, where);
        if (_inventory.FindFunction(node) is { } function)
        {
            ImportFunction(function, node, attributes, inputs, region, names, frame);
            return;
        }
        string domain = OnnxModelFile.NormalDomain(node.Domain);
        long version = frame.Sets.VersionOf(domain);
        OperatorRow row = OperatorTable.Find(domain, node.OpType, version)!;
        var call = new OperatorCall(this, region, names, node, attributes, frame, version, inputs, where);
        try
        {
            if (!ShapeArithmetic.TryApply(call))
            {
                row.Import(call);
            }
        }
        catch (OverflowException e)
        {
            throw call.Bad($"a dimension of {node.OpType} leaves the range of 64 bits", e.Message);
        }
        for (int i = 0; i < node.Output.Count; i++)
        {
            if (call.Wants(i))
            {
                names.Define(node.Output[i], call.Outputs[i] ?? throw call.Bad(
                    $"{node.OpType} has no output {i}", "the node lists more outputs than the operator gives"));
            }
        }
    }

    private void ImportFunction(
        FunctionProto function, NodeProto node, AttributeSet attributes, OnnxValue?[] inputs, Region region, NameScope names,
        Frame frame)
    {
        if (++_callDepth > MaxCallDepth)
        {
            throw OnnxErrors.TooLarge(_file.Name, $"its functions call each other more than {MaxCallDepth} deep");
        }
        var inner = new NameScope();
        for (int i = 0; i < Math.Min(inputs.Length, function.Input.Count); i++)
        {
            if (inputs[i] is { } value)
            {
                inner.Define(function.Input[i], value);
            }
        }
        string scope = $"{frame.Scope}{(frame.Scope.Length == 0 ? "" : "/")}{GraphOrder.Shorten(function.Name)}";
        var body = new Frame(
            function.OpsetImport.Count == 0 ? frame.Sets : new OperatorSets(function.OpsetImport, _file.Name),
            attributes.WithDefaults(function.AttributeProto), scope);
        foreach (NodeProto step in _inventory.OrderOf(function))
        {
            ImportNode(step, region, inner, body);
        }
        for (int i = 0; i < Math.Min(node.Output.Count, function.Output.Count); i++)
        {
            if (node.Output[i].Length > 0 && inner.Find(function.Output[i]) is { } value)
            {
                names.Define(node.Output[i], value);
            }
        }
        _callDepth--;
    }

    private void CheckDeclaredTypes(GraphProto graph, OnnxPort[] outputs)
    {
        for (int i = 0; i < outputs.Length; i++)
        {
            int declared = graph.Output[i].Type?.TensorType?.ElemType ?? 0;
            if (declared != 0 && declared != (int)outputs[i].ElementType)
            {
                string computed = ElementFormat.NameOf((int)outputs[i].ElementType);
                throw new GraphException(
                    OnnxDiagnosticIds.BadGraph,
                    $"onnx: output '{GraphOrder.Shorten(outputs[i].Name)}' is declared as {ElementFormat.NameOf(declared)}",
                    _file.Name, $"the graph computes {computed}", "export the model again");
            }
        }
    }

    /// <summary>The names of a graph's stored tensors.</summary>
    internal static IEnumerable<string> StoredNames(GraphProto graph) =>
        graph.Initializer.Select(t => t.Name).Concat(graph.SparseInitializer.Select(t => t.Values?.Name ?? ""));
}

/// <summary>What surrounds the nodes of a graph or function body.</summary>
/// <param name="Sets">The operator set versions.</param>
/// <param name="Attributes">In a function, the attributes of the call.</param>
/// <param name="Scope">The functions called, for provenance.</param>
internal sealed record Frame(OperatorSets Sets, AttributeSet? Attributes, string Scope);
