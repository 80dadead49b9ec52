namespace Graphene.VectorMath;

/// <summary>A function that vector math expands, or that processors compute, with usual arguments for timing.</summary>
/// <param name="Op">The instruction.</param>
/// <param name="Lowest">The lowest argument when timed.</param>
/// <param name="Highest">The highest argument when timed.</param>
internal sealed record MathFunction(ScalarOp Op, double Lowest, double Highest)
{
    public static readonly MathFunction[] All =
    [
        new(ScalarOp.Exponential, -10, 10),
        new(ScalarOp.Log, 0.01, 100),
        new(ScalarOp.HyperbolicTangent, -4, 4),
        new(ScalarOp.Logistic, -8, 8),
        new(ScalarOp.ErrorFunction, -3, 3),
        new(ScalarOp.Sine, -10, 10),
        new(ScalarOp.Cosine, -10, 10),
        new(ScalarOp.ExponentialMinusOne, -2, 2),
        new(ScalarOp.LogPlusOne, -0.9, 10),
        new(ScalarOp.Tangent, -10, 10),
        new(ScalarOp.CubeRoot, -10, 10),
        new(ScalarOp.ReciprocalSquareRoot, 0.01, 100),
        new(ScalarOp.SquareRoot, 0.01, 100),
        new(ScalarOp.Power, 0.1, 4),
        new(ScalarOp.ArcTangent2, -4, 4),
    ];

    public string Name => Op.ToString();

    public bool IsBinary => Op is ScalarOp.Power or ScalarOp.ArcTangent2;
}
