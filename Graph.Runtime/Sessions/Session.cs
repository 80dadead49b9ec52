using System.Diagnostics.CodeAnalysis;

namespace Graphene.Runtime;

/// <summary>Runs a graph: compiles what is fetched when it is fetched first, and keeps it.</summary>
/// <remarks>
/// <para>
/// A graph that was built in C# is run by its tensors: any of them can be fetched, any can be fed, which leaves out what only
/// computes it, and variables keep their values between runs. Tensors that have names can be fetched and fed by name as well. A
/// module, such as an imported model, is run by the names of its inputs and outputs.
/// </para>
/// <para>
/// Thread-safe: any number of runs at a time, each with scratch memory of its own, except that those which assign variables happen
/// alone. Runs share the process's <see cref="ComputePool"/>. Building a graph further while it runs is for the caller to coordinate.
/// </para>
/// </remarks>
public sealed partial class Session : IDisposable
{
    private readonly SessionOptions _options;
    private readonly GraphPlans? _graph;
    private readonly ModulePlans? _module;

    /// <summary>Opens a session for a graph that was built in C#; nothing is compiled yet.</summary>
    /// <param name="graph">The graph; it may grow afterwards.</param>
    /// <param name="compiler">Compiles what is fetched.</param>
    /// <param name="options">How the session works.</param>
    public Session(Graph graph, IGraphCompiler compiler, SessionOptions? options = null)
    {
        _options = (options ?? new SessionOptions()).Checked();
        _graph = new GraphPlans(graph, compiler, _options);
    }

    /// <summary>Opens a session for a module; nothing is compiled yet.</summary>
    /// <param name="module">The module, for example an imported model.</param>
    /// <param name="compiler">Compiles what is fetched.</param>
    /// <param name="options">How the session works.</param>
    public Session(Module module, IGraphCompiler compiler, SessionOptions? options = null)
    {
        _options = (options ?? new SessionOptions()).Checked();
        _module = new ModulePlans(module, compiler, _options);
    }

    /// <summary>The number of compiled plans that are kept now.</summary>
    public int PlanCount => _graph?.Count ?? _module!.Count;

    /// <summary>The graph that it runs; null when it runs a module.</summary>
    public Graph? Graph => _graph?.Graph;

    /// <summary>
    /// Frees variables and every plan that is not in use; plans in use are freed when their runs end. Waits for runs that use
    /// variables.
    /// </summary>
    public void Dispose()
    {
        _graph?.Dispose();
        _module?.Dispose();
    }

    // A module has no tensors that a user could hold.
    private GraphPlans RequireGraph([NotNull] object? asked) => asked is null
        ? throw new ArgumentNullException(nameof(asked))
        : _graph ?? throw new GraphException(
            RuntimeDiagnostics.UnknownFetch, $"{asked} belongs to a graph, and this session runs the module '{_module!.Module.Name}'",
            fix: "fetch and feed by the names of its inputs and outputs");
}
