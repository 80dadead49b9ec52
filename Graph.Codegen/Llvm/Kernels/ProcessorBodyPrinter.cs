using System.Globalization;

namespace Graphene.Codegen.Llvm;

/// <summary>A kernel for processors: <c>(ptr ctx, ptr args, i64 begin, i64 end)</c>, which runs the tasks from begin to end.</summary>
internal sealed partial class ProcessorBodyPrinter(
    LlvmTarget target, Func<DimSymbol, int> symbolOrdinal, bool checksCancellation) : LlvmBodyPrinter(target)
{
    // Offsets in the native context: symbols, cancel.
    private const int SymbolsOffset = 8;
    private const int CancelOffset = 32;

    private string? _symbolTable;
    private Kernel? _kernel;

    /// <summary>The text after the function's name.</summary>
    public string Print(Kernel kernel)
    {
        _kernel = kernel;
        string? cancel = checksCancellation ? CancellationFlag() : null;
        string first = Out.NewLabel();
        Out.Begin(first);
        LlvmValue begin = new("%begin", KType.Index);
        LlvmValue end = new("%end", KType.Index);
        Loop(begin, end, 1, kernel.Task, () => Block(kernel.Body), () => cancel is null ? null : IsNotSet(cancel));
        EndStreaming();
        Out.Do("ret void");
        return $"(ptr noundef nonnull %ctx, ptr %args, i64 %begin, i64 %end) #0 {{\n{Out.ToText(first)}}}\n";
    }

    /// <inheritdoc/>
    protected override bool SplitsAddresses => true;

    /// <inheritdoc/>
    protected override string ArgumentAddress(KBuffer buffer) =>
        Out.AddToEntry($"load ptr, ptr {ArgumentPlace(buffer.Argument)}, align 8{LlvmMetadata.BufferPointer}");

    /// <inheritdoc/>
    protected override LlvmValue SymbolValue(DimSymbol symbol) =>
        new(Out.AddToEntry($"load i64, ptr {SymbolPlace(symbol)}, align 8, !invariant.load !3"), KType.Index);

    private string CancellationFlag()
    {
        string place = Out.AddToEntry($"getelementptr inbounds i8, ptr %ctx, i64 {CancelOffset}");
        return Out.AddToEntry($"load ptr, ptr {place}, align 8, !invariant.load !3");
    }

    private LlvmValue IsNotSet(string flag)
    {
        LlvmValue value = Out.Add(new KType(DType.I32), $"load volatile i32, ptr {flag}, align 4");
        return Out.Add(Bool, $"icmp eq {value}, 0");
    }

    private string ArgumentPlace(int argument)
    {
        string offset = (8 * (long)argument).ToString(CultureInfo.InvariantCulture);
        return Out.AddToEntry($"getelementptr inbounds i8, ptr %args, i64 {offset}");
    }

    private string SymbolPlace(DimSymbol symbol)
    {
        for (int i = 0; i < _kernel!.Sizes.Count; i++)
        {
            if (_kernel.Sizes[i] == symbol)
            {
                return ArgumentPlace(_kernel.Arguments.Count + i); // behind the buffers
            }
        }
        if (_symbolTable is null)
        {
            string field = Out.AddToEntry($"getelementptr inbounds i8, ptr %ctx, i64 {SymbolsOffset}");
            _symbolTable = Out.AddToEntry($"load ptr, ptr {field}, align 8, !invariant.load !3");
        }
        string offset = (8 * (long)symbolOrdinal(symbol)).ToString(CultureInfo.InvariantCulture);
        return Out.AddToEntry($"getelementptr inbounds i8, ptr {_symbolTable}, i64 {offset}");
    }
}
