namespace Graphene;

/// <summary>
/// The scalar instructions that element forms are written in. Back ends implement exactly these; semantics are pinned here.
/// </summary>
/// <remarks>
/// Operands and result have one dtype unless said otherwise. Integers wrap. Division of integers truncates; a division by zero
/// gives all bits set and its remainder the dividend; the smallest value divided by -1 gives itself, remainder 0. Floating
/// point follows IEEE 754 in the operand's own precision (f16 and bf16: computed in f32, rounded once per instruction),
/// denormals are kept, nothing is reassociated or contracted.
/// </remarks>
public enum ScalarOp
{
    /// <summary>Sum.</summary>
    Add,

    /// <summary>Difference.</summary>
    Subtract,

    /// <summary>Product.</summary>
    Multiply,

    /// <summary>Quotient; truncated for integers.</summary>
    Divide,

    /// <summary>Remainder with the sign of the dividend; fmod for floating types.</summary>
    Remainder,

    /// <summary>Negation.</summary>
    Negate,

    /// <summary>Absolute value; the smallest integer stays itself.</summary>
    Abs,

    /// <summary>-1, 0 or 1; keeps -0.0 and NaN.</summary>
    Sign,

    /// <summary>The larger; NaN when either is NaN; +0.0 is larger than -0.0. For bool: or.</summary>
    Maximum,

    /// <summary>The smaller; NaN when either is NaN; -0.0 is smaller than +0.0. For bool: and.</summary>
    Minimum,

    /// <summary>a * b + c, rounded once.</summary>
    FusedMultiplyAdd,

    /// <summary>Bitwise or logical and.</summary>
    And,

    /// <summary>Bitwise or logical or.</summary>
    Or,

    /// <summary>Bitwise or logical exclusive or.</summary>
    Xor,

    /// <summary>Bitwise or logical complement.</summary>
    Not,

    /// <summary>Left shift; 0 when the (unsigned) amount reaches the width.</summary>
    ShiftLeft,

    /// <summary>Right shift filling with zeros; 0 when the (unsigned) amount reaches the width.</summary>
    ShiftRightLogical,

    /// <summary>Right shift filling with the sign; all sign when the (unsigned) amount reaches the width.</summary>
    ShiftRightArithmetic,

    /// <summary>The number of set bits.</summary>
    PopulationCount,

    /// <summary>The number of leading zero bits.</summary>
    CountLeadingZeros,

    /// <summary>Rounds towards negative infinity.</summary>
    Floor,

    /// <summary>Rounds towards positive infinity.</summary>
    Ceil,

    /// <summary>Rounds to nearest, ties to even.</summary>
    RoundNearestEven,

    /// <summary>Rounds to nearest, ties away from zero.</summary>
    RoundNearestAfz,

    /// <summary>Rounds towards zero.</summary>
    Truncate,

    /// <summary>Correctly rounded square root.</summary>
    SquareRoot,

    /// <summary>1 / sqrt(x), at most 2 ulp.</summary>
    ReciprocalSquareRoot,

    /// <summary>Cube root, at most 2 ulp.</summary>
    CubeRoot,

    /// <summary>True for neither NaN nor infinite; result bool.</summary>
    IsFinite,

    /// <summary>Result bool; false when either is NaN.</summary>
    Equal,

    /// <summary>Result bool; true when either is NaN.</summary>
    NotEqual,

    /// <summary>Result bool; false when either is NaN.</summary>
    Less,

    /// <summary>Result bool; false when either is NaN.</summary>
    LessOrEqual,

    /// <summary>e^x, at most 2 ulp.</summary>
    Exponential,

    /// <summary>e^x - 1, at most 2 ulp.</summary>
    ExponentialMinusOne,

    /// <summary>Natural logarithm, at most 2 ulp.</summary>
    Log,

    /// <summary>log(1 + x), at most 2 ulp.</summary>
    LogPlusOne,

    /// <summary>Sine over the full range, at most 2 ulp.</summary>
    Sine,

    /// <summary>Cosine over the full range, at most 2 ulp.</summary>
    Cosine,

    /// <summary>Tangent, at most 4 ulp.</summary>
    Tangent,

    /// <summary>Hyperbolic tangent, at most 2 ulp.</summary>
    HyperbolicTangent,

    /// <summary>1 / (1 + e^-x), at most 2 ulp.</summary>
    Logistic,

    /// <summary>Error function, at most 2 ulp.</summary>
    ErrorFunction,

    /// <summary>x^y with the special cases of IEEE 754 pow, at most 4 ulp.</summary>
    Power,

    /// <summary>The angle of the point (y, x), special cases as IEEE 754, at most 4 ulp.</summary>
    ArcTangent2,
}
