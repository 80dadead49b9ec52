using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace Graphene;

/// <summary>A C# function of tensors that is called often and traced seldom.</summary>
/// <remarks>
/// <para>
/// The first call runs the C# code once with tensors that stand for the arguments, which records what it builds: a trace. Later calls
/// with arguments of the same types put a copy of the recorded ops in the place of the call and run no C# code. Whatever C# values the
/// code reads are constants of a trace; variables are read and assigned anew by each call; tensors of the graph that it
/// uses are captured.
/// </para>
/// <para>
/// It is called with tensors of its graph, also within branches, loops and other functions, or with values through a
/// session. Calls from several threads take turns. docs/guide/functions.md says when a call is traced again.
/// </para>
/// </remarks>
public sealed class Function
{
    private readonly Func<Tensor[], Tensor[]> _body;
    private readonly FunctionOptions _options;
    private readonly LinkedList<FunctionTrace> _traces = new(); // most recently used first
    private bool _isTracing;

    internal Function(Graph graph, string name, Func<Tensor[], Tensor[]> body, FunctionOptions options)
    {
        Graph = graph;
        Name = name;
        _body = body;
        _options = options.Checked();
    }

    /// <summary>The graph that it belongs to.</summary>
    public Graph Graph { get; }

    /// <summary>Its name, in messages and scopes.</summary>
    public string Name { get; }

    /// <summary>How often the C# code was run.</summary>
    public int TraceCount { get; private set; }

    /// <summary>Why the C# code was run the last time; null before the first call.</summary>
    public string? LastTraceCause { get; private set; }

    /// <summary>Calls a function with one result.</summary>
    /// <param name="argument">Its first argument.</param>
    /// <param name="arguments">Its other arguments.</param>
    /// <returns>The result; whoever needs it also does what the function does besides.</returns>
    /// <exception cref="GraphException">The arguments do not fit, or it was traced too often.</exception>
    public Tensor this[Tensor argument, params ReadOnlySpan<Tensor> arguments]
    {
        get
        {
            var site = CallSite.OfOperator(); // an indexer cannot ask the compiler for its caller's line, either
            return Single(Call([argument, .. arguments], site.File ?? "", site.Line).Results);
        }
    }

    /// <summary>Calls the function.</summary>
    /// <param name="arguments">Tensors of its graph.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    /// <returns>Its results and what it does besides.</returns>
    /// <exception cref="GraphException">The arguments do not fit, or it was traced too often.</exception>
    public FunctionCall Call(
        IReadOnlyList<Tensor> arguments, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        var site = new CallSite(file, line);
        lock (Graph.Building)
        {
            Graph.Enter(site);
            Node[] nodes = [.. arguments.Select(Graph.Current.Import)];
            TensorType[] types = [.. nodes.Select(n => n.Type)];
            (FunctionTrace trace, FunctionTrace.Sizes sizes) = Find(types, site);
            return Graph.Inline(this, trace, sizes, nodes, site);
        }
    }

    /// <summary>
    /// The part of the graph that a session runs for arguments of some types: placeholders, and what a call with them gives.
    /// </summary>
    /// <param name="types">The arguments' types, with static shapes.</param>
    /// <exception cref="GraphException">The arguments do not fit, or it was traced too often.</exception>
    public FunctionEntry EntryFor(IReadOnlyList<TensorType> types)
    {
        lock (Graph.Building)
        {
            var site = new CallSite(null, 0);
            (FunctionTrace trace, _) = Find([.. types], site);
            return trace.Entry ??= Graph.MakeEntry(this, trace);
        }
    }

    /// <summary>As in messages.</summary>
    public override string ToString() => $"function '{Name}'";

    internal Tensor[] RunBody(Tensor[] arguments)
    {
        if (_isTracing)
        {
            throw new GraphException(
                DiagnosticId.RecursiveFunction, $"{this} calls itself while it is traced", Where(),
                "a trace is put in the place of each call, which would never end", "use While for what repeats");
        }
        _isTracing = true;
        try
        {
            return _body(arguments);
        }
        finally
        {
            _isTracing = false;
        }
    }

    internal Tensor Single(IReadOnlyList<Tensor> results) => results.Count == 1
        ? results[0]
        : throw new GraphException(
            DiagnosticId.BadArguments, $"{this} has {results.Count} results, not one", Where(), fix: "use Call and its Results");

    private (FunctionTrace Trace, FunctionTrace.Sizes Sizes) Find(TensorType[] types, CallSite site)
    {
        // A trace for exactly these types before one for many.
        for (LinkedListNode<FunctionTrace>? at = _traces.First; at is not null; at = at.Next)
        {
            if (at.Value.IsFor(types))
            {
                return (Use(at), FunctionTrace.Sizes.None);
            }
        }
        for (LinkedListNode<FunctionTrace>? at = _traces.First; at is not null; at = at.Next)
        {
            if (at.Value.TryFit(types) is { } sizes)
            {
                return (Use(at), sizes);
            }
        }
        (TensorType[] traced, string cause) = TypesToTrace(types);
        FunctionTrace trace = MakeTrace(traced, cause, site);
        return (trace, trace.TryFit(types) ?? throw Misfit(types, traced));
    }

    private FunctionTrace Use(LinkedListNode<FunctionTrace> node)
    {
        _traces.Remove(node);
        _traces.AddFirst(node);
        return node.Value;
    }

    private (TensorType[] Types, string Cause) TypesToTrace(TensorType[] types)
    {
        if (_options.Signature is { } signature)
        {
            TensorType[] declared = [.. signature];
            return FunctionTrace.Fit(declared, types) is null
                ? throw Misfit(types, declared)
                : (declared, TraceCount == 0 ? "it is the first call" : "its trace was dropped to make room (FunctionOptions.MaxTraces)");
        }
        if (_traces.First is null)
        {
            return (types, "it is the first call");
        }
        string cause = $"argument types ({Describe(types)}) differ from those traced last ({Describe(_traces.First.Value.Types)})";
        if (_options.GeneralizeSizes)
        {
            foreach (FunctionTrace trace in _traces)
            {
                if (SizeGeneralization.TryMerge(trace.Types, types) is { } general)
                {
                    return (general, $"{cause}; sizes that differ are symbolic from here on");
                }
            }
        }
        return (types, cause);
    }

    private FunctionTrace MakeTrace(TensorType[] types, string cause, CallSite site)
    {
        if (TraceCount == _options.RetraceLimit)
        {
            throw new GraphException(
                DiagnosticId.RetraceLimit, $"{this} was traced {TraceCount} times already", Where(),
                $"a call needs another trace because {cause}",
                "give it a signature with symbolic sizes (FunctionOptions.Signature), call it with fewer different types, "
                + "or raise FunctionOptions.RetraceLimit");
        }
        FunctionTrace trace = Graph.Trace(this, types, site);
        TraceCount++;
        LastTraceCause = cause;
        _traces.AddFirst(trace);
        if (_traces.Count > _options.MaxTraces)
        {
            _traces.RemoveLast();
        }
        return trace;
    }

    private GraphException Misfit(TensorType[] types, TensorType[] declared) => new(
        DiagnosticId.BadArguments, $"{this} takes ({Describe(declared)}), not ({Describe(types)})", Where(),
        "its arguments must fit its signature", "convert or reshape the arguments, or give the function another signature");

    private string? Where() => Graph.Current.Builder.CurrentOrigin is { } origin ? $"built in {origin}" : null;

    private static string Describe(IEnumerable<TensorType> types) => string.Join(", ", types);
}

/// <summary>What a call of a function gives.</summary>
/// <param name="Results">Its results.</param>
/// <param name="Operation">What it does besides: assignments, prints, assertions. Whoever needs a result also does it.</param>
public sealed record FunctionCall(ImmutableArray<Tensor> Results, Operation Operation);

/// <summary>A function as a session runs it.</summary>
/// <param name="Arguments">Placeholders, one for each argument.</param>
/// <param name="Call">What a call with them gives.</param>
public sealed record FunctionEntry(ImmutableArray<Tensor> Arguments, FunctionCall Call);
