namespace Graphene;

/// <summary>A symbolic graph: what users build, before a session compiles and runs parts of it.</summary>
/// <remarks>
/// Building computes nothing. A run fetches tensors: what they need is cut out of the graph and compiled. Effects (assignments,
/// <c>Print</c>, <c>Assert</c>) happen in a run when a fetch needs them, in the order in which they were built. Not thread-safe
/// while it is built; freely shared after <see cref="Freeze"/>.
/// </remarks>
public sealed partial class Graph
{
    private readonly Frame _root;
    private readonly Dictionary<string, Tensor> _named = new(StringComparer.Ordinal);
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<Node, List<Node>> _attached = new(ReferenceEqualityComparer.Instance);
    private readonly Stack<Node[]> _dependencies = new();
    private readonly List<Variable> _variables = [];
    private string _scope = "";
    private bool _frozen;
    private long _nextOrdinal;

    /// <summary>Creates an empty graph.</summary>
    /// <param name="name">A name for messages and dumps.</param>
    public Graph(string name = "graph")
    {
        Name = name;
        _root = new Frame(this);
        Current = _root;
    }

    /// <summary>The name for messages and dumps.</summary>
    public string Name { get; }

    /// <summary>The variables, in the order of creation.</summary>
    public IReadOnlyList<Variable> Variables => _variables;

    /// <summary>True once <see cref="Freeze"/> was called.</summary>
    public bool IsFrozen => _frozen;

    /// <summary>The scopes in force, joined by slashes; empty outside of all. See <see cref="Scope"/>.</summary>
    public string CurrentScope => _scope;

    /// <summary>Where ops go now: the graph, or the body that is being built.</summary>
    internal Frame Current { get; private set; }

    /// <summary>A tensor that was named: a placeholder, or the result of <see cref="Tensor.Named"/>; null when there is none.</summary>
    public Tensor? Find(string name) => _named.GetValueOrDefault(name);

    /// <summary>Forbids further building: mistakes in code that was meant to run, not to build, show at once.</summary>
    public void Freeze() => _frozen = true;

    /// <summary>Prefixes names and marks what is built until the result is disposed: <c>using (graph.Scope("attention"))</c>.</summary>
    public IDisposable Scope(string name)
    {
        string outer = _scope;
        _scope = outer.Length == 0 ? name : $"{outer}/{name}";
        return new Restore(() => _scope = outer);
    }

    /// <summary>Whatever needs a tensor that is built until the result is disposed also does these operations first.</summary>
    public IDisposable ControlDependencies(params ReadOnlySpan<Operation> operations)
    {
        var nodes = new List<Node>();
        foreach (Operation operation in operations)
        {
            nodes.AddRange(operation.Nodes);
        }
        _dependencies.Push([.. nodes]);
        return new Restore(() => _dependencies.Pop());
    }

    /// <summary>Several operations as one.</summary>
    public Operation Group(params ReadOnlySpan<Operation> operations)
    {
        var nodes = new List<Node>();
        foreach (Operation operation in operations)
        {
            nodes.AddRange(operation.Nodes);
        }
        return new Operation(this, [.. nodes]);
    }

    /// <summary>Builds ops from tensors, in the current frame, at a line of the user's code.</summary>
    internal Node[] Build(CallSite site, ReadOnlySpan<Tensor> operands, Func<GraphBuilder, Node[], Node[]> build)
    {
        GraphBuilder builder = Enter(site);
        var nodes = new Node[operands.Length];
        for (int i = 0; i < nodes.Length; i++)
        {
            nodes[i] = Current.Import(operands[i]);
        }
        return build(builder, nodes);
    }

    /// <summary>The builder of the current frame, after telling it the user's line.</summary>
    internal GraphBuilder Enter(CallSite site)
    {
        Provenance origin = site.ToProvenance(_scope);
        if (_frozen)
        {
            throw new GraphException(
                DiagnosticId.GraphFrozen, $"graph '{Name}' is frozen and takes no more ops", $"built in {origin}",
                fix: "build everything before Freeze, or do not freeze");
        }
        Current.Builder.CurrentOrigin = origin;
        return Current.Builder;
    }

    /// <summary>A tensor for a node of the current frame, which needs the control dependencies in force.</summary>
    internal Tensor Wrap(Node node)
    {
        if (Current.Parent is not null || _dependencies.Count == 0)
        {
            return new Tensor(Current, node);
        }
        Node[] needed = [.. _dependencies.SelectMany(n => n).Distinct()];
        return new Tensor(Current, needed.Length == 0 ? node : Current.Builder.Add(new ControlOp(), [node, .. needed]));
    }

    /// <summary>An effect: in a body it always happens; in the graph when a fetch needs it.</summary>
    internal Operation AddEffect(Node node)
    {
        if (Current.Parent is not null)
        {
            Current.Effects.Add(node);
            return new Operation(this, []);
        }
        if (_dependencies.Count > 0)
        {
            Attach(node, _dependencies.SelectMany(n => n));
        }
        return new Operation(this, [node]);
    }

    /// <summary>Whatever needs <paramref name="node"/> also needs the others.</summary>
    internal void Attach(Node node, IEnumerable<Node> needed)
    {
        if (!_attached.TryGetValue(node, out List<Node>? list))
        {
            _attached.Add(node, list = []);
        }
        list.AddRange(needed);
    }

    /// <summary>A name with the scope in front of it, made different from all others.</summary>
    internal string UniqueName(string name)
    {
        string full = _scope.Length == 0 ? name : $"{_scope}/{name}";
        string unique = full;
        for (int i = 1; !_names.Add(unique); i++)
        {
            unique = $"{full}_{i}";
        }
        return unique;
    }

    internal void Register(string name, Tensor tensor) => _named[name] = tensor;

    internal long NextOrdinal() => _nextOrdinal++;

    private sealed class Restore(Action undo) : IDisposable
    {
        private Action? _undo = undo;

        public void Dispose()
        {
            _undo?.Invoke();
            _undo = null;
        }
    }
}
