using Graphene.Codegen;
using Graphene.Runtime;
using Microsoft.Extensions.Logging;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>Compiles graphs for a GPU, and interprets the kernels: sessions and conformance suites run on it as on any device.</summary>
internal sealed class InterpretedGpuCompiler(GpuTarget? target = null) : IGraphCompiler
{
    private readonly List<InterpretedGpuProgram> _programs = [];

    public string Device => "gpu, interpreted";

    /// <summary>The kernels that ran, by schedule.</summary>
    public IEnumerable<string> Report => _programs.SelectMany(p => p.Report);

    public GraphProgram Compile(Module module, ILogger logger, CancellationToken cancellation)
    {
        var program = new InterpretedGpuProgram(module, target);
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
    private readonly GpuModule _kernels;
    private Literal[] _arguments = [];
    private ShapeBinding? _last;

    public InterpretedGpuProgram(Module module, GpuTarget? target)
        : base(
            module.Name,
            [.. module.InputNames.Select((name, i) => new InputSpec(name, module.Entry.Parameters[i].Type))],
            [.. module.OutputNames.Select((name, i) => new OutputSpec(name, module.Entry.Results[i].Type, i))],
            [.. module.Symbols],
            [.. ShapeCheck.Collect(module)])
    {
        _module = module;
        _target = target;
        _kernels = new GpuModule(module, target);
    }

    /// <summary>The kernels that ran, by schedule.</summary>
    public IEnumerable<string> Report => _kernels.Report;

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
        Literal[] results = _kernels.Run(_arguments, symbol => binding.Symbols[Symbols.IndexOf(symbol)]);
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
