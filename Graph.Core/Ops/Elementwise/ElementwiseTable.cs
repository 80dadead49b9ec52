using System.Collections.Frozen;

namespace Graphene;

/// <summary>Every elementwise function, one row each. Printer, parser, verifier, back ends and tests read this table.</summary>
/// <remarks>
/// References compute floating types in double precision and round once; element forms follow <see cref="ScalarOp"/>.
/// Names and semantics are StableHLO's; what the specification leaves open is pinned in the row's summary.
/// </remarks>
public static partial class ElementwiseTable
{
    private const string PiecewiseConstant = "piecewise constant: the derivative is 0 wherever there is one";

    private const string NotFloating = "the result is no floating-point number";

    /// <summary>All rows, ordered by name.</summary>
    public static IReadOnlyList<ElementwiseFn> All => Rows.Ordered;

    /// <summary>The row with a name; null when there is none.</summary>
    public static ElementwiseFn? Find(string name) => Rows.ByName.GetValueOrDefault(name);

    // A class of its own, so that it is initialised after the rows, which several files declare.
    private static class Rows
    {
        public static readonly ElementwiseFn[] Ordered =
        [
            Abs, Add, And, ArcTangent2, CubeRoot, Ceil, Cosine, CountLeadingZeros, Divide, ErrorFunction, Exponential,
            ExponentialMinusOne, Floor, IsFinite, Log, LogPlusOne, Logistic, Maximum, Minimum, Multiply, Negate, Not, Or,
            PopulationCount, Power, Remainder, RoundNearestAfz, RoundNearestEven, ReciprocalSquareRoot, ShiftLeft,
            ShiftRightArithmetic, ShiftRightLogical, Sign, Sine, SquareRoot, Subtract, Tangent, HyperbolicTangent, Xor,
        ];

        public static readonly FrozenDictionary<string, ElementwiseFn> ByName = Ordered.ToFrozenDictionary(fn => fn.Name);
    }
}
