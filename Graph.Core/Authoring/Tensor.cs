using System.Runtime.CompilerServices;

namespace Graphene;

/// <summary>A value of a graph: not numbers yet, but where they will come from.</summary>
/// <remarks>
/// Operators and methods add to the graph and check types and shapes at once: an error names the line that made it. Two operands
/// broadcast as in NumPy. Element types are never converted by themselves; only a C# number takes the tensor's element type.
/// Axes may be negative, counted from the end.
/// </remarks>
public sealed partial class Tensor
{
    private readonly string? _name;

    internal Tensor(Frame frame, Node node, string? name = null)
    {
        Frame = frame;
        Node = node;
        _name = name;
    }

    /// <summary>The graph it belongs to.</summary>
    public Graph Graph => Frame.Graph;

    /// <summary>Element type and shape.</summary>
    public TensorType Type => Node.Type;

    /// <summary>The element type.</summary>
    public DType DType => Node.DType;

    /// <summary>The shape; sizes may be symbolic.</summary>
    public Shape Shape => Node.Shape;

    /// <summary>The number of dimensions.</summary>
    public int Rank => Node.Rank;

    /// <summary>The name it was given, or one made from its op.</summary>
    public string Name => _name ?? $"{Node.Op.Name}_{Node.Id}";

    internal Frame Frame { get; }

    internal Node Node { get; }

    /// <summary>The same value under a name, by which it can be found and fetched.</summary>
    public Tensor Named(string name)
    {
        string unique = Graph.UniqueName(name);
        var named = new Tensor(Frame, Node, unique);
        Graph.Register(unique, named);
        return named;
    }

    /// <summary>The same value; whoever needs it also writes a message and the value to the log of the run.</summary>
    public Tensor Print(string message, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        Operation print = Graph.Print(message, [this], file, line);
        using (Graph.ControlDependencies(print))
        {
            return Graph.Wrap(Graph.Current.Import(this));
        }
    }

    /// <summary>The same value; whoever needs it also hands it to whoever listens to the session's taps.</summary>
    /// <param name="name">The name that it is handed over by.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    public Tensor Tap(string name, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        Operation tap = Graph.Tap(name, this, file, line);
        using (Graph.ControlDependencies(tap))
        {
            return Graph.Wrap(Graph.Current.Import(this));
        }
    }

    /// <summary>As in messages: name and type.</summary>
    public override string ToString() => $"tensor '{Name}' {Type}";

    private Tensor Apply(Func<GraphBuilder, Node, Node> build, string file, int line) =>
        Graph.Wrap(Graph.Build(new CallSite(file, line), [this], (b, x) => [build(b, x[0])])[0]);

    private Tensor Apply(Tensor other, Func<GraphBuilder, Node, Node, Node> build, string file, int line) =>
        Graph.Wrap(Graph.Build(new CallSite(file, line), [this, other], (b, x) => [build(b, x[0], x[1])])[0]);

    private Tensor Apply(
        Tensor second, Tensor third, Func<GraphBuilder, Node, Node, Node, Node> build, string file, int line) =>
        Graph.Wrap(Graph.Build(new CallSite(file, line), [this, second, third], (b, x) => [build(b, x[0], x[1], x[2])])[0]);

    // Operands after the first may be null; the function gets null in their place.
    private Tensor ApplyOptional(Tensor?[] others, Func<GraphBuilder, Node, Node?[], Node> build, string file, int line)
    {
        Tensor[] operands = [this, .. others.OfType<Tensor>()];
        return Graph.Wrap(Graph.Build(new CallSite(file, line), operands, (b, x) =>
        {
            int next = 1;
            return [build(b, x[0], Array.ConvertAll(others, o => o is null ? null : x[next++]))];
        })[0]);
    }

    private Tensor[] ApplyMany(Func<GraphBuilder, Node, Node[]> build, string file, int line) =>
        Array.ConvertAll(Graph.Build(new CallSite(file, line), [this], (b, x) => build(b, x[0])), Graph.Wrap);
}
