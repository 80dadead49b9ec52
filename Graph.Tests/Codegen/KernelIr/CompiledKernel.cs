using System.Runtime.InteropServices;
using Graphene.Codegen;
using Graphene.Codegen.Llvm;
using Graphene.Runtime;

namespace Graphene.Tests.Codegen.KernelIr;

/// <summary>A kernel compiled for this machine, to be run on byte arrays.</summary>
internal sealed unsafe class CompiledKernel : IDisposable
{
    // Arguments lie one largest element behind a cache line: aligned to an element and to nothing larger.
    private const int Alignment = 64;
    private const int Offset = 8;

    private readonly LoadedCode _code;
    private readonly delegate* unmanaged[Cdecl]<NativeContext*, void**, long, long, void> _function;

    public CompiledKernel(Kernel kernel, LlvmTarget? target = null, params DimSymbol[] symbols)
    {
        target ??= LlvmTarget.Host();
        Text = new LlvmKernelPrinter(target, s => Array.IndexOf(symbols, s)).Print(kernel);
        _code = LoadedCode.Load(LlvmCompiler.Compile(Text, target));
        nint address = _code.GetFunction(kernel.Name);
        _function = (delegate* unmanaged[Cdecl]<NativeContext*, void**, long, long, void>)address;
    }

    public string Text { get; }

    public void Dispose() => _code.Dispose();

    /// <summary>Runs tasks on copies of the buffers and copies the results back.</summary>
    public void Run(long begin, long end, byte[][] buffers, params long[] symbols)
    {
        var pointers = new nint[buffers.Length];
        try
        {
            for (int i = 0; i < buffers.Length; i++)
            {
                pointers[i] = (nint)NativeMemory.AlignedAlloc((nuint)(buffers[i].Length + Offset), Alignment) + Offset;
                Marshal.Copy(buffers[i], 0, pointers[i], buffers[i].Length);
            }
            RunInPlace(begin, end, pointers, symbols);
            for (int i = 0; i < buffers.Length; i++)
            {
                Marshal.Copy(pointers[i], buffers[i], 0, buffers[i].Length);
            }
        }
        finally
        {
            foreach (nint pointer in pointers.Where(p => p != 0))
            {
                NativeMemory.AlignedFree((void*)(pointer - Offset));
            }
        }
    }

    /// <summary>Runs tasks on memory at given places.</summary>
    public void RunInPlace(long begin, long end, nint[] pointers, params long[] symbols)
    {
        int cancel = 0;
        fixed (nint* arguments = pointers)
        fixed (long* values = symbols)
        {
            var context = new NativeContext { Symbols = values, Cancel = &cancel, Threads = 1 };
            _function(&context, (void**)arguments, begin, end);
        }
    }
}
