using NUnit.Framework;

namespace Graphene.Tests.Optimizer;

/// <summary>What tests on random graphs feed, and how they fail.</summary>
internal static class RandomGraphChecks
{
    /// <summary>Whole numbers of a type, with a few that are none: sums of them are exact in any order.</summary>
    public static Literal Whole(TensorType type, int seed)
    {
        var random = new Random(seed);
        double[] special = [-0.0, double.NaN, double.PositiveInfinity, double.NegativeInfinity];
        return Literal.Generate(type, _ => !type.DType.IsFloating() ? Scalar.FromInteger(type.DType, random.Next(-8, 8))
            : Scalar.FromDouble(type.DType, random.Next(16) == 0 ? special[random.Next(special.Length)] : random.Next(-4, 5)));
    }

    /// <summary>Makes a failure name its seed and show the graph, ready to become a golden file.</summary>
    public static void Keeps(int seed, Module module, Action check)
    {
        try
        {
            check();
        }
        catch (Exception e) when (e is not SuccessException)
        {
            Assert.Fail($"seed {seed}: {e.Message}\n{Printer.Print(module.Entry)}");
        }
    }
}
