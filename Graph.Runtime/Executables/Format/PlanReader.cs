using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace Graphene.Runtime;

/// <summary>Reads what <see cref="PlanWriter"/> wrote. The bytes are not trusted.</summary>
/// <remarks>
/// Throws <see cref="InvalidDataException"/>, never anything else: no count is believed before the bytes that it
/// promises are there,
/// and dims, whose arithmetic could be made to explode, share one budget of work.
/// </remarks>
internal sealed partial class PlanReader : FieldReader
{
    private const int MaxRank = 64;
    private const int MaxDimText = 1024;
    private const int MinDimStepBytes = 9;
    private DimSymbol[] _symbols = [];
    private long _dimBudget = 64L << 20;

    private PlanReader(ReadOnlyMemory<byte> bytes)
        : base(bytes, "plan")
    {
    }

    /// <summary>Reads a plan and the names of the objects.</summary>
    /// <param name="bytes">The plan.</param>
    /// <param name="objectNames">The names of the objects.</param>
    /// <param name="version">The version of the file that it is in.</param>
    public static ExecutablePlan Read(ReadOnlyMemory<byte> bytes, out string[] objectNames, int version = FileLayout.Version)
    {
        var r = new PlanReader(bytes);
        string name = r.Text();
        string compiler = r.Text();
        string triple = r.Text();
        string features = r.Text();
        string entry = r.Text();
        objectNames = r.List(4, r.Text);
        r._symbols = r.List(20, r.Symbol);
        var plan = new ExecutablePlan
        {
            Name = name,
            CompilerVersion = compiler,
            TargetTriple = triple,
            CpuFeatures = features,
            EntrySymbol = entry,
            SymbolTable = r._symbols,
            InputTable = r.List(16, r.Input),
            OutputTable = r.List(16, r.Output),
            BufferTable = r.List(20, r.Buffer),
            CheckTable = r.List(16, r.Check),
            NativeCheckTable = r.List(4, r.Text),
            HostCallTable = r.List(20, r.HostCall),
            KernelTable = r.List(16, r.Kernel),
            Gpu = version >= FileLayout.FirstVersionWithGpu ? r.Gpu() : null,
        };
        r.RequireEnd();
        return plan;
    }

    private DimSymbol Symbol() => new(Text(), Int64(), Int64());

    private InputSpec Input() => new(Text(), Type(), Int32());

    private OutputSpec Output() => new(Text(), Type(), Int32());

    private BufferSpec Buffer()
    {
        var kind = (BufferKind)Int32();
        Dim size = Dim();
        int index = Int32();
        Dim? offset = null;
        if (Flag())
        {
            offset = Dim();
        }
        return new BufferSpec(kind, size) { Index = index, Offset = offset, FirstStep = Int32(), LastStep = Int32() };
    }

    private ShapeCheck Check() => new(new DimCheck(Dim(), (DimRelation)Number((int)DimRelation.AtMost, "relation"), Dim()), Text());

    private HostCallSpec HostCall()
    {
        var kind = (HostCallKind)Number((int)HostCallKind.Tap, "kind of host call");
        string message = Text();
        ImmutableArray<TensorType> operands = Immutable(List(8, Type));
        bool hasOrigin = Flag();
        string origin = Text();
        return new HostCallSpec(kind, message, operands, hasOrigin ? origin : null);
    }

    private static ImmutableArray<T> Immutable<T>(T[] list) => ImmutableCollectionsMarshal.AsImmutableArray(list);

    private KernelSpec Kernel() => new(Text(), Text(), Dim(), Dim());

    private TensorType Type()
    {
        var type = (DType)Number((int)DType.C128, "element type");
        var dims = new Dim[Count(4)];
        if (dims.Length > MaxRank)
        {
            throw Bad($"a shape has {dims.Length} dimensions");
        }
        for (int i = 0; i < dims.Length; i++)
        {
            dims[i] = Dim();
        }
        Compute(() =>
        {
            Dim count = 1;
            foreach (Dim dim in dims)
            {
                Spend(count, dim); // everyone will ask for the number of elements
                count *= dim;
            }
            return count;
        });
        return new TensorType(type, Shape.Copy(dims));
    }

    private Dim Dim()
    {
        var steps = new DimStep[Count(MinDimStepBytes)];
        for (int i = 0; i < steps.Length; i++)
        {
            steps[i] = new DimStep((DimCode)Byte(), Int64());
        }
        if (DimProgram.Check(steps, _symbols.Length) is { } problem)
        {
            throw Bad($"a dimension is malformed: {problem}");
        }
        return Compute(() => DimProgram.ToDim(steps, _symbols, Spend));
    }

    private Dim Compute(Func<Dim> dim)
    {
        try
        {
            return dim();
        }
        catch (Exception e) when (e is OverflowException or DivideByZeroException)
        {
            throw Bad($"a dimension cannot be computed: {e.Message}");
        }
    }

    // An expression costs about the product of its operands' lengths; honest plans use a small fraction of the budget.
    private void Spend(Dim left, Dim right)
    {
        int leftLength = left.IsStatic ? 1 : left.ToString().Length;
        int rightLength = right.IsStatic ? 1 : right.ToString().Length;
        _dimBudget -= (long)leftLength * rightLength;
        if (leftLength > MaxDimText || rightLength > MaxDimText || _dimBudget < 0)
        {
            throw Bad("its dimensions are too complicated");
        }
    }
}
