using System.Globalization;
using System.Text;
using Graphene.Codegen.Llvm;
using LLVMSharp.Interop;

namespace Graphene.Codegen.Ptx;

/// <summary>Compiles kernels with threads to PTX: those of equal structure once, while the next ones are still being lowered.</summary>
/// <remarks>
/// The text depends on the kernels, their order, the target and the version of LLVM alone. No GPU is needed, nor a driver.
/// <code>
/// using var compiler = new PtxCompiler(PtxTarget.Of(new GpuTarget(90, true)));
/// PtxKernel launch = compiler.Add(kernel);      // for each kernel
/// PtxModule module = compiler.Finish();         // the text of all
/// </code>
/// </remarks>
public sealed class PtxCompiler : IDisposable
{
    private const string EndOfHeader = ".address_size 64\n";

    private static readonly LlvmCompilerOptions LlvmOptions = new() { Passes = LlvmPipelines.GpuKernels };

    private readonly PtxTarget _target;
    private readonly PtxKernelPrinter _printer;
    private readonly LlvmQueue _llvm;
    private readonly KernelSymbols _symbols = new();
    private readonly Dictionary<Kernel, PtxKernel> _known = new(ReferenceEqualityComparer.Instance);
    private readonly List<PtxKernel> _kernels = [];
    private readonly List<string> _ir = [];
    private readonly List<Kernel> _sources = [];

    /// <summary>Makes a compiler for one module.</summary>
    /// <param name="target">What the text is for.</param>
    /// <param name="threads">How many kernels are compiled at a time; 0 means one for each processor.</param>
    /// <param name="cancellation">Stops before the next kernel is begun.</param>
    public PtxCompiler(PtxTarget target, int threads = 0, CancellationToken cancellation = default)
    {
        _target = target;
        _printer = new PtxKernelPrinter(target);
        _llvm = new LlvmQueue(target.Machine, threads, cancellation, LLVMCodeGenFileType.LLVMAssemblyFile, LlvmOptions);
    }

    /// <summary>How many different kernels there are so far.</summary>
    public int DistinctCount => _kernels.Count;

    /// <summary>Adds a kernel, unless an equal one is there.</summary>
    /// <param name="kernel">A verified kernel with threads.</param>
    /// <returns>How it is launched; the symbols are those of this kernel, which may be others than those of an equal one.</returns>
    /// <exception cref="CompilerBugException">The kernel needs what the architecture has not, or has no threads.</exception>
    public PtxKernel Add(Kernel kernel)
    {
        if (!_known.TryGetValue(kernel, out PtxKernel? known))
        {
            known = Print(kernel);
            _known.Add(kernel, known);
        }
        return known;
    }

    /// <summary>Waits until all kernels are compiled.</summary>
    /// <exception cref="CompilerBugException">LLVM refuses a kernel; the first in order that it refused.</exception>
    /// <exception cref="NativeLibraryException">libLLVM is missing or too old.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public PtxModule Finish()
    {
        byte[][] parts = _llvm.Finish();
        var text = new StringBuilder();
        text.Append("// Written by Graphene.\n");
        if (_target.IsOlder)
        {
            text.Append(CultureInfo.InvariantCulture, $"// For {_target.Gpu}, whose driver translates {_target.Name}.\n");
        }
        text.Append(CultureInfo.InvariantCulture, $".version {_target.Version / 10}.{_target.Version % 10}\n");
        text.Append(CultureInfo.InvariantCulture, $".target {_target.Name}\n{EndOfHeader}");
        foreach (byte[] part in parts)
        {
            text.Append(WithoutHeader(Encoding.UTF8.GetString(part)));
        }
        return new PtxModule(_target, text.ToString(), [.. _kernels], [.. _ir], [.. _sources]);
    }

    /// <inheritdoc/>
    public void Dispose() => _llvm.Dispose();

    // Kernels that were lowered apart may still turn out to be one.
    private PtxKernel Print(Kernel kernel)
    {
        (string body, PtxKernel spec) = _printer.PrintBody(kernel);
        string key = string.Create(CultureInfo.InvariantCulture, $"{spec.Threads} {spec.BlocksPerMultiprocessor} {body}");
        bool isNew = _symbols.Add(Identifier(kernel.Name), key, out string name);
        spec = spec with { Name = name };
        if (isNew)
        {
            string ir = _printer.PrintModule(spec, body);
            _kernels.Add(spec);
            _ir.Add(ir);
            _sources.Add(kernel);
            _llvm.Add(ir);
        }
        return spec;
    }

    // LLVM begins each module with the same lines.
    private static string WithoutHeader(string text)
    {
        int end = text.IndexOf(EndOfHeader, StringComparison.Ordinal);
        return end >= 0 ? text[(end + EndOfHeader.Length)..] : throw new CompilerBugException("PTX", "a module has no header");
    }

    private static string Identifier(string name)
    {
        string clean = string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));
        return clean.Length > 0 && char.IsAsciiLetter(clean[0]) ? clean : $"k_{clean}";
    }
}
