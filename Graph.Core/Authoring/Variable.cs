using System.Runtime.CompilerServices;

namespace Graphene;

/// <summary>State outside of the graph, with a fixed type: a session holds its value, the graph reads and assigns it.</summary>
/// <remarks>
/// A read gives the value after the assignments that were built before it and that the same run does. When the graph is lowered
/// a variable becomes an input, and an output where it is assigned, that may share their memory.
/// </remarks>
public sealed class Variable
{
    internal Variable(Graph graph, string name, Literal initialValue, bool trainable)
    {
        Graph = graph;
        Name = name;
        InitialValue = initialValue;
        Trainable = trainable;
    }

    /// <summary>The graph it belongs to.</summary>
    public Graph Graph { get; }

    /// <summary>Its name, different from all others of the graph.</summary>
    public string Name { get; }

    /// <summary>The value before the first assignment.</summary>
    public Literal InitialValue { get; }

    /// <summary>True when an optimizer may change it.</summary>
    public bool Trainable { get; }

    /// <summary>Element type and shape.</summary>
    public TensorType Type => InitialValue.Type;

    internal int Version { get; set; }

    /// <summary>The value at this point.</summary>
    public Tensor Read([CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        Graph.Enter(new CallSite(file, line));
        return Graph.Wrap(Graph.Current.Read(this));
    }

    /// <summary>Gives it a value.</summary>
    /// <returns>The operation; inside a branch or loop body the assignment happens whenever the body runs.</returns>
    /// <exception cref="GraphException">GR1507: the value has another type.</exception>
    public Operation Assign(Tensor value, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        GraphBuilder b = Graph.Enter(new CallSite(file, line));
        Node node = Graph.Current.Import(value);
        if (!node.Type.Equals(Type))
        {
            throw new GraphException(
                DiagnosticId.BadAssignment, $"variable '{Name}' is {Type}, it cannot take {node.Type}",
                $"built in {b.CurrentOrigin}", "a variable keeps its element type and shape", "cast or reshape the value");
        }
        Node assignment = Graph.Current.Assign(this, node);
        return Graph.Current.Parent is null ? Graph.AddEffect(assignment) : new Operation(Graph, []);
    }

    /// <summary>Adds to it.</summary>
    public Operation AssignAdd(Tensor delta, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Assign(Read(file, line).Add(delta, file, line), file, line);

    /// <summary>Subtracts from it.</summary>
    public Operation AssignSub(Tensor delta, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Assign(Read(file, line).Sub(delta, file, line), file, line);

    /// <summary>Adds rows to it, and touches no others.</summary>
    public Operation AssignAdd(IndexedSlices delta, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        GraphBuilder b = Graph.Enter(new CallSite(file, line));
        return Assign(Graph.Wrap(delta.AddTo(b, Graph.Current.Read(this))), file, line);
    }

    /// <summary>As in messages: name and type.</summary>
    public override string ToString() => $"variable '{Name}' {Type}";
}
