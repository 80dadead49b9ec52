using Graphene.Codegen;
using Graphene.Runtime;
using Microsoft.Extensions.Logging;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>Compiles graphs for a GPU, and interprets the kernels: sessions and conformance suites run on it as on any device.</summary>
/// <param name="target">The GPU; null for an H100.</param>
/// <param name="watched">In which tasks races between threads are looked for; null for all.</param>
internal sealed class InterpretedGpuCompiler(GpuTarget? target = null, WatchedTasks? watched = null) : IGraphCompiler
{
    private readonly List<InterpretedGpuProgram> _programs = [];

    public string Device => "gpu, interpreted";

    /// <summary>The kernels that ran, by schedule.</summary>
    public IEnumerable<string> Report => _programs.SelectMany(p => p.Report);

    /// <summary>How many kernels ran.</summary>
    public int Runs => _programs.Sum(p => p.Kernels.Runs);

    /// <summary>How long they took.</summary>
    public TimeSpan Time => _programs.Aggregate(TimeSpan.Zero, (sum, p) => sum + p.Kernels.Time);

    /// <summary>The results of each run.</summary>
    public IEnumerable<IReadOnlyList<Literal>> Results => _programs.SelectMany(p => p.Results);

    public GraphProgram Compile(Module module, ILogger logger, CancellationToken cancellation)
    {
        var program = new InterpretedGpuProgram(module, target, watched);
        _programs.Add(program);
        return program;
    }

    /// <summary>The steps of the last run whose results are not the reference's: where to look first.</summary>
    public string Explain(double relative) => string.Join('\n', _programs[^1].FindWrongSteps(relative).Take(3));
}

/// <summary>A graph whose kernels for a GPU are interpreted.</summary>
internal sealed unsafe class InterpretedGpuProgram : GraphProgram
{
    private readonly Module _module;
    private readonly GpuTarget? _target;
    private readonly List<IReadOnlyList<Literal>> _results = [];
    private Literal[] _arguments = [];
    private ShapeBinding? _last;

    public InterpretedGpuProgram(Module module, GpuTarget? target, WatchedTasks? watched)
        : base(
            module.Name,
            [.. module.InputNames.Select((name, i) => new InputSpec(name, module.Entry.Parameters[i].Type))],
            [.. module.OutputNames.Select((name, i) => new OutputSpec(name, module.Entry.Results[i].Type, i))],
            [.. module.Symbols],
            [.. ShapeCheck.Collect(module)])
    {
        _module = module;
        _target = target;
        Kernels = new GpuModule(module, target, watched);
    }

    /// <summary>The kernels that ran, by schedule.</summary>
    public IEnumerable<string> Report => Kernels.Report;

    /// <summary>What runs the kernels.</summary>
    public GpuModule Kernels { get; }

    /// <summary>The results of each run.</summary>
    public IReadOnlyList<IReadOnlyList<Literal>> Results => _results;

    /// <summary>The steps of the last run whose results are further from the reference's than a part of the largest element.</summary>
    public IReadOnlyList<string> FindWrongSteps(double relative)
    {
        if (_last is null)
        {
            return ["nothing ran"];
        }
        Dictionary<string, long> symbols = Symbols.Select((s, i) => (s.Name, _last.Symbols[i])).ToDictionary();
        Module known = symbols.Count == 0 ? _module : Specialization.Apply(_module, symbols);
        return new GpuModule(known, _target).FindWrongSteps(_arguments, relative);
    }

    internal override void Run(ShapeBinding binding, void** inputs, void** outputs, in RunSettings settings)
    {
        _last = binding;
        _arguments = new Literal[Inputs.Length];
        for (int i = 0; i < _arguments.Length; i++)
        {
            ReadOnlySpan<long> shape = binding.InputExtents.AsSpan(Binder.Start(i), Inputs[i].Type.Rank);
            byte[] bytes = new ReadOnlySpan<byte>(inputs[i], checked((int)binding.InputBytes[i])).ToArray();
            _arguments[i] = new Literal(new TensorType(Inputs[i].Type.DType, Shape.Of(shape)), bytes);
        }
        Literal[] results = Kernels.Run(_arguments, symbol => binding.Symbols[Symbols.IndexOf(symbol)]);
        _results.Add(results);
        for (int i = 0; i < results.Length; i++)
        {
            results[i].Bytes.Span.CopyTo(new Span<byte>(outputs[i], checked((int)binding.OutputBytes[i])));
        }
    }

    protected override void Dispose(bool disposing)
    {
        // Nothing but managed memory is held.
    }

    private protected override ShapeBinding CreateBinding(ReadOnlySpan<long> inputExtents, long[] symbols)
    {
        long[][] outputShapes = OutputShapes(symbols);
        return new ShapeBinding
        {
            InputExtents = inputExtents.ToArray(),
            Symbols = symbols,
            OutputShapes = outputShapes,
            InputBytes = InputBytes(inputExtents),
            OutputBytes = OutputBytes(outputShapes),
        };
    }

    private protected override MemoryUse RunMemory(ShapeBinding binding) => new();
}
