using System.Globalization;
using Graphene.Codegen.Llvm;

namespace Graphene.Codegen.Ptx;

/// <summary>
/// A kernel for a GPU: <c>(buffers, sizes and symbols)</c>, of which every thread of every block runs the body once, with the number of
/// its block as the task.
/// </summary>
/// <remarks>
/// Buffers are pointers to global memory. Those that nobody writes are promised to be so, and their loads go through the read-only path.
/// Shared memory is one array; scratch of a thread is what LLVM cannot keep in registers.
/// </remarks>
internal sealed partial class GpuBodyPrinter(PtxTarget target) : LlvmBodyPrinter(target.Machine)
{
    /// <summary>What stands for the kernel's name in what <see cref="Print"/> gives: the array is named after it.</summary>
    public const string OwnName = "@$";

    /// <summary>The most bytes of shared memory that need not be stated by a launch.</summary>
    public const int MostStaticSharedBytes = 48 << 10;

    private const int MostBlocks = int.MaxValue;

    // Of the parameters of a kernel (PTX ISA, kernel function parameters).
    private const int MostParameters = 4352 / 8;

    // Of a CUtensorMap (CUDA driver API).
    private const int MapBytes = 128;
    private const int MapAlignment = 64;

    private readonly List<DimSymbol> _parameters = [];
    private Kernel? _kernel;
    private SharedMemoryLayout? _shared;

    /// <summary>The sizes and symbols behind the buffers, in the order of the parameters.</summary>
    public IReadOnlyList<DimSymbol> Symbols => _parameters;

    /// <summary>Where shared memory lies.</summary>
    public SharedMemoryLayout Shared => _shared ?? throw Bug("nothing was printed");

    /// <summary>The text after the function's name.</summary>
    public string Print(Kernel kernel)
    {
        _kernel = kernel;
        _shared = new SharedMemoryLayout(kernel);
        KThreads threads = kernel.Threads ?? throw Bug($"kernel '{kernel.Name}' has no threads");
        if (_shared.SizeInBytes > target.Gpu.SharedBytesPerTask)
        {
            throw Bug($"kernel '{kernel.Name}' shares {_shared.SizeInBytes} bytes; {target.Gpu} has {target.Gpu.SharedBytesPerTask}");
        }
        _parameters.AddRange(kernel.Sizes);
        string first = Out.NewLabel();
        Out.Begin(first);
        LlvmValue block = NumberOf("ctaid", MostBlocks);
        Bind(kernel.Task, kernel.Members == 1 ? block : TaskOfMember(kernel, block));
        Bind(threads.Thread, NumberOf("tid", threads.Count));
        Block(kernel.Body);
        Out.Do("ret void");
        int words = kernel.Members == 1
            ? kernel.Arguments.Count + _parameters.Count + (kernel.Maps.Count * (MapBytes + MapAlignment) / sizeof(long))
            : WordsOfTable(kernel);
        string[] parameters = kernel.Members > 1 ? [$"ptr noundef byval({TableType(kernel)}) align 8 %table"]
            :
            [
                .. kernel.Arguments.Select(Parameter), .. _parameters.Select((_, i) => $"i64 noundef %s{Number(i)}"),
                .. kernel.Maps.Select((_, i) => $"ptr noundef byval([{Number(MapBytes)} x i8]) align {Number(MapAlignment)} %m{Number(i)}"),
            ];
        return words <= MostParameters
            ? $"({string.Join(", ", parameters)}) #0 {{\n{Out.ToText(first)}}}\n"
            : throw Bug($"kernel '{kernel.Name}' has {words} arguments, more than {MostParameters}");
    }

    /// <inheritdoc/>
    protected override string ArgumentAddress(KBuffer buffer) =>
        _memberBuffers is { } buffers ? buffers[buffer.Argument] : $"%a{Number(buffer.Argument)}";

    /// <inheritdoc/>
    protected override string ScratchAddress(KBuffer buffer) => buffer.Space == KBufferSpace.Shared
        ? Out.AddToEntry($"getelementptr inbounds i8, ptr addrspace(3) {OwnName}_shared, i64 {Shared[buffer]}")
        : base.ScratchAddress(buffer);

    /// <inheritdoc/>
    protected override string PointerType(KBuffer buffer) => buffer.Space switch
    {
        KBufferSpace.Argument => "ptr addrspace(1)",
        KBufferSpace.Shared => "ptr addrspace(3)",
        _ => "ptr",
    };

    /// <inheritdoc/>
    protected override (string Pointer, string Global) TableOf(KLookup lookup) =>
        ("ptr addrspace(1)", $"{OwnName}_{LlvmLookupTable.Name(lookup)}");

    /// <inheritdoc/>
    protected override LlvmValue SymbolValue(DimSymbol symbol)
    {
        int place = _parameters.IndexOf(symbol);
        if (place < 0)
        {
            place = _parameters.Count;
            _parameters.Add(symbol);
        }
        return new LlvmValue(_memberNumbers is { } numbers ? numbers[place] : $"%s{Number(place)}", KType.Index);
    }

    // The launch starts as many blocks as there are tasks.
    private LlvmValue NumberOf(string register, int count)
    {
        string number = Out.AddToEntry($"call i32 @llvm.nvvm.read.ptx.sreg.{register}.x(), !range !{{i32 0, i32 {Number(count)}}}");
        return new LlvmValue(Out.AddToEntry($"zext i32 {number} to i64"), KType.Index);
    }

    private static string Parameter(KBuffer buffer)
    {
        string promises = buffer.IsReadOnly ? " noalias readonly" : "";
        return $"ptr addrspace(1){promises} align 64 %a{Number(buffer.Argument)}";
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    // What only later GPUs have is for schedules to know.
    private void Require(int architecture, string what)
    {
        if (target.Architecture < architecture)
        {
            throw Bug($"{what} needs sm_{architecture}, and kernel '{_kernel!.Name}' is for {target.Name}: its schedule must not use it");
        }
    }
}
