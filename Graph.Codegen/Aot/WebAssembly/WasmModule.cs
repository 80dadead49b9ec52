using Graphene.Codegen.Llvm;
using Graphene.Optimizer;
using Graphene.Runtime;
using Microsoft.Extensions.Logging;

namespace Graphene.Codegen.Aot;

/// <summary>A graph compiled to a WebAssembly module, which imports nothing and exports <c>memory</c> and <c>run</c>.</summary>
public sealed class WasmModule : IDisposable
{
    // Calls, saved registers and the places of masked lanes, over the few functions that are active at a time.
    private const long StackOfCalls = 1024;
    private const long StackUnit = 64;

    // Tiles make 3x3 weights 16/9 times as large, and a module is sent to whoever opens the page.
    private static readonly GraphCompilerOptions PlainWeights = new()
    {
        Optimizer = OptimizerOptions.Default with { Winograd = WinogradTiles.None },
    };

    private readonly Executable _executable;
    private readonly WasmBinary _binary;
    private readonly List<WasmData> _data = [];

    private WasmModule(Executable executable, WasmBinary binary, WasmLayout layout, long stackInBytes, bool keepsWeightsApart)
    {
        _executable = executable;
        _binary = binary;
        StackInBytes = stackInBytes;
        MemoryInPages = layout.Pages;
        HasWeightsApart = keepsWeightsApart && executable.Constants.Length > 0;
    }

    /// <summary>What it takes and gives.</summary>
    public ExecutablePlan Plan => _executable.Plan;

    /// <summary>The memory that it begins with, in pages of 64 KiB; without symbolic dims it never has more.</summary>
    public long MemoryInPages { get; }

    /// <summary>The part of the memory that is the stack.</summary>
    public long StackInBytes { get; }

    /// <summary>The size of the weights.</summary>
    public long WeightsInBytes => _executable.Constants.Length;

    /// <summary>Whether the weights are not in the module.</summary>
    public bool HasWeightsApart { get; }

    /// <summary>The size of the module without weights.</summary>
    public long CodeInBytes
    {
        get
        {
            using var stream = new MemoryStream();
            _binary.Write(stream, _data.FindAll(d => d.Length != WeightsInBytes));
            return stream.Length;
        }
    }

    /// <summary>Compiles a graph.</summary>
    /// <param name="module">The graph.</param>
    /// <param name="target"><see cref="LlvmTarget.Wasm32"/> or <see cref="LlvmTarget.Wasm32Simd"/>.</param>
    /// <param name="logger">Receives what the compiler does.</param>
    /// <param name="keepsWeightsApart">True for weights in a file of their own.</param>
    /// <param name="cancellation">Stops the compilation.</param>
    /// <exception cref="GraphException">GR5060: no linker. GR5061: the graph calls its host. GR5062: it needs more than 4 GiB.</exception>
    public static WasmModule Compile(
        Module module, LlvmTarget target, ILogger logger, bool keepsWeightsApart = false, CancellationToken cancellation = default)
    {
        RefuseHostCalls(module, module.Entry); // what can be known is said before minutes of work
        WasmLayout.RefuseTooLarge(module.Name, FewestBytes(module));
        WasmLinker.Require();
        (Executable executable, long stack) = GraphCompiler.For(target, PlainWeights).CompileForStack(module, logger, cancellation);
        try
        {
            stack = (stack + StackOfCalls + StackUnit - 1) / StackUnit * StackUnit;
            byte[] image = LlvmCompiler.Compile(WasmImage.Print(executable.Plan), target);
            byte[] linked = WasmLinker.Link(
                [image, .. executable.Objects.Select(o => o.Bytes.ToArray())],
                [WasmImage.Run, WasmImage.Buffers, WasmImage.Symbols, WasmImage.HeapBase], stack);
            return Finish(executable, new WasmBinary(linked), stack, keepsWeightsApart);
        }
        catch
        {
            executable.Dispose();
            throw;
        }
    }

    /// <summary>Writes the module.</summary>
    public void Write(Stream stream) => _binary.Write(stream, _data);

    /// <summary>Writes the weights alone.</summary>
    public void WriteWeights(Stream stream)
    {
        const int Most = 1 << 24;
        for (long at = 0; at < WeightsInBytes; at += Most)
        {
            stream.Write(_executable.Constants.Bytes(at, (int)Math.Min(Most, WeightsInBytes - at)));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _executable.Dispose();

    private static WasmModule Finish(Executable executable, WasmBinary binary, long stack, bool keepsWeightsApart)
    {
        ExecutablePlan plan = executable.Plan;
        long table = binary.Address(WasmImage.Buffers);
        long symbols = binary.Address(WasmImage.Symbols);
        var layout = new WasmLayout(plan, executable.Constants.Length, binary.Address(WasmImage.HeapBase));
        var module = new WasmModule(executable, binary, layout, stack, keepsWeightsApart);
        binary.FoldOffsets();
        binary.KeepExports("memory", WasmImage.Run);
        binary.SetMemory(layout.Pages, plan.IsStatic);
        binary.AddCustom(
            WasmSection.Name, WasmSection.Write(plan, layout, table, symbols, module.HasWeightsApart ? executable.Constants.Length : 0));
        if (plan.IsStatic)
        {
            byte[] content = layout.Table();
            module._data.Add(new WasmData(table, content.Length, s => s.Write(content)));
        }
        if (executable.Constants.Length > 0 && !module.HasWeightsApart)
        {
            module._data.Add(new WasmData(layout.Weights, executable.Constants.Length, module.WriteWeights));
        }
        return module;
    }

    // What inputs and outputs alone take; sizes that are symbolic count nothing.
    private static Int128 FewestBytes(Module module) => module.Entry.Parameters.Concat(module.Entry.Results)
        .Select(n => n.Type.SizeInBytes).Where(size => size.IsStatic).Aggregate(Int128.Zero, (sum, size) => sum + size.Value);

    private static void RefuseHostCalls(Module module, Computation computation)
    {
        foreach (Node node in computation.PostOrder())
        {
            if (node.Op is HostCallOp call)
            {
                throw new GraphException(
                    CodegenDiagnostics.WasmHostCall,
                    $"WebAssembly: '{module.Name}' calls its host: {call.Kind.ToString().ToLowerInvariant()} '{call.Message}'",
                    where: module.Provenance[node] is [var origin, ..] ? origin.ToString() : null,
                    why: "prints, assertions and custom calls are carried out by .NET, which is not there",
                    fix: "leave them out of what is compiled, for example by fetching the values instead");
            }
            foreach (Computation nested in node.Op.Computations)
            {
                RefuseHostCalls(module, nested);
            }
        }
    }
}
