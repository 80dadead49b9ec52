using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Graphene.Codegen.Llvm;
using LLVMSharp.Interop;

namespace Graphene.Codegen.Aot;

/// <summary>Modules of LLVM IR as one: linked, with all but the interface made internal, optimized, and as machine code.</summary>
internal sealed partial class LinkedCode
{
    // Calls nest this deep; each pushes a return address and may have to align the stack.
    private const int NestedCalls = 6;
    private const int BytesPerCall = 24;

    private readonly AotTarget _target;
    private readonly IReadOnlyList<string> _modules;
    private readonly IReadOnlyList<string> _kept;
    private readonly (string Symbol, byte[] Bytes)? _constants;

    /// <param name="modules">LLVM IR.</param>
    /// <param name="target">What the code is for; functions say themselves what they need beyond its baseline.</param>
    /// <param name="exports">The functions that others may call.</param>
    /// <param name="constants">A global that the modules declare as an array of bytes, and its content.</param>
    public LinkedCode(
        IReadOnlyList<string> modules, AotTarget target, IReadOnlyList<string> exports, (string Symbol, byte[] Bytes)? constants)
    {
        _modules = modules;
        _target = target;
        _kept = exports;
        _constants = constants;
        Object = OnLargeStack(() => Emit(LLVMCodeGenFileType.LLVMObjectFile));
        UndefinedSymbols = ObjectSymbols.Undefined(Object);
        // Which functions instructions are made of is known when they are made; those are added, and it is done once more.
        if (target.Architecture == LlvmArchitecture.Arm32 && ArmRuntime.For(UndefinedSymbols) is { Symbols.Count: > 0 } called)
        {
            _modules = [.. modules, called.Ir];
            _kept = [.. exports, .. called.Symbols];
            Object = OnLargeStack(() => Emit(LLVMCodeGenFileType.LLVMObjectFile));
            UndefinedSymbols = ObjectSymbols.Undefined(Object);
        }
    }

    /// <summary>The relocatable object.</summary>
    public byte[] Object { get; }

    /// <summary>What it needs from elsewhere.</summary>
    public IReadOnlyList<string> UndefinedSymbols { get; }

    /// <summary>The bytes of stack that the deepest chain of calls may take.</summary>
    public long StackBytes { get; private set; }

    /// <summary>The module after the passes.</summary>
    public string Print() => OnLargeStack(() =>
    {
        using LlvmModule module = Link();
        return module.Print();
    });

    /// <summary>The code as assembly text.</summary>
    public string Assembly() => OnLargeStack(() => Encoding.UTF8.GetString(Emit(LLVMCodeGenFileType.LLVMAssemblyFile)));

    private byte[] Emit(LLVMCodeGenFileType type)
    {
        using LlvmModule module = Link();
        module.ReportStackFrames();
        byte[] code = module.Emit(type);
        StackBytes = Stack(module.Warnings);
        return code;
    }

    private LlvmModule Link()
    {
        LlvmTarget target = _target.Variants[0].Machine;
        string keep = string.Join(';', _kept.Select(e => $"preserve-gv={e}"));
        var options = new LlvmCompilerOptions
        {
            Passes = $"internalize<{keep}>,globaldce,{LlvmPipelines.Kernels},globaldce",
        };
        LlvmModule module = LlvmModule.Parse(_modules[0], target, options);
        try
        {
            foreach (string text in _modules.Skip(1))
            {
                module.Link(text, target);
            }
            if (_constants is var (symbol, bytes))
            {
                module.Define(symbol, bytes);
            }
            module.RunPasses(options);
            return module;
        }
        catch
        {
            module.Dispose();
            throw;
        }
    }

    // Kernels do not call each other: of all functions of one level of the chain, the largest counts.
    private static long Stack(IReadOnlyList<string> warnings)
    {
        var largest = new SortedDictionary<int, long>();
        foreach (string warning in warnings)
        {
            if (FrameSize().Match(warning) is { Success: true } match)
            {
                string name = match.Groups["name"].Value;
                long bytes = long.Parse(match.Groups["bytes"].Value, CultureInfo.InvariantCulture);
                int level = Level(name);
                largest[level] = Math.Max(largest.GetValueOrDefault(level), bytes);
            }
        }
        return NativePlan.RoundedUp(largest.Values.Sum() + (NestedCalls * BytesPerCall));
    }

    private static int Level(string name) =>
        name.EndsWith(".core", StringComparison.Ordinal) ? 1
        : name.EndsWith(".entry", StringComparison.Ordinal) ? 3
        : name.StartsWith("graphene_", StringComparison.Ordinal) ? 4
        : name.Contains("..", StringComparison.Ordinal) ? 5
        : name.StartsWith("graphene.", StringComparison.Ordinal) || name.StartsWith("__", StringComparison.Ordinal) ? 6 // what kernels call
        : name.Contains('.', StringComparison.Ordinal) ? 2
        : 0;

    [GeneratedRegex(@"stack frame size \((?<bytes>\d+)\) exceeds limit \(\d+\) in function '(?<name>[^']*)'")]
    private static partial Regex FrameSize();

    // LLVM expects the stack of a program's main thread.
    private static T OnLargeStack<T>(Func<T> work) =>
        LlvmWorkers.Run(1, 1, LlvmCompiler.StackSizeInBytes, _ => work(), CancellationToken.None)[0];
}
