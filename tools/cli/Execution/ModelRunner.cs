using System.Collections.Immutable;
using System.Diagnostics;
using Graphene.Cli.Models;
using Graphene.Runtime;
using Microsoft.Extensions.Logging;

namespace Graphene.Cli.Execution;

/// <summary>A model ready to run on a device, with all of its outputs.</summary>
internal sealed class ModelRunner : IDisposable
{
    private readonly ImmutableArray<string> _inputNames;
    private readonly GraphProgram _program;
    private readonly RunOptions _options;
    private readonly Callable _callable;
    private readonly IDisposable _owner;

    /// <summary>Compiles a graph, or takes the code of a bundle.</summary>
    /// <param name="model">The model.</param>
    /// <param name="compiler">The compiler of the device.</param>
    /// <param name="threads">Threads that a run may use; 0 for all that the process may.</param>
    /// <param name="logger">Receives what is compiled and cached.</param>
    /// <exception cref="GraphException">The device cannot run the model.</exception>
    public ModelRunner(LoadedModel model, IGraphCompiler compiler, int threads, ILogger logger)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        _inputNames = model.InputNames;
        _options = new RunOptions { MaxThreads = threads };
        if (model.Program is { } program)
        {
            if ((model.Device ?? compiler.Device) != compiler.Device)
            {
                throw new UsageException($"{model.Path} is a compiled bundle, which the device {compiler.Device} cannot run");
            }
            CompileTime = model.FindTime;
            _program = program;
            _owner = model.Owner ?? program;
            _callable = program.MakeCallable(_options);
            return;
        }
        if (model.Source is { } source)
        {
            long start = Stopwatch.GetTimestamp();
            _program = compiler.Compile(source, logger, CancellationToken.None);
            CompileTime = Stopwatch.GetElapsedTime(start);
            _owner = _program;
            _callable = _program.MakeCallable(_options);
            return;
        }

        // A session leaves out inputs that no output needs.
        var recording = new RecordingCompiler(compiler);
        var session = new Session(model.Module, recording, new SessionOptions { MaxThreads = threads, Logger = logger });
        try
        {
            _callable = session.MakeCallable(model.OutputNames);
        }
        catch
        {
            session.Dispose();
            throw;
        }
        _owner = session;
        _program = recording.Program!;
        CompileTime = recording.Elapsed;
    }

    /// <summary>How long compiling took, or reading the compiled code from the cache.</summary>
    public TimeSpan CompileTime { get; }

    /// <summary>The number of kernels in the code; 0 where there is no code.</summary>
    public int Kernels => _program switch
    {
        NativeProgram native => native.Plan.Kernels.Length,
        GpuProgram gpu => gpu.Plan.Kernels.Length,
        _ => 0,
    };

    /// <summary>Bytes of scratch memory that a run with these inputs takes.</summary>
    public long ScratchBytes(IReadOnlyList<Literal> inputs) => _program.ScratchBytes(ShapesOf(inputs));

    /// <summary>Runs the model once.</summary>
    /// <param name="inputs">One value for each input of the model.</param>
    /// <returns>One value for each output.</returns>
    public IReadOnlyList<Literal> Run(IReadOnlyList<Literal> inputs)
    {
        var feeds = new Dictionary<string, Feed>(StringComparer.Ordinal);
        foreach (InputSpec input in _program.Inputs)
        {
            feeds.Add(input.Name, ValueOf(input.Name, inputs));
        }
        return _program.Run(feeds, _options);
    }

    /// <summary>Makes a call with memory of its own that holds these inputs, for runs without any other cost.</summary>
    public BoundCall Bind(IReadOnlyList<Literal> inputs)
    {
        BoundCall call = _callable.Bind(ShapesOf(inputs));
        for (int i = 0; i < _callable.Inputs.Length; i++)
        {
            BoundInput.Fill(call, i, ValueOf(_callable.Inputs[i].Name, inputs));
        }
        return call;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _callable.Dispose();
        _owner.Dispose();
    }

    private long[][] ShapesOf(IReadOnlyList<Literal> inputs) =>
        [.. _program.Inputs.Select(i => ValueOf(i.Name, inputs).Shape.ToStatic())];

    private Literal ValueOf(string name, IReadOnlyList<Literal> inputs) => inputs[_inputNames.IndexOf(name)];
}
