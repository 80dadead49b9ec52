using System.Collections.Immutable;

namespace Graphene;

/// <content>Functions: C# code that is traced once and called often.</content>
public sealed partial class Graph
{
    /// <summary>Held while a trace is made or put somewhere, and while a part of the graph is cut out.</summary>
    internal Lock Building { get; } = new();

    private int _traceDepth;

    /// <summary>A function of one tensor.</summary>
    /// <param name="body">Builds the result; run once for each trace.</param>
    /// <param name="name">Its name, in messages and scopes.</param>
    /// <param name="options">When it is traced.</param>
    public Function Function(Func<Tensor, Tensor> body, string name = "function", FunctionOptions? options = null) =>
        Function(x => [body(Exactly(x, 1)[0])], name, options);

    /// <summary>A function of two tensors.</summary>
    /// <inheritdoc cref="Function(Func{Tensor, Tensor}, string, FunctionOptions?)"/>
    public Function Function(Func<Tensor, Tensor, Tensor> body, string name = "function", FunctionOptions? options = null) =>
        Function(x => [body(Exactly(x, 2)[0], x[1])], name, options);

    /// <summary>A function of three tensors.</summary>
    /// <inheritdoc cref="Function(Func{Tensor, Tensor}, string, FunctionOptions?)"/>
    public Function Function(
        Func<Tensor, Tensor, Tensor, Tensor> body, string name = "function", FunctionOptions? options = null) =>
        Function(x => [body(Exactly(x, 3)[0], x[1], x[2])], name, options);

    /// <summary>A function of any number of tensors with any number of results.</summary>
    /// <inheritdoc cref="Function(Func{Tensor, Tensor}, string, FunctionOptions?)"/>
    public Function Function(Func<Tensor[], Tensor[]> body, string name = "function", FunctionOptions? options = null) =>
        new(this, UniqueName(name), body, options ?? new FunctionOptions());

    /// <summary>Runs a function's C# code and records what it builds.</summary>
    internal FunctionTrace Trace(Function function, TensorType[] types, CallSite site)
    {
        Frame caller = Current;
        string scope = _scope;
        // Its own frame under the graph's, wherever the call stands: a trace serves calls in other places, too.
        var frame = new Frame(_root, types);
        Current = frame;
        _scope = function.Name;
        _traceDepth++;
        Node[] results;
        try
        {
            Tensor[] tensors = function.RunBody(frame.Parameters);
            Enter(site);
            results = [.. tensors.Select(frame.Import)];
        }
        finally
        {
            _traceDepth--;
            _scope = scope;
            Current = caller;
        }
        ImmutableArray<Variable> assigned = [.. frame.State.Keys];
        ImmutableArray<FrameInput> captured = [.. frame.Captured];
        Computation body = frame.Close(function.Name, captured, [.. results, .. assigned.Select(v => frame.State[v])]);
        return new FunctionTrace(types, body, captured, assigned);
    }

    /// <summary>Puts a copy of a trace where ops are built now.</summary>
    internal FunctionCall Inline(Function function, FunctionTrace trace, FunctionTrace.Sizes sizes, Node[] arguments, CallSite site)
    {
        GraphBuilder b = Enter(site);
        Node[] operands = [.. arguments, .. trace.Captured.Select(Use)];
        Computation body = Specialization.Renew(trace.Body, sizes.Values, NextOrdinal, b.Provenance);
        Provenance? here = b.CurrentOrigin;
        b.CurrentOrigin = null; // the copies keep the lines of the function's code
        (ImmutableArray<Node> values, ImmutableArray<Node> effects) = ComputationCloner.Inline(body, b, operands);
        b.CurrentOrigin = here;

        var done = new List<Node>();
        foreach (Node effect in effects)
        {
            done.AddRange(AddEffect(effect).Nodes);
        }
        for (int i = 0; i < trace.Assigned.Length; i++)
        {
            Node assignment = Current.Assign(trace.Assigned[i], values[trace.ResultCount + i]);
            if (Current.Parent is null)
            {
                done.AddRange(AddEffect(assignment).Nodes);
            }
        }
        ImmutableArray<Tensor> results = [.. values[..trace.ResultCount].Select(v => Wrap(Needing(b, v, done)))];
        return new FunctionCall(results, new Operation(this, [.. done]));
    }

    /// <summary>Makes placeholders for a trace's arguments and calls it with them, outside of all frames and scopes.</summary>
    internal FunctionEntry MakeEntry(Function function, FunctionTrace trace)
    {
        Frame caller = Current;
        Current = _root;
        try
        {
            var site = new CallSite(null, 0);
            ImmutableArray<Tensor> arguments =
                [.. trace.Types.Select((type, i) => Placeholder(type, null, $"{function.Name}/argument{i}", site))];
            Node[] nodes = [.. arguments.Select(_root.Import)];
            return new FunctionEntry(arguments, Inline(function, trace, FunctionTrace.Sizes.None, nodes, site));
        }
        finally
        {
            Current = caller;
        }
    }

    /// <summary>Refuses to make what belongs to the graph as a whole while a function is traced.</summary>
    internal void RequireNotTracing(string what, GraphBuilder b)
    {
        if (_traceDepth > 0)
        {
            throw new GraphException(
                DiagnosticId.MadeInFunction, $"{what} is made inside a function", $"built in {b.CurrentOrigin}",
                "the function's code runs once for each trace, and each time it would make another",
                "make it outside; the function's code may use it");
        }
    }

    private Node Use(FrameInput input) => input.Node is { } node ? Current.Import(new Tensor(_root, node)) : Current.Read(input.Variable!);

    // In a body effects always happen; in the graph they happen when something needs them.
    private static Node Needing(GraphBuilder b, Node value, List<Node> done) =>
        done.Count == 0 ? value : b.Add(new ControlOp(), [value, .. done]);

    private static Tensor[] Exactly(Tensor[] arguments, int count) => arguments.Length == count
        ? arguments
        : throw new GraphException(
            DiagnosticId.BadArguments, $"a function of {count} tensors was called with {arguments.Length}",
            fix: "pass one tensor for each parameter of its code");
}
