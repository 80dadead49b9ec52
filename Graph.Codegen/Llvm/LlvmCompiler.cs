using System.Text;
using LLVMSharp.Interop;

namespace Graphene.Codegen.Llvm;

/// <summary>Compiles LLVM IR text to machine code.</summary>
/// <remarks>
/// Every call has an LLVM context of its own, so calls may run in parallel. The result depends on the arguments and the
/// version of LLVM alone: equal arguments give equal bytes. Floating-point operations keep their meaning; nothing is
/// contracted, reassociated or approximated unless flags in the IR allow it.
/// </remarks>
public static class LlvmCompiler
{
    // LLVM recurses over expressions and loop nests and expects the stack of a program's main thread.
    internal const int StackSizeInBytes = 64 << 20;

    /// <summary>Compiles a module to a relocatable object file: ELF, or WebAssembly for that target.</summary>
    /// <param name="irText">The module. Its own triple and data layout, if any, are replaced by the target's.</param>
    /// <param name="target">The machine that the code is for.</param>
    /// <param name="options">Passes and effort; <see cref="LlvmCompilerOptions.Default"/> when null.</param>
    /// <exception cref="GraphException">There is no code generator for the target.</exception>
    /// <exception cref="CompilerBugException">LLVM refuses the IR or the pipeline, and says why.</exception>
    /// <exception cref="NativeLibraryException">libLLVM is missing or too old.</exception>
    public static byte[] Compile(string irText, LlvmTarget target, LlvmCompilerOptions? options = null) =>
        Emit(irText, target, options, LLVMCodeGenFileType.LLVMObjectFile);

    /// <summary>Compiles several modules in parallel, each as <see cref="Compile"/> does.</summary>
    /// <param name="irTexts">The modules.</param>
    /// <param name="target">The machine that the code is for.</param>
    /// <param name="options">Passes and effort; <see cref="LlvmCompilerOptions.Default"/> when null.</param>
    /// <param name="threads">How many modules are compiled at a time; 0 means one for each processor.</param>
    /// <param name="cancellationToken">Stops before the next module is begun.</param>
    /// <returns>One object for each module, in the order of the modules.</returns>
    /// <exception cref="GraphException">There is no code generator for the target.</exception>
    /// <exception cref="CompilerBugException">LLVM refuses a module; the first in order that it refuses.</exception>
    /// <exception cref="NativeLibraryException">libLLVM is missing or too old.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static byte[][] CompileAll(
        IReadOnlyList<string> irTexts,
        LlvmTarget target,
        LlvmCompilerOptions? options = null,
        int threads = 0,
        CancellationToken cancellationToken = default)
    {
        LlvmLibrary.Ensure();
        return LlvmWorkers.Run(
            irTexts.Count,
            threads > 0 ? threads : Environment.ProcessorCount,
            StackSizeInBytes,
            i => Compile(irTexts[i], target, options),
            cancellationToken);
    }

    /// <summary>Compiles a module to assembly text; to PTX for NVIDIA's target.</summary>
    /// <param name="irText">The module.</param>
    /// <param name="target">The machine that the code is for.</param>
    /// <param name="options">Passes and effort; <see cref="LlvmCompilerOptions.Default"/> when null.</param>
    /// <exception cref="GraphException">There is no code generator for the target.</exception>
    /// <exception cref="CompilerBugException">LLVM refuses the IR or the pipeline, and says why.</exception>
    /// <exception cref="NativeLibraryException">libLLVM is missing or too old.</exception>
    public static string Assembly(string irText, LlvmTarget target, LlvmCompilerOptions? options = null) =>
        Encoding.UTF8.GetString(Emit(irText, target, options, LLVMCodeGenFileType.LLVMAssemblyFile));

    /// <summary>Runs the passes alone.</summary>
    /// <param name="irText">The module.</param>
    /// <param name="target">The machine whose properties the passes ask for.</param>
    /// <param name="options">Passes and effort; <see cref="LlvmCompilerOptions.Default"/> when null.</param>
    /// <returns>The module after the passes, as IR text.</returns>
    /// <exception cref="GraphException">There is no code generator for the target.</exception>
    /// <exception cref="CompilerBugException">LLVM refuses the IR or the pipeline, and says why.</exception>
    /// <exception cref="NativeLibraryException">libLLVM is missing or too old.</exception>
    public static string Optimize(string irText, LlvmTarget target, LlvmCompilerOptions? options = null)
    {
        options ??= LlvmCompilerOptions.Default;
        using LlvmModule module = LlvmModule.Parse(irText, target, options);
        module.RunPasses(options);
        return module.Print();
    }

    internal static byte[] Emit(
        string irText, LlvmTarget target, LlvmCompilerOptions? options, LLVMCodeGenFileType fileType)
    {
        options ??= LlvmCompilerOptions.Default;
        using LlvmModule module = LlvmModule.Parse(irText, target, options);
        module.RunPasses(options);
        return module.Emit(fileType);
    }
}
