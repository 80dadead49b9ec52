namespace Graphene.Codegen;

/// <summary>
/// Writes the transcendental instructions as basic ones. A result depends on the operand's bits alone: not on the number of
/// lanes, the target or the neighbours, so a scalar tail continues a vector body exactly.
/// </summary>
/// <remarks>
/// Only operations that IEEE 754 rounds correctly are used, so every target with fused multiply-add gives the same
/// bits. Targets without it share bits of their own: where an expansion needs a product exactly they compute it from
/// halves or in f64, elsewhere they round twice. docs/numerics.md has the methods and the measured errors,
/// tools/vector-math the derivation of the coefficients.
/// </remarks>
public static class VectorMath
{
    /// <summary>Whether an instruction is expanded.</summary>
    public static bool Expands(KCall call) => Expands(call.Op);

    /// <summary>Whether an instruction is expanded.</summary>
    public static bool Expands(ScalarOp op) => op is ScalarOp.Exponential or ScalarOp.ExponentialMinusOne
        or ScalarOp.Log or ScalarOp.LogPlusOne or ScalarOp.Sine or ScalarOp.Cosine or ScalarOp.Tangent
        or ScalarOp.HyperbolicTangent or ScalarOp.Logistic or ScalarOp.ErrorFunction or ScalarOp.Power
        or ScalarOp.ArcTangent2 or ScalarOp.CubeRoot or ScalarOp.ReciprocalSquareRoot;

    /// <summary>The same value in basic instructions; a graph whose shared parts are to be computed once.</summary>
    /// <param name="call">A call that <see cref="Expands(KCall)"/> accepts, on f32 or f64.</param>
    /// <param name="hasFma">Whether the machine has fused multiply-add; without, none is in the result.</param>
    /// <exception cref="CompilerBugException">The arguments are neither f32 nor f64.</exception>
    public static KExpr Expand(KCall call, bool hasFma = true)
    {
        if (call.Type.Element is not (DType.F32 or DType.F64))
        {
            throw new CompilerBugException("vector math", $"{call.Op} takes f32 or f64, not {call.Type}");
        }
        KNum x = new(call.Arguments[0], hasFma);
        KNum result = call.Op switch
        {
            ScalarOp.Exponential => ExponentialMath.Exponential(x),
            ScalarOp.ExponentialMinusOne => ExponentialMath.ExponentialMinusOne(x),
            ScalarOp.HyperbolicTangent => ExponentialMath.HyperbolicTangent(x),
            ScalarOp.Logistic => ExponentialMath.Logistic(x),
            ScalarOp.ReciprocalSquareRoot => 1 / x.SquareRoot(),
            ScalarOp.Log => LogarithmMath.Log(x),
            ScalarOp.LogPlusOne => LogarithmMath.LogPlusOne(x),
            ScalarOp.Sine => TrigonometricMath.Sine(x),
            ScalarOp.Cosine => TrigonometricMath.Cosine(x),
            ScalarOp.Tangent => TrigonometricMath.Tangent(x),
            ScalarOp.ErrorFunction => ErrorFunctionMath.ErrorFunction(x),
            ScalarOp.CubeRoot => CubeRootMath.CubeRoot(x),
            ScalarOp.ArcTangent2 => ArcTangentMath.ArcTangent2(x, new KNum(call.Arguments[1], hasFma)),
            ScalarOp.Power => PowerMath.Power(x, new KNum(call.Arguments[1], hasFma)),
            _ => throw new CompilerBugException("vector math", $"{call.Op} has no expansion"),
        };
        return result.Expr;
    }
}
