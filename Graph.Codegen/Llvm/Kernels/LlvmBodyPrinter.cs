using System.Globalization;

namespace Graphene.Codegen.Llvm;

/// <summary>Prints the body of one kernel: argument and symbol loads, the loop over tasks, and in it the statements.</summary>
internal sealed partial class LlvmBodyPrinter(
    LlvmTarget target, Func<DimSymbol, int> symbolOrdinal, bool checksCancellation)
{
    // Offsets in the native context: symbols, cancel.
    private const int SymbolsOffset = 8;
    private const int CancelOffset = 32;

    private static readonly KType Bool = new(DType.Bool);

    private readonly LlvmFunctionWriter _out = new();
    private readonly Dictionary<KBuffer, string> _buffers = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<DimSymbol, LlvmValue> _symbols = [];
    private readonly Dictionary<KVariable, LlvmValue> _variables = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<KRegister, string> _registers = new(ReferenceEqualityComparer.Instance);
    private string? _symbolTable;
    private Kernel? _kernel;

    /// <summary>The text after the function's name.</summary>
    public string Print(Kernel kernel)
    {
        _kernel = kernel;
        string? cancel = checksCancellation ? CancellationFlag() : null;
        string first = _out.NewLabel();
        _out.Begin(first);
        LlvmValue begin = new("%begin", KType.Index);
        LlvmValue end = new("%end", KType.Index);
        Loop(begin, end, 1, kernel.Task, () => Block(kernel.Body), () => cancel is null ? null : IsNotSet(cancel));
        EndStreaming();
        _out.Do("ret void");
        return $"(ptr noundef nonnull %ctx, ptr %args, i64 %begin, i64 %end) #0 {{\n{_out.ToText(first)}}}\n";
    }

    // The test stands at the end, behind one guard: what the first round surely executes may move out of the loop.
    private void Loop(LlvmValue begin, LlvmValue end, long step, KVariable variable, Action body, Func<LlvmValue?> mayGoOn)
    {
        string before = _out.Block;
        string round = _out.NewLabel();
        string latch = _out.NewLabel();
        string done = _out.NewLabel();
        LlvmValue counter = new(_out.NewRegister(), KType.Index);
        LlvmValue next = new(_out.NewRegister(), KType.Index);
        LlvmValue any = _out.Add(Bool, $"icmp slt {begin}, {end.Name}");
        _out.Branch(any, round, done);
        _out.Begin(round);
        _out.Define(counter.Name, $"phi i64 [ {begin.Name}, %{before} ], [ {next.Name}, %{latch} ]");
        _variables[variable] = counter;
        body();
        _out.Branch(latch);
        _out.Begin(latch);
        _out.Define(next.Name, $"add nsw {counter}, {step}");
        LlvmValue more = _out.Add(Bool, $"icmp slt {next}, {end.Name}");
        _out.Branch(mayGoOn() is { } condition ? And(more, condition) : more, round, done);
        _out.Begin(done);
    }

    private string CancellationFlag()
    {
        string place = _out.AddToEntry($"getelementptr inbounds i8, ptr %ctx, i64 {CancelOffset}");
        return _out.AddToEntry($"load ptr, ptr {place}, align 8, !invariant.load !3");
    }

    private LlvmValue IsNotSet(string flag)
    {
        LlvmValue value = _out.Add(new KType(DType.I32), $"load volatile i32, ptr {flag}, align 4");
        return _out.Add(Bool, $"icmp eq {value}, 0");
    }

    private LlvmValue And(LlvmValue a, LlvmValue b) => _out.Add(a.Type, $"and {a}, {b.Name}");

    // The address of a buffer, loaded once at the start.
    private string Address(KBuffer buffer)
    {
        if (_buffers.TryGetValue(buffer, out string? known))
        {
            return known;
        }
        if (buffer.IsScratch)
        {
            throw new CompilerBugException("LLVM printer", $"scratch '{buffer}' is used outside of its block");
        }
        string place = ArgumentPlace(buffer.Argument);
        string address = _out.AddToEntry($"load ptr, ptr {place}, align 8{LlvmMetadata.BufferPointer}");
        _buffers.Add(buffer, address);
        return address;
    }

    private string ArgumentPlace(int argument)
    {
        string offset = (8 * (long)argument).ToString(CultureInfo.InvariantCulture);
        return _out.AddToEntry($"getelementptr inbounds i8, ptr %args, i64 {offset}");
    }

    private LlvmValue Symbol(DimSymbol symbol)
    {
        if (!_symbols.TryGetValue(symbol, out LlvmValue value))
        {
            string place = SymbolPlace(symbol);
            value = new(_out.AddToEntry($"load i64, ptr {place}, align 8, !invariant.load !3"), KType.Index);
            _symbols.Add(symbol, value);
        }
        return value;
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
            string field = _out.AddToEntry($"getelementptr inbounds i8, ptr %ctx, i64 {SymbolsOffset}");
            _symbolTable = _out.AddToEntry($"load ptr, ptr {field}, align 8, !invariant.load !3");
        }
        string offset = (8 * (long)symbolOrdinal(symbol)).ToString(CultureInfo.InvariantCulture);
        return _out.AddToEntry($"getelementptr inbounds i8, ptr {_symbolTable}, i64 {offset}");
    }

    private static CompilerBugException Bug(string what) => new("LLVM printer", what);
}
