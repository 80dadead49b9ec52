namespace Graphene.Codegen;

/// <summary>A value in Kernel IR. Expressions have no effects; one that must be computed once is bound by <see cref="KLet"/>.</summary>
/// <param name="Type">Element type and lanes.</param>
public abstract record KExpr(KType Type)
{
    /// <summary>An index constant.</summary>
    public static implicit operator KExpr(long value) => new KConstant(Scalar.FromInteger(DType.I64, value), 1);
}

/// <summary>A constant in every lane.</summary>
/// <param name="Value">The constant.</param>
/// <param name="Lanes">How many lanes hold it.</param>
public sealed record KConstant(Scalar Value, int Lanes) : KExpr(new KType(Value.DType, Lanes));

/// <summary>An immutable variable: a loop counter, or a value bound by <see cref="KLet"/>. Compared by reference.</summary>
public sealed record KVariable : KExpr
{
    /// <summary>Creates a variable.</summary>
    /// <param name="name">A name for text; made unique by the printer.</param>
    /// <param name="type">Element type and lanes.</param>
    public KVariable(string name, KType type)
        : base(type) => Name = name;

    /// <summary>A name for text.</summary>
    public string Name { get; }

    /// <inheritdoc/>
    public bool Equals(KVariable? other) => ReferenceEquals(this, other);

    /// <inheritdoc/>
    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);
}

/// <summary>A mutable register, declared by <see cref="KDeclare"/> and set by <see cref="KAssign"/>. Compared by reference.</summary>
/// <param name="name">A name for text.</param>
/// <param name="type">Element type and lanes.</param>
public sealed class KRegister(string name, KType type)
{
    /// <summary>A name for text.</summary>
    public string Name { get; } = name;

    /// <summary>Element type and lanes.</summary>
    public KType Type { get; } = type;
}

/// <summary>The present value of a register.</summary>
/// <param name="Register">The register.</param>
public sealed record KRead(KRegister Register) : KExpr(Register.Type);

/// <summary>The value of a symbolic dim, as i64.</summary>
/// <param name="Symbol">The symbol; the plan knows its place in the context.</param>
public sealed record KSymbol(DimSymbol Symbol) : KExpr(KType.Index);

/// <summary>Consecutive elements of a buffer.</summary>
/// <param name="Buffer">The buffer.</param>
/// <param name="Index">Where the first lane lies, i64, in elements.</param>
/// <param name="Lanes">How many elements.</param>
/// <param name="Mask">Bool lanes: lanes that are off are not accessed; null for all.</param>
/// <param name="Otherwise">The value of lanes that are off; null for zero.</param>
/// <param name="Alignment">
/// A number of elements, a power of two: the index is a multiple of it, and the buffer begins at a
/// multiple of their size.
/// </param>
public sealed record KLoad(
    KBuffer Buffer, KExpr Index, int Lanes = 1, KExpr? Mask = null, KExpr? Otherwise = null, int Alignment = 1)
    : KExpr(new KType(Buffer.Element, Lanes));

/// <summary>Elements of a buffer at any places.</summary>
/// <param name="Buffer">The buffer.</param>
/// <param name="Indices">One i64 lane per element, in elements.</param>
/// <param name="Mask">Bool lanes: lanes that are off are not accessed; null for all.</param>
/// <param name="Otherwise">The value of lanes that are off; null for zero.</param>
public sealed record KGather(KBuffer Buffer, KExpr Indices, KExpr? Mask = null, KExpr? Otherwise = null)
    : KExpr(new KType(Buffer.Element, Indices.Type.Lanes));

/// <summary>
/// A scalar instruction applied lane by lane; semantics as <see cref="ScalarOp"/>. Floating arguments are f32 or f64: f16 and bf16
/// are converted before and after. Comparisons and IsFinite give bool lanes.
/// </summary>
/// <param name="Op">The instruction.</param>
/// <param name="Arguments">All of one type.</param>
public sealed record KCall(ScalarOp Op, ValueList<KExpr> Arguments) : KExpr(ResultType(Op, Arguments[0].Type))
{
    private static KType ResultType(ScalarOp op, KType argument) =>
        op is ScalarOp.Equal or ScalarOp.NotEqual or ScalarOp.Less or ScalarOp.LessOrEqual or ScalarOp.IsFinite
            ? new KType(DType.Bool, argument.Lanes)
            : argument;
}

/// <summary>One of two values, lane by lane.</summary>
/// <param name="Condition">Bool lanes.</param>
/// <param name="WhenTrue">The value where the condition holds.</param>
/// <param name="WhenFalse">The value elsewhere.</param>
/// <param name="IsRare">
/// A hint: the condition seldom holds in any lane and <paramref name="WhenTrue"/> is dear, so that a branch around it pays.
/// </param>
public sealed record KSelect(KExpr Condition, KExpr WhenTrue, KExpr WhenFalse, bool IsRare = false) : KExpr(WhenTrue.Type);

/// <summary>
/// A number times a power of two, rounded once: one instruction on some machines, and a product of several factors on the others.
/// </summary>
/// <param name="Value">The number.</param>
/// <param name="Exponent">The exponent, a number without fraction, of the same type.</param>
/// <param name="Product">The same in other expressions: what the value is where there is no instruction for it.</param>
public sealed record KScale(KExpr Value, KExpr Exponent, KExpr Product) : KExpr(Value.Type);

/// <summary>One of eight constants, lane by lane: which, say the lowest three bits of an integer.</summary>
/// <remarks>A permutation of a register where the machine has one, else a load from a table.</remarks>
/// <param name="Entries">Eight f32.</param>
/// <param name="Index">i32; higher bits do not matter.</param>
public sealed record KLookup(ValueList<Scalar> Entries, KExpr Index) : KExpr(new KType(DType.F32, Index.Type.Lanes))
{
    /// <summary>How many constants there are.</summary>
    public const int Count = 8;

    /// <summary>The constant that an index chooses.</summary>
    /// <param name="index">The bits of the index.</param>
    public Scalar Entry(ulong index) => Entries[(int)(index % Count)];
}

/// <summary>A conversion by value, lane by lane, as the convert op defines it (saturating float to integer, NaN to 0).</summary>
/// <param name="Value">What is converted.</param>
/// <param name="To">The element type of the result.</param>
public sealed record KConvert(KExpr Value, DType To) : KExpr(new KType(To, Value.Type.Lanes));

/// <summary>The same bits as another element type of the same width.</summary>
/// <param name="Value">Whose bits.</param>
/// <param name="To">The element type of the result.</param>
public sealed record KBitcast(KExpr Value, DType To) : KExpr(new KType(To, Value.Type.Lanes));

/// <summary>A scalar in every lane.</summary>
/// <param name="Value">A scalar.</param>
/// <param name="Lanes">How many lanes.</param>
public sealed record KBroadcast(KExpr Value, int Lanes) : KExpr(new KType(Value.Type.Element, Lanes));

/// <summary>The indices base, base + stride, base + 2 stride ...</summary>
/// <param name="Base">A scalar i64.</param>
/// <param name="Stride">The distance of neighbouring lanes, a scalar i64.</param>
/// <param name="Lanes">How many lanes.</param>
public sealed record KRamp(KExpr Base, KExpr Stride, int Lanes) : KExpr(new KType(DType.I64, Lanes));

/// <summary>Lanes of a vector in another order or number; one lane gives a scalar.</summary>
/// <param name="Value">A vector.</param>
/// <param name="Lanes">For each result lane, the source lane.</param>
public sealed record KShuffle(KExpr Value, ValueList<int> Lanes) : KExpr(new KType(Value.Type.Element, Lanes.Count));

/// <summary>The lanes of one vector followed by those of another of the same type.</summary>
/// <param name="Low">The first lanes.</param>
/// <param name="High">The last lanes.</param>
public sealed record KJoin(KExpr Low, KExpr High) : KExpr(new KType(Low.Type.Element, 2 * Low.Type.Lanes));

/// <summary>Whether any lane is true: what a branch can ask about a whole vector.</summary>
/// <param name="Flags">Bool lanes.</param>
public sealed record KAny(KExpr Flags) : KExpr(new KType(DType.Bool));

/// <summary>
/// Products of neighbouring narrow elements, added to wider lanes: lane i of the result is lane i of the sum plus left * right over
/// the g elements from g * i on.
/// </summary>
/// <remarks>
/// i8 and u8 in any combination (g = 4) and i16 (g = 2) are added to i32, exactly, wrapped to 32 bits. bf16 (g = 2) is added to f32 as
/// AVX512_BF16 does it: first the product of the second elements is added to the sum, then that of the first elements, each with one
/// rounding to nearest even; denormal operands and results count as zero of their sign.
/// </remarks>
/// <param name="Sum">i32 or f32.</param>
/// <param name="Left">g elements for each lane of the sum.</param>
/// <param name="Right">As many.</param>
public sealed record KDot(KExpr Sum, KExpr Left, KExpr Right) : KExpr(Sum.Type)
{
    /// <summary>How many elements of a type are multiplied for each lane; 0 for types that are not narrow.</summary>
    public static int Group(DType element) => element switch
    {
        DType.I8 or DType.U8 => 4,
        DType.I16 or DType.BF16 => 2,
        _ => 0,
    };
}
