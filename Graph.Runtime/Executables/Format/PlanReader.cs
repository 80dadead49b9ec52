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
    private const int MinDimStepBytes = 9;
    private DimSymbol[] _symbols;
    private readonly DimBudget _budget = new();

    private PlanReader(byte[] bytes)
        : base(bytes, "plan") => _symbols = null!; // until they are read, before every dimension

    /// <summary>Reads a plan and the names of the objects.</summary>
    /// <param name="bytes">The plan.</param>
    /// <param name="objectNames">The names of the objects.</param>
    /// <param name="version">The version of the file that it is in.</param>
    public static ExecutablePlan Read(byte[] bytes, out string[] objectNames, int version = FileLayout.Version)
    {
        var r = new PlanReader(bytes);
        string name = r.Text();
        string compiler = r.Text();
        string triple = r.Text();
        string features = r.Text();
        string entry = r.Text();
        objectNames = r.Texts();
        r._symbols = r.Symbols();
        var plan = new ExecutablePlan
        {
            Name = name,
            CompilerVersion = compiler,
            TargetTriple = triple,
            CpuFeatures = features,
            EntrySymbol = entry,
            SymbolTable = r._symbols,
            InputTable = r.Inputs(),
            OutputTable = r.Outputs(),
            BufferTable = r.Buffers(),
            CheckTable = r.Checks(),
            NativeCheckTable = r.Texts(),
            HostCallTable = r.HostCalls(),
            KernelTable = r.Kernels(),
            Gpu = version >= FileLayout.FirstVersionWithGpu && r.Flag() ? r.Gpu() : null,
        };
        r.RequireEnd();
        return plan;
    }

    private DimSymbol[] Symbols()
    {
        var list = new DimSymbol[Count(20)];
        for (int i = 0; i < list.Length; i++)
        {
            list[i] = Symbol();
        }
        return list;
    }

    private InputSpec[] Inputs()
    {
        var list = new InputSpec[Count(16)];
        for (int i = 0; i < list.Length; i++)
        {
            list[i] = Input();
        }
        return list;
    }

    private OutputSpec[] Outputs()
    {
        var list = new OutputSpec[Count(16)];
        for (int i = 0; i < list.Length; i++)
        {
            list[i] = Output();
        }
        return list;
    }

    private BufferSpec[] Buffers()
    {
        var list = new BufferSpec[Count(20)];
        for (int i = 0; i < list.Length; i++)
        {
            list[i] = Buffer();
        }
        return list;
    }

    private ShapeCheck[] Checks()
    {
        var list = new ShapeCheck[Count(16)];
        for (int i = 0; i < list.Length; i++)
        {
            list[i] = Check();
        }
        return list;
    }

    private HostCallSpec[] HostCalls()
    {
        var list = new HostCallSpec[Count(20)];
        for (int i = 0; i < list.Length; i++)
        {
            list[i] = HostCall();
        }
        return list;
    }

    private KernelSpec[] Kernels()
    {
        var list = new KernelSpec[Count(16)];
        for (int i = 0; i < list.Length; i++)
        {
            list[i] = Kernel();
        }
        return list;
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
        try
        {
            Dim count = 1;
            foreach (Dim dim in dims)
            {
                Spend(count, dim); // everyone will ask for the number of elements
                count *= dim;
            }
        }
        catch (Exception e) when (IsImpossible(e))
        {
            throw BadDim(e);
        }
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
        try
        {
            return DimProgram.ToDim(steps, _symbols, _budget) ?? throw TooComplicated();
        }
        catch (Exception e) when (IsImpossible(e))
        {
            throw BadDim(e);
        }
    }

    private void Spend(Dim left, Dim right)
    {
        if (!_budget.Spend(left, right))
        {
            throw TooComplicated();
        }
    }

    private static bool IsImpossible(Exception e) => e is OverflowException or DivideByZeroException;

    private InvalidDataException BadDim(Exception e) => Bad($"a dimension cannot be computed: {e.Message}");

    private InvalidDataException TooComplicated() => Bad("its dimensions are too complicated");
}
