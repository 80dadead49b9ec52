namespace Graphene;

public static partial class ElementwiseTable
{
    /// <summary>Bitwise and; bool: logical and.</summary>
    public static readonly ElementwiseFn And = new("and", 2)
    {
        Accepts = DTypeSet.Logical,
        ReferenceInteger = (x, _) => x[0] & x[1],
        Element = (f, x) => f.Call(ScalarOp.And, x[0], x[1]),
        GradientNote = NotFloating,
        Commutative = true,
        AssociativeOnIntegers = true,
    };

    /// <summary>The number of zero bits above the highest set one; the width for 0.</summary>
    public static readonly ElementwiseFn CountLeadingZeros = new("count_leading_zeros", 1)
    {
        Accepts = DTypeSet.Integer,
        ReferenceInteger = (x, type) => (Int128)UInt128.LeadingZeroCount(BitsOf(x[0], type)) - (128 - type.SizeInBits()),
        Element = (f, x) => f.Call(ScalarOp.CountLeadingZeros, x[0]),
        GradientNote = NotFloating,
    };

    /// <summary>Bitwise complement; bool: logical not.</summary>
    public static readonly ElementwiseFn Not = new("not", 1)
    {
        Accepts = DTypeSet.Logical,
        ReferenceInteger = (x, type) => type == DType.Bool ? 1 - x[0] : ~x[0],
        Element = (f, x) => f.Call(ScalarOp.Not, x[0]),
        GradientNote = NotFloating,
    };

    /// <summary>Bitwise or; bool: logical or.</summary>
    public static readonly ElementwiseFn Or = new("or", 2)
    {
        Accepts = DTypeSet.Logical,
        ReferenceInteger = (x, _) => x[0] | x[1],
        Element = (f, x) => f.Call(ScalarOp.Or, x[0], x[1]),
        GradientNote = NotFloating,
        Commutative = true,
        AssociativeOnIntegers = true,
    };

    /// <summary>The number of set bits.</summary>
    public static readonly ElementwiseFn PopulationCount = new("popcnt", 1)
    {
        Accepts = DTypeSet.Integer,
        ReferenceInteger = (x, type) => (Int128)UInt128.PopCount(BitsOf(x[0], type)),
        Element = (f, x) => f.Call(ScalarOp.PopulationCount, x[0]),
        GradientNote = NotFloating,
    };

    /// <summary>Left shift; 0 when the amount, taken as unsigned, reaches the width.</summary>
    public static readonly ElementwiseFn ShiftLeft = new("shift_left", 2)
    {
        Accepts = DTypeSet.Integer,
        ReferenceInteger = (x, type) => x[1] >= 0 && x[1] < type.SizeInBits() ? x[0] << (int)x[1] : 0,
        Element = (f, x) => f.Call(ScalarOp.ShiftLeft, x[0], x[1]),
        GradientNote = NotFloating,
    };

    /// <summary>Right shift filling with the highest bit, with nothing else when the (unsigned) amount reaches the width.</summary>
    public static readonly ElementwiseFn ShiftRightArithmetic = new("shift_right_arithmetic", 2)
    {
        Accepts = DTypeSet.Integer,
        ReferenceInteger = (x, type) =>
        {
            bool isHighestSet = (BitsOf(x[0], type) >> (type.SizeInBits() - 1)) == 1;
            Int128 signed = isHighestSet ? (Int128)BitsOf(x[0], type) - ((Int128)1 << type.SizeInBits()) : x[0];
            return x[1] >= 0 && x[1] < type.SizeInBits() ? signed >> (int)x[1] : signed < 0 ? -1 : 0;
        },
        Element = (f, x) => f.Call(ScalarOp.ShiftRightArithmetic, x[0], x[1]),
        GradientNote = NotFloating,
    };

    /// <summary>Right shift filling with zeros; 0 when the amount, taken as unsigned, reaches the width.</summary>
    public static readonly ElementwiseFn ShiftRightLogical = new("shift_right_logical", 2)
    {
        Accepts = DTypeSet.Integer,
        ReferenceInteger = (x, type) =>
            x[1] >= 0 && x[1] < type.SizeInBits() ? (Int128)(BitsOf(x[0], type) >> (int)x[1]) : 0,
        Element = (f, x) => f.Call(ScalarOp.ShiftRightLogical, x[0], x[1]),
        GradientNote = NotFloating,
    };

    /// <summary>Bitwise exclusive or; bool: true when they differ.</summary>
    public static readonly ElementwiseFn Xor = new("xor", 2)
    {
        Accepts = DTypeSet.Logical,
        ReferenceInteger = (x, _) => x[0] ^ x[1],
        Element = (f, x) => f.Call(ScalarOp.Xor, x[0], x[1]),
        GradientNote = NotFloating,
        Commutative = true,
        AssociativeOnIntegers = true,
    };

    private static UInt128 BitsOf(Int128 value, DType type) => (UInt128)value & (UInt128.MaxValue >> (128 - type.SizeInBits()));
}

/// <summary>Builds logic and bit operations.</summary>
public static partial class ElementwiseBuilder
{
    /// <summary>Bitwise and; bool: logical and.</summary>
    public static Node And(this GraphBuilder b, Node x, Node y) => b.Elementwise(ElementwiseTable.And, x, y);

    /// <summary>The number of zero bits above the highest set one.</summary>
    public static Node CountLeadingZeros(this GraphBuilder b, Node x) => b.Elementwise(ElementwiseTable.CountLeadingZeros, x);

    /// <summary>Bitwise complement; bool: logical not.</summary>
    public static Node Not(this GraphBuilder b, Node x) => b.Elementwise(ElementwiseTable.Not, x);

    /// <summary>Bitwise or; bool: logical or.</summary>
    public static Node Or(this GraphBuilder b, Node x, Node y) => b.Elementwise(ElementwiseTable.Or, x, y);

    /// <summary>The number of set bits.</summary>
    public static Node PopulationCount(this GraphBuilder b, Node x) => b.Elementwise(ElementwiseTable.PopulationCount, x);

    /// <summary>Left shift by the elements of <paramref name="y"/>.</summary>
    public static Node ShiftLeft(this GraphBuilder b, Node x, Node y) => b.Elementwise(ElementwiseTable.ShiftLeft, x, y);

    /// <summary>Right shift filling with the highest bit.</summary>
    public static Node ShiftRightArithmetic(this GraphBuilder b, Node x, Node y) =>
        b.Elementwise(ElementwiseTable.ShiftRightArithmetic, x, y);

    /// <summary>Right shift filling with zeros.</summary>
    public static Node ShiftRightLogical(this GraphBuilder b, Node x, Node y) =>
        b.Elementwise(ElementwiseTable.ShiftRightLogical, x, y);

    /// <summary>Bitwise exclusive or; bool: true when they differ.</summary>
    public static Node Xor(this GraphBuilder b, Node x, Node y) => b.Elementwise(ElementwiseTable.Xor, x, y);
}
