using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;

namespace Graphene.Runtime;

/// <summary>
/// A program that fails when a value becomes NaN or infinite, and names the op that made the first one: the number is the last
/// output of the program inside, which the caller does not see.
/// </summary>
internal sealed unsafe class NumericsProgram : GraphProgram
{
    private readonly GraphProgram _inner;
    private readonly Module _module;
    private readonly IGraphCompiler _compiler;
    private readonly ImmutableArray<NumericsSite> _sites;

    private NumericsProgram(GraphProgram inner, Module module, IGraphCompiler compiler, ImmutableArray<NumericsSite> sites)
        : base(inner.Name, inner.InputTable, inner.OutputTable[..^1], inner.SymbolTable, [])
    {
        _inner = inner;
        _module = module;
        _compiler = compiler;
        _sites = sites;
    }

    /// <summary>Compiles a module with the search in it.</summary>
    /// <param name="module">The module as its user wrote it.</param>
    /// <param name="compiler">Compiles it, and after a failure what computes the operands of the op.</param>
    /// <param name="compile">Compiles the instrumented module.</param>
    public static NumericsProgram Compile(Module module, IGraphCompiler compiler, Func<Module, GraphProgram> compile)
    {
        InstrumentedModule instrumented = NumericsInstrumentation.Apply(module);
        return new NumericsProgram(compile(instrumented.Module), module, compiler, instrumented.Sites);
    }

    /// <inheritdoc/>
    public override void Trim() => _inner.Trim();

    internal override GpuDevice? Device => _inner.Device;

    internal override NativeBlock AllocateCallMemory(long bytes) => _inner.AllocateCallMemory(bytes);

    internal override void* DefaultOf(int input) => _inner.DefaultOf(input);

    internal override void Run(ShapeBinding binding, void** inputs, void** outputs, in RunSettings settings)
    {
        int site = InstrumentedModule.None;
        void** all = stackalloc void*[Outputs.Length + 1];
        new ReadOnlySpan<nint>(outputs, Outputs.Length).CopyTo(new Span<nint>(all, Outputs.Length));
        all[Outputs.Length] = &site;
        _inner.Run(((NumericsBinding)binding).Inner, inputs, all, WithNumber(settings));
        if (site != InstrumentedModule.None)
        {
            throw Error(_sites[site], binding, inputs, settings);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _inner.Dispose();
        }
    }

    private protected override ShapeBinding CreateBinding(ReadOnlySpan<long> inputExtents, long[] symbols)
    {
        ShapeBinding inner = _inner.Bind(inputExtents);
        return new NumericsBinding
        {
            Inner = inner,
            InputExtents = inner.InputExtents,
            Symbols = symbols,
            OutputShapes = inner.OutputShapes[..^1],
            InputBytes = inner.InputBytes,
            OutputBytes = inner.OutputBytes[..^1],
        };
    }

    private protected override MemoryUse RunMemory(ShapeBinding binding) =>
        _inner.PredictMemory(((NumericsBinding)binding).Inner);

    // The number is always wanted in the host's memory.
    private RunSettings WithNumber(in RunSettings settings)
    {
        if (settings.Places is not { } places)
        {
            return settings;
        }
        var inputs = new MemoryPlace[Inputs.Length];
        var outputs = new MemoryPlace[Outputs.Length + 1];
        for (int i = 0; i < inputs.Length; i++)
        {
            inputs[i] = places.Input(i);
        }
        for (int i = 0; i < Outputs.Length; i++)
        {
            outputs[i] = places.Output(i);
        }
        return settings with { Places = new MemoryPlaces(inputs, outputs) };
    }

    private GraphException Error(NumericsSite site, ShapeBinding binding, void** inputs, in RunSettings settings)
    {
        Node node = site.Node.Op is GetTupleElementOp ? site.Node.Operands[0] : site.Node;
        string type = site.Node.Type.ToString();
        if (site.Input is { } input)
        {
            return new GraphException(
                RuntimeDiagnostics.NotFinite, $"input '{input}' {type} was fed NaN", Place(node),
                fix: "look at where its value comes from");
        }
        // The values that the op saw can be computed again: a run that failed has assigned nothing.
        Node[] shown = site.IsInBody ? [] : [.. node.Operands.Where(o => o.Types.Length == 1).Distinct(), site.Node];
        string[] values = shown.Length == 0 ? [] : Summaries(shown, binding, inputs, settings);
        string made = values.Length == 0 ? "a value that is NaN or infinite" : values[^1];
        IEnumerable<string> operands = node.Operands.Select(o =>
        {
            int place = Array.IndexOf(shown, o);
            string value = place < 0 ? "" : $" {values[place]}";
            return o.Types.Length == 1 ? $"{o.Op.Name} {o.Type}{value}{Origin(o)}" : $"{o.Op.Name}{Origin(o)}";
        });
        return new GraphException(
            RuntimeDiagnostics.NotFinite, $"{node.Op.Name}: its result {type} is the first that is not finite: {made}", Place(node),
            $"its inputs: {string.Join("; ", operands)}{(site.IsInBody ? " (in the body of a branch or loop)" : "")}",
            "keep its inputs in the range where it is finite, for example with Clamp or a small number added");
    }

    private string[] Summaries(Node[] nodes, ShapeBinding binding, void** inputs, in RunSettings settings)
    {
        Node[] distinct = [.. nodes.Distinct()];
        var b = new GraphBuilder(_module.Provenance);
        Node[] parameters = [.. _module.Entry.Parameters.Select((p, i) => b.Parameter(i, p.Type))];
        var copies = new Dictionary<Node, Node>(ReferenceEqualityComparer.Instance);
        for (int i = 0; i < parameters.Length; i++)
        {
            copies.Add(_module.Entry.Parameters[i], parameters[i]);
        }
        Computation entry = b.Build("operands", distinct.Select(n => ComputationCloner.Clone(n, b, copies)));
        Module module = _module with { Entry = entry, OutputNames = [.. distinct.Select((_, i) => $"value{i}")] };
        using GraphProgram program = _compiler.Compile(module, NullLogger.Instance, CancellationToken.None);
        ShapeBinding shapes = program.Bind(binding.InputExtents);
        NativeBlock[] blocks = [.. shapes.OutputBytes.Select(NativeBlock.Allocate)];
        try
        {
            nint[] pointers = [.. blocks.Select(block => (nint)block.Pointer)];
            fixed (nint* outputs = pointers)
            {
                program.Run(shapes, inputs, (void**)outputs, WithOutputs(settings, blocks.Length));
            }
            string[] texts =
            [
                .. distinct.Select((n, i) => TensorSummary.Of(n.DType, blocks[i].Pointer, shapes.OutputBytes[i] / n.DType.SizeInBytes())),
            ];
            return [.. nodes.Select(n => texts[Array.IndexOf(distinct, n)])];
        }
        finally
        {
            Array.ForEach(blocks, block => block.Dispose());
        }
    }

    // The inputs where they are, the outputs in the host's memory.
    private RunSettings WithOutputs(in RunSettings settings, int outputs) => settings.Places is not { } places
        ? settings
        : settings with { Places = new MemoryPlaces([.. Inputs.Select((_, i) => places.Input(i))], new MemoryPlace[outputs]) };

    private string? Place(Node node) => _module.Provenance[node] is [var origin, ..] ? $"built in {origin}" : null;

    private string Origin(Node node) => _module.Provenance[node] is [var origin, ..]
        ? string.Create(CultureInfo.InvariantCulture, $" ({origin})") : "";

    private sealed class NumericsBinding : ShapeBinding
    {
        /// <summary>The binding of the program inside.</summary>
        public required ShapeBinding Inner { get; init; }
    }
}
