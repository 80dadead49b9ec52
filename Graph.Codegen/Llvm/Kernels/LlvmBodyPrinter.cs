namespace Graphene.Codegen.Llvm;

/// <summary>
/// Prints the body of one kernel: its statements and expressions. How it is entered, where its arguments are and how lanes are left out
/// of an access is the machine's: see <see cref="ProcessorBodyPrinter"/> and <see cref="Ptx.GpuBodyPrinter"/>.
/// </summary>
internal abstract partial class LlvmBodyPrinter(LlvmTarget target)
{
    /// <summary>The type of a condition.</summary>
    protected static readonly KType Bool = new(DType.Bool);

    private readonly Dictionary<KBuffer, string> _buffers = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<DimSymbol, LlvmValue> _symbols = [];
    private readonly Dictionary<KVariable, LlvmValue> _variables = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<KRegister, string> _registers = new(ReferenceEqualityComparer.Instance);

    /// <summary>The machine.</summary>
    protected LlvmTarget Target => target;

    /// <summary>What is written.</summary>
    protected LlvmFunctionWriter Out { get; } = new();

    /// <summary>The register or global that holds the address of an argument. Asked once, when it is first needed.</summary>
    protected abstract string ArgumentAddress(KBuffer buffer);

    /// <summary>The address of scratch that is declared.</summary>
    protected virtual string ScratchAddress(KBuffer buffer) =>
        Alloca($"[{buffer.Length} x {LlvmTypes.MemoryElement(buffer.Element)}]", ", align 64");

    /// <summary>The type of pointers into a buffer.</summary>
    protected virtual string PointerType(KBuffer buffer) => "ptr";

    /// <summary>The value of a symbol. Asked once, when it is first needed.</summary>
    protected abstract LlvmValue SymbolValue(DimSymbol symbol);

    /// <summary>Gives a variable its value.</summary>
    protected void Bind(KVariable variable, LlvmValue value) => _variables[variable] = value;

    /// <summary>A counted loop.</summary>
    /// <remarks>The test stands at the end, behind one guard: what the first round surely executes may move out of the loop.</remarks>
    /// <param name="begin">The first value of the counter, in the type that it counts in.</param>
    /// <param name="end">The bound, of the same type.</param>
    /// <param name="step">Positive.</param>
    /// <param name="variable">The counter, of which the body knows the value as an index.</param>
    /// <param name="body">One round.</param>
    /// <param name="mayGoOn">A condition besides the bound; null for none.</param>
    protected void Loop(LlvmValue begin, LlvmValue end, long step, KVariable variable, Action body, Func<LlvmValue?> mayGoOn)
    {
        KType type = begin.Type;
        string before = Out.Block;
        string round = Out.NewLabel();
        string latch = Out.NewLabel();
        string done = Out.NewLabel();
        LlvmValue counter = new(Out.NewRegister(), type);
        LlvmValue next = new(Out.NewRegister(), type);
        LlvmValue any = Out.Add(Bool, $"icmp slt {begin}, {end.Name}");
        Out.Branch(any, round, done);
        Out.Begin(round);
        Out.Define(counter.Name, $"phi {LlvmTypes.Register(type)} [ {begin.Name}, %{before} ], [ {next.Name}, %{latch} ]");
        _variables[variable] = type == KType.Index ? counter : Cast("sext", counter, DType.I64);
        body();
        Out.Branch(latch);
        Out.Begin(latch);
        Out.Define(next.Name, $"add nsw {counter}, {step}");
        LlvmValue more = Out.Add(Bool, $"icmp slt {next}, {end.Name}");
        Out.Branch(mayGoOn() is { } condition ? And(more, condition) : more, round, done);
        Out.Begin(done);
    }

    /// <summary>Both.</summary>
    protected LlvmValue And(LlvmValue a, LlvmValue b) => Out.Add(a.Type, $"and {a}, {b.Name}");

    /// <summary>A broken invariant of whoever made the kernel, or of the printer.</summary>
    protected static CompilerBugException Bug(string what) => new("LLVM printer", what);

    // The address of a buffer, found once.
    private string Address(KBuffer buffer)
    {
        if (!_buffers.TryGetValue(buffer, out string? address))
        {
            address = buffer.IsScratch ? throw Bug($"scratch '{buffer}' is used outside of its block") : ArgumentAddress(buffer);
            _buffers.Add(buffer, address);
        }
        return address;
    }

    private LlvmValue Symbol(DimSymbol symbol)
    {
        if (!_symbols.TryGetValue(symbol, out LlvmValue value))
        {
            value = SymbolValue(symbol);
            _symbols.Add(symbol, value);
        }
        return value;
    }
}
