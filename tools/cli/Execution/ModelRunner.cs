using Graphene.Cli.Models;
using Graphene.Runtime;
using Microsoft.Extensions.Logging;

namespace Graphene.Cli.Execution;

/// <summary>A model compiled for a device, with all of its outputs.</summary>
internal sealed class ModelRunner : IDisposable
{
    private readonly RecordingCompiler _compiler;
    private readonly Session _session;
    private readonly Callable _callable;
    private readonly Module _module;

    /// <summary>Compiles a model.</summary>
    /// <exception cref="GraphException">The device cannot run the model.</exception>
    public ModelRunner(LoadedModel model, IGraphCompiler compiler, int threads, ILogger logger)
    {
        _module = model.Module;
        _compiler = new RecordingCompiler(compiler);
        _session = new Session(_module, _compiler, new SessionOptions { MaxThreads = threads, Logger = logger });
        try
        {
            _callable = _session.MakeCallable(_module.OutputNames);
        }
        catch
        {
            _session.Dispose();
            throw;
        }
    }

    /// <summary>How long compiling took, or reading the compiled code from the cache.</summary>
    public TimeSpan CompileTime => _compiler.Elapsed;

    /// <summary>The number of kernels in the code; 0 where there is no code.</summary>
    public int Kernels => (_compiler.Program as NativeProgram)?.Plan.Kernels.Length ?? 0;

    /// <summary>Bytes of scratch memory that a run with these inputs takes.</summary>
    public long ScratchBytes(IReadOnlyList<Literal> inputs) => _compiler.Program!.ScratchBytes(ShapesOf(inputs));

    /// <summary>Runs the model once.</summary>
    /// <param name="inputs">One value for each input of the model.</param>
    /// <returns>One value for each output.</returns>
    public IReadOnlyList<Literal> Run(IReadOnlyList<Literal> inputs)
    {
        var feeds = new Dictionary<string, Feed>(StringComparer.Ordinal);
        for (int i = 0; i < inputs.Count; i++)
        {
            feeds.Add(_module.InputNames[i], inputs[i]);
        }
        return _session.Run(_module.OutputNames, feeds);
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
        _session.Dispose();
    }

    // Inputs that no output needs are not part of the compiled program.
    private long[][] ShapesOf(IReadOnlyList<Literal> inputs) =>
        [.. _callable.Inputs.Select(i => ValueOf(i.Name, inputs).Shape.ToStatic())];

    private Literal ValueOf(string name, IReadOnlyList<Literal> inputs) => inputs[_module.InputNames.IndexOf(name)];
}
