using Graphene.Codegen.Aot;
using Graphene.Runtime;
using Microsoft.Extensions.Logging.Abstractions;

namespace Graphene.Tests.Codegen.Aot;

/// <summary>A native library in this process, called as C calls it; our own loader links it.</summary>
internal sealed unsafe class LoadedNative : IDisposable
{
    private readonly LoadedCode _code;

    public LoadedNative(CompiledLibrary library, ReadOnlyMemory<byte>? weightsFile = null)
    {
        Library = library;
        _code = LoadedCode.Load(library.Object.ToArray());
        if ((weightsFile ?? library.Weights) is { } weights)
        {
            Weights = NativeBlock.Allocate(weights.Length);
            weights.Span.CopyTo(Weights.Bytes(0, weights.Length));
        }
    }

    public CompiledLibrary Library { get; }

    public NativeBlock? Weights { get; }

    /// <summary>Compiles a module for this test's machine family, without weights file.</summary>
    public static CompiledLibrary Compile(
        Module module, AotTarget? target = null, bool isFreestanding = false, bool hasExternalWeights = false) =>
        NativeLibraryCompiler.Compile(
            [new NativeSignature("run", module)], target ?? AotTarget.Parse("x86-64-v3"),
            new NativeOptions { Name = "m", IsFreestanding = isFreestanding, HasExternalWeights = hasExternalWeights },
            NullLogger.Instance);

    public nint Function(string name) => _code.GetFunction(name);

    /// <summary>Runs a signature with workspace and outputs of exactly the sizes that the library states.</summary>
    public (int Error, Literal[] Outputs) Run(
        IReadOnlyList<Literal> inputs, IReadOnlyList<TensorType> outputTypes, long[]? dims = null, string signature = "run")
    {
        NativeFunction function = Library.Functions.Single(f => f.Name == signature);
        using var memory = new CallerMemory(inputs, outputTypes, WorkspaceBytes(function, dims));
        int error = Call(function, memory, dims);
        return (error, memory.Outputs());
    }

    private int Call(NativeFunction f, CallerMemory memory, long[]? dims)
    {
        nint address = Function(f.Symbol);
        void* weights = Weights is null ? null : Weights.Pointer;
        fixed (long* d = dims)
        {
            return (f.HasDims, Library.Options.HasExternalWeights) switch
            {
                (false, false) => ((delegate* unmanaged[Cdecl]<void**, void**, void*, int>)address)(
                    memory.InputList, memory.OutputList, memory.Workspace),
                (false, true) => ((delegate* unmanaged[Cdecl]<void**, void**, void*, void*, int>)address)(
                    memory.InputList, memory.OutputList, memory.Workspace, weights),
                (true, false) => ((delegate* unmanaged[Cdecl]<void**, void**, void*, long*, int>)address)(
                    memory.InputList, memory.OutputList, memory.Workspace, d),
                _ => ((delegate* unmanaged[Cdecl]<void**, void**, void*, long*, void*, int>)address)(
                    memory.InputList, memory.OutputList, memory.Workspace, d, weights),
            };
        }
    }

    public long WorkspaceBytes(NativeFunction f, long[]? dims)
    {
        if (!f.HasDims)
        {
            return f.StaticWorkspaceBytes;
        }
        fixed (long* d = dims)
        {
            return (long)((delegate* unmanaged[Cdecl]<long*, nuint>)Function($"{f.Prefix}_workspace_size"))(d);
        }
    }

    public void Dispose()
    {
        _code.Dispose();
        Weights?.Dispose();
    }
}

/// <summary>Inputs, outputs and workspace as a C program has them; what lies behind each of them must stay as it is.</summary>
internal sealed unsafe class CallerMemory : IDisposable
{
    private const int Guard = 64;
    private const byte Mark = 0xA5;
    private readonly List<(NativeBlock Block, long Length)> _blocks = [];
    private readonly NativeBlock _lists;
    private readonly IReadOnlyList<TensorType> _outputTypes;
    private readonly int _inputs;

    public CallerMemory(IReadOnlyList<Literal> inputs, IReadOnlyList<TensorType> outputTypes, long workspaceBytes)
    {
        _inputs = inputs.Count;
        _outputTypes = outputTypes;
        _lists = NativeBlock.Allocate(Math.Max(1, inputs.Count + outputTypes.Count) * sizeof(void*));
        InputList = (void**)_lists.Pointer;
        OutputList = InputList + inputs.Count;
        for (int i = 0; i < inputs.Count; i++)
        {
            NativeBlock block = Add(inputs[i].SizeInBytes);
            inputs[i].CopyTo(block.Bytes(0, (int)inputs[i].SizeInBytes));
            InputList[i] = block.Pointer;
        }
        for (int i = 0; i < outputTypes.Count; i++)
        {
            OutputList[i] = Add(outputTypes[i].SizeInBytes.Value).Pointer;
        }
        Workspace = Add(workspaceBytes).Pointer;
    }

    public void** InputList { get; }

    public void** OutputList { get; }

    public void* Workspace { get; }

    public Literal[] Outputs()
    {
        foreach ((NativeBlock block, long length) in _blocks)
        {
            if (block.Bytes(length, Guard).IndexOfAnyExcept(Mark) >= 0)
            {
                throw new InvalidOperationException($"memory behind a block of {length} bytes was written");
            }
        }
        return [.. _outputTypes.Select((t, i) => new Literal(
            t, _blocks[_inputs + i].Block.Bytes(0, (int)t.SizeInBytes.Value).ToArray()))];
    }

    public void Dispose()
    {
        _blocks.ForEach(b => b.Block.Dispose());
        _lists.Dispose();
    }

    private NativeBlock Add(long length)
    {
        NativeBlock block = NativeBlock.Allocate(length + Guard);
        block.Bytes(0, (int)length + Guard).Fill(Mark);
        _blocks.Add((block, length));
        return block;
    }
}
