using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace Graphene.Runtime;

/// <summary>Everything about a compiled graph but its machine code and its constants' bytes.</summary>
/// <remarks>
/// A plan made by the compiler is checked when an <see cref="Executable"/> is created from it; one from a file when
/// the file is
/// read. <see cref="Symbols"/> are numbered in the order in which compiled code reads their values.
/// </remarks>
public sealed record ExecutablePlan
{
    /// <summary>The name of the model or graph.</summary>
    public required string Name { get; init; }

    /// <summary>The build of the compiler, for messages and cache keys.</summary>
    public required string CompilerVersion { get; init; }

    /// <summary>The LLVM target triple of the machine code, for example <c>x86_64-unknown-linux-elf</c>.</summary>
    public required string TargetTriple { get; init; }

    /// <summary>Processor features that the code uses, as LLVM writes them (<c>+avx2,+fma</c>): see
    /// <see cref="HostProcessor"/>.</summary>
    public string CpuFeatures { get; init; } = "";

    /// <summary>The name of the entry function, <c>int32_t entry(GrapheneContext*)</c>.</summary>
    public required string EntrySymbol { get; init; }

    /// <summary>Symbolic dimensions, in the order of <see cref="NativeContext.Symbols"/>.</summary>
    public ImmutableArray<DimSymbol> Symbols { get => Immutable(SymbolTable); init => SymbolTable = TableOf(value); }

    /// <summary>What a run is fed.</summary>
    public ImmutableArray<InputSpec> Inputs { get => Immutable(InputTable); init => InputTable = TableOf(value); }

    /// <summary>What a run gives.</summary>
    public ImmutableArray<OutputSpec> Outputs { get => Immutable(OutputTable); init => OutputTable = TableOf(value); }

    /// <summary>The buffers, in the order of <see cref="NativeContext.Buffers"/>.</summary>
    public ImmutableArray<BufferSpec> Buffers { get => Immutable(BufferTable); init => BufferTable = TableOf(value); }

    /// <summary>Conditions between dims that the compiler assumed but could not prove; tested before every
    /// run.</summary>
    public ImmutableArray<ShapeCheck> Checks { get => Immutable(CheckTable); init => CheckTable = TableOf(value); }

    /// <summary>Messages of the checks inside compiled code, by <see cref="NativeContext.ErrorDetail"/>.</summary>
    public ImmutableArray<string> NativeChecks { get => Immutable(NativeCheckTable); init => NativeCheckTable = TableOf(value); }

    /// <summary>What compiled code may ask of its host, by the id it passes.</summary>
    public ImmutableArray<HostCallSpec> HostCalls { get => Immutable(HostCallTable); init => HostCallTable = TableOf(value); }

    /// <summary>The kernels, for profiles.</summary>
    public ImmutableArray<KernelSpec> Kernels { get => Immutable(KernelTable); init => KernelTable = TableOf(value); }

    /// <summary>What runs on a GPU instead of the entry function; null for a processor.</summary>
    public GpuPlan? Gpu { get; init; }

    /// <summary>Whether no size depends on a symbol.</summary>
    public bool IsStatic => SymbolTable.Length == 0;

    // What the lists are kept in, and what a start reads: each type of immutable array costs it a dozen interfaces.
    internal DimSymbol[] SymbolTable { get => field ?? []; init; }

    internal InputSpec[] InputTable { get => field ?? []; init; }

    internal OutputSpec[] OutputTable { get => field ?? []; init; }

    internal BufferSpec[] BufferTable { get => field ?? []; init; }

    internal ShapeCheck[] CheckTable { get => field ?? []; init; }

    internal string[] NativeCheckTable { get => field ?? []; init; }

    internal HostCallSpec[] HostCallTable { get => field ?? []; init; }

    internal KernelSpec[] KernelTable { get => field ?? []; init; }

    private static ImmutableArray<T> Immutable<T>(T[] table) => ImmutableCollectionsMarshal.AsImmutableArray(table);

    private static T[] TableOf<T>(ImmutableArray<T> list) => ImmutableCollectionsMarshal.AsArray(list) ?? [];
}

/// <summary>One input of an executable.</summary>
/// <param name="Name">The name under which it is fed.</param>
/// <param name="Type">Element type and shape, which may name symbols; row-major.</param>
/// <param name="DefaultBuffer">The constant buffer whose value is used when nothing is fed, or -1.</param>
public sealed record InputSpec(string Name, TensorType Type, int DefaultBuffer = -1);

/// <summary>One output of an executable.</summary>
/// <param name="Name">The name under which it is fetched.</param>
/// <param name="Type">Element type and shape, which may name symbols; row-major.</param>
/// <param name="Buffer">
/// The buffer that holds it after a run. One of kind <see cref="BufferKind.Result"/> is the caller's memory;
/// what lies elsewhere (a fed value, a constant, one value fetched twice) is copied.
/// </param>
public sealed record OutputSpec(string Name, TensorType Type, int Buffer);

/// <summary>Where a buffer's memory comes from; the values are part of the file format.</summary>
public enum BufferKind
{
    /// <summary>The caller's memory with the input of number <see cref="BufferSpec.Index"/>. Only read.</summary>
    Parameter,

    /// <summary>The caller's memory for the output of number <see cref="BufferSpec.Index"/>.</summary>
    Result,

    /// <summary>Part of the executable's constants, at <see cref="BufferSpec.Offset"/>. Only read.</summary>
    Constant,

    /// <summary>Part of the run's arena.</summary>
    Temp,

    /// <summary>Part of the buffer of number <see cref="BufferSpec.Index"/>, at
    /// <see cref="BufferSpec.Offset"/>.</summary>
    Alias,
}

/// <summary>One buffer of the plan: an entry of the pointer table that compiled code works on.</summary>
/// <remarks>
/// Constants and temporary buffers start at multiples of 64 bytes. Parameters and results are the caller's memory:
/// compiled code
/// may assume the alignment of one element and no more.
/// </remarks>
/// <param name="Kind">Where the memory comes from.</param>
/// <param name="SizeInBytes">The size, which may depend on symbols.</param>
public sealed record BufferSpec(BufferKind Kind, Dim SizeInBytes)
{
    /// <summary>The input, the output, or the buffer that an alias is part of.</summary>
    public int Index { get; init; } = -1;

    /// <summary>
    /// Constants: bytes into the constants. Aliases: bytes into the other buffer. Temporary buffers: bytes into the
    /// arena, or
    /// null for all of them, to be laid out when the sizes are known.
    /// </summary>
    public Dim? Offset { get; init; }

    /// <summary>The first step at which a temporary buffer holds something.</summary>
    public int FirstStep { get; init; }

    /// <summary>The last step at which it is needed; buffers whose steps do not overlap may share memory.</summary>
    public int LastStep { get; init; }

    /// <summary>The memory of an input.</summary>
    public static BufferSpec Parameter(int input, Dim sizeInBytes) =>
        new(BufferKind.Parameter, sizeInBytes) { Index = input };

    /// <summary>The memory of an output.</summary>
    public static BufferSpec Result(int output, Dim sizeInBytes) =>
        new(BufferKind.Result, sizeInBytes) { Index = output };

    /// <summary>A constant; see <see cref="ConstantWriter"/> for the offset.</summary>
    public static BufferSpec Constant(long offset, long sizeInBytes) =>
        new(BufferKind.Constant, sizeInBytes) { Offset = offset };

    /// <summary>Scratch memory that is needed from one step to another, both included.</summary>
    public static BufferSpec Temp(Dim sizeInBytes, int firstStep, int lastStep, long? arenaOffset = null) =>
        new(BufferKind.Temp, sizeInBytes)
        {
            FirstStep = firstStep,
            LastStep = lastStep,
            Offset = arenaOffset is { } offset ? offset : null,
        };

    /// <summary>Part of another buffer, which is not an alias itself.</summary>
    public static BufferSpec Alias(int buffer, Dim offset, Dim sizeInBytes) =>
        new(BufferKind.Alias, sizeInBytes) { Index = buffer, Offset = offset };
}

/// <summary>A condition between dims that must hold for a run.</summary>
/// <param name="Condition">The condition.</param>
/// <param name="Where">The node that needs it and where it was built, for the person who fed the wrong shape.</param>
public sealed record ShapeCheck(DimCheck Condition, string Where)
{
    /// <summary>Everything about the shapes of a graph's inputs that inference could not prove, and code relies on.</summary>
    /// <param name="module">
    /// The graph as its user wrote it: passes may remove the node that a condition belongs to, while others still rely on it.
    /// </param>
    public static ImmutableArray<ShapeCheck> Collect(Module module) =>
        [.. DimCheck.Collect(module.Entry).Select(c => new ShapeCheck(c.Check, Describe(module, c.Node)))];

    private static string Describe(Module module, Node node) =>
        $"{node}{string.Concat(module.Provenance[node].Take(1).Select(p => $"   built in {p}"))}";
}

/// <summary>One thing that compiled code asks of its host.</summary>
/// <param name="Kind">What to do.</param>
/// <param name="Message">The text of a print or of a failed assertion.</param>
/// <param name="Operands">The types of the values whose addresses compiled code passes.</param>
/// <param name="Origin">Where in the user's program the call was made, or null.</param>
public sealed record HostCallSpec(
    HostCallKind Kind, string Message, ImmutableArray<TensorType> Operands, string? Origin = null)
{
    private readonly TensorType[] _operands = ImmutableCollectionsMarshal.AsArray(Operands) ?? [];

    /// <summary>The types of the values whose addresses compiled code passes.</summary>
    public ImmutableArray<TensorType> Operands
    {
        get => ImmutableCollectionsMarshal.AsImmutableArray(_operands);
        init => _operands = ImmutableCollectionsMarshal.AsArray(value) ?? [];
    }
}

/// <summary>A kernel, for profiles and reports.</summary>
/// <param name="Name">The symbol of the kernel's code; kernels of one structure share it.</param>
/// <param name="Source">The ops that it does, and where they came from.</param>
/// <param name="Flops">Arithmetic operations of one call.</param>
/// <param name="Bytes">Bytes that one call must read and write.</param>
public sealed record KernelSpec(string Name, string Source, Dim Flops, Dim Bytes);
