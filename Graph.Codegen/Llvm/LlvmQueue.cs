using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using LLVMSharp.Interop;

namespace Graphene.Codegen.Llvm;

/// <summary>Compiles modules while others are still being written: threads that take them as they come.</summary>
/// <remarks>
/// The threads load LLVM before there is anything to compile, so that this costs no time of whoever writes the modules. Objects
/// come out in the order in which modules went in, whoever was faster.
/// </remarks>
internal sealed class LlvmQueue : IDisposable
{
    private readonly LlvmTarget _target;
    private readonly LLVMCodeGenFileType _fileType;
    private readonly LlvmCompilerOptions? _options;
    private readonly CancellationToken _cancellation;
    private readonly BlockingCollection<(int Number, string Text)> _waiting = [];
    private readonly ConcurrentDictionary<int, byte[]> _objects = new();
    private readonly ConcurrentDictionary<int, Exception> _failures = new();
    private readonly Thread[] _threads;
    private volatile bool _isOver;
    private int _count;

    /// <summary>Starts the threads.</summary>
    /// <param name="target">The machine that the code is for.</param>
    /// <param name="threads">How many modules are compiled at a time; 0 means one for each processor.</param>
    /// <param name="cancellation">Stops before the next module is begun.</param>
    /// <param name="fileType">What modules become.</param>
    /// <param name="options">Passes and effort; <see cref="LlvmCompilerOptions.Default"/> when null.</param>
    public LlvmQueue(
        LlvmTarget target, int threads, CancellationToken cancellation,
        LLVMCodeGenFileType fileType = LLVMCodeGenFileType.LLVMObjectFile, LlvmCompilerOptions? options = null)
    {
        _options = options;
        _target = target;
        _fileType = fileType;
        _cancellation = cancellation;
        _threads = new Thread[threads > 0 ? threads : Environment.ProcessorCount];
        for (int i = 0; i < _threads.Length; i++)
        {
            _threads[i] = new Thread(Work, LlvmCompiler.StackSizeInBytes) { IsBackground = true, Name = "graphene llvm" };
            _threads[i].Start();
        }
    }

    /// <summary>Hands a module over.</summary>
    /// <param name="text">LLVM IR.</param>
    public void Add(string text) => _waiting.Add((_count++, text));

    /// <summary>Waits until everything is compiled.</summary>
    /// <returns>One object for each module, in the order of the modules.</returns>
    /// <exception cref="GraphException">There is no code generator for the target.</exception>
    /// <exception cref="CompilerBugException">LLVM refuses a module; the first in order that it refused.</exception>
    /// <exception cref="NativeLibraryException">libLLVM is missing or too old.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public byte[][] Finish()
    {
        _waiting.CompleteAdding();
        Array.ForEach(_threads, t => t.Join());
        if (!_failures.IsEmpty)
        {
            ExceptionDispatchInfo.Throw(_failures.MinBy(f => f.Key).Value);
        }
        _cancellation.ThrowIfCancellationRequested();
        return [.. Enumerable.Range(0, _count).Select(i => _objects[i])];
    }

    /// <summary>Lets the threads end, also when nobody wants the objects any more.</summary>
    public void Dispose()
    {
        _isOver = true;
        if (!_waiting.IsAddingCompleted)
        {
            _waiting.CompleteAdding();
        }
        Array.ForEach(_threads, t => t.Join());
        _waiting.Dispose();
    }

    private void Work()
    {
        int number = -1;
        try
        {
            LlvmLibrary.Ensure();
            LlvmTargetTable.Initialize(_target.Architecture);
            foreach ((int next, string text) in _waiting.GetConsumingEnumerable())
            {
                if (_isOver || _cancellation.IsCancellationRequested || !_failures.IsEmpty)
                {
                    return;
                }
                number = next;
                _objects[number] = LlvmCompiler.Emit(text, _target, _options, _fileType);
            }
        }
        catch (Exception e)
        {
            _failures.TryAdd(number, e);
        }
    }
}
