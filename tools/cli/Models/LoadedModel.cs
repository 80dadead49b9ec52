using System.Collections.Immutable;
using Graphene.Runtime;

namespace Graphene.Cli.Models;

/// <summary>A model from a file: a graph, or a bundle of code that was compiled before.</summary>
internal sealed class LoadedModel
{
    private readonly Module? _module;

    /// <summary>A graph.</summary>
    /// <param name="path">The file.</param>
    /// <param name="module">The graph.</param>
    /// <param name="tiedTo">Inputs whose values, and symbolic dims whose sizes, are built into the graph.</param>
    public LoadedModel(string path, Module module, IReadOnlyList<string> tiedTo)
    {
        _module = module;
        Path = path;
        InputNames = module.InputNames;
        InputTypes = [.. module.Entry.Parameters.Select(p => p.Type)];
        OutputNames = module.OutputNames;
        TiedTo = tiedTo;
    }

    /// <summary>A graph that is imported from its source now.</summary>
    /// <param name="path">The file.</param>
    /// <param name="source">The source; what is compiled from the graph is kept under its name.</param>
    /// <param name="specializedInputs">Inputs whose values are built into the graph, since they decide shapes.</param>
    public LoadedModel(string path, IGraphSource source, IReadOnlyList<string> specializedInputs)
        : this(path, source.Load(), specializedInputs) => Source = source;

    /// <summary>A bundle: its only function, over a state of its own when it has any.</summary>
    /// <param name="path">The file.</param>
    /// <param name="bundle">The bundle; whoever runs the model disposes it.</param>
    /// <param name="device">What it was loaded for.</param>
    /// <param name="gpu">The GPU that it was loaded for, disposed after it; null for none.</param>
    public LoadedModel(string path, CompiledGraph bundle, string device, GpuDevice? gpu)
        : this(path, FunctionOf(path, bundle, out GraphState state), TimeSpan.Zero)
    {
        Device = device;
        Owner = new BundleOwner(state, bundle, gpu);
    }

    /// <summary>Code that was compiled before.</summary>
    /// <param name="path">The file.</param>
    /// <param name="program">The code; whoever runs the model disposes it.</param>
    /// <param name="findTime">How long it took to find and load the code.</param>
    public LoadedModel(string path, GraphProgram program, TimeSpan findTime)
    {
        Program = program;
        FindTime = findTime;
        Path = path;
        InputNames = [.. program.Inputs.Select(i => i.Name)];
        InputTypes = [.. program.Inputs.Select(i => i.Type)];
        OutputNames = [.. program.Outputs.Select(o => o.Name)];
        TiedTo = [];
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The names of the inputs, in order.</summary>
    public ImmutableArray<string> InputNames { get; }

    /// <summary>The types of the inputs, in order.</summary>
    public ImmutableArray<TensorType> InputTypes { get; }

    /// <summary>The names of the outputs, in order.</summary>
    public ImmutableArray<string> OutputNames { get; }

    /// <summary>
    /// Inputs whose values, and symbolic dims whose sizes, were taken from the inputs that the model was loaded for; other inputs
    /// need another import. Empty for a graph that serves all.
    /// </summary>
    public IReadOnlyList<string> TiedTo { get; }

    /// <summary>The code of a bundle or of a model that was compiled before; null for a graph.</summary>
    public GraphProgram? Program { get; }

    /// <summary>The device that a bundle was loaded for; null for what is no bundle.</summary>
    public string? Device { get; }

    /// <summary>What <see cref="Program"/> belongs to, if that is not itself: disposed instead of it.</summary>
    public IDisposable? Owner { get; }

    /// <summary>How long it took to find and load <see cref="Program"/>.</summary>
    public TimeSpan FindTime { get; }

    /// <summary>Where the graph came from, when that has a name; null otherwise.</summary>
    public IGraphSource? Source { get; }

    /// <summary>The graph.</summary>
    /// <exception cref="UsageException">The file is a bundle, which holds no graph.</exception>
    public Module Module => _module ?? throw new UsageException(
        $"{Path} is a compiled bundle; this needs the model that it was compiled from");

    /// <summary>The position of an input.</summary>
    /// <exception cref="UsageException">There is no such input; the message lists those that there are.</exception>
    public int IndexOfInput(string name)
    {
        int index = InputNames.IndexOf(name);
        return index >= 0
            ? index
            : throw new UsageException(
                $"{Path} has no input '{name}'; its inputs are {string.Join(", ", InputNames.Select(n => $"'{n}'"))}");
    }

    private static GraphProgram FunctionOf(string path, CompiledGraph bundle, out GraphState state)
    {
        if (bundle.Signatures.Count != 1)
        {
            string names = string.Join(", ", bundle.Signatures);
            bundle.Dispose();
            throw new UsageException($"{path} has the functions {names}; programs run one of several, this command does not");
        }
        state = bundle.CreateState();
        return state.Program(bundle.Signatures[0]);
    }

    private sealed class BundleOwner(GraphState state, CompiledGraph bundle, GpuDevice? gpu) : IDisposable
    {
        public void Dispose()
        {
            state.Dispose();
            bundle.Dispose();
            gpu?.Dispose();
        }
    }
}
