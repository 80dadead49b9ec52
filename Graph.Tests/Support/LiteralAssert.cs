using NUnit.Framework;

namespace Graphene.Tests.Support;

/// <summary>Compares tensors element by element and names the first element that differs.</summary>
internal static class LiteralAssert
{
    /// <summary>Same type, same bits; a NaN equals any NaN.</summary>
    public static void AreEqual(Literal actual, Literal expected, string context = "") => AreClose(actual, expected, 0, 0, context);

    /// <summary>Same type; integers equal; floating elements within a relative or absolute bound, infinities and NaN equal.</summary>
    public static void AreClose(Literal actual, Literal expected, double relative, double absolute, string context = "")
    {
        Assert.That(actual.Type, Is.EqualTo(expected.Type), context);
        for (long i = 0; i < expected.ElementCount; i++)
        {
            Scalar x = actual[i];
            Scalar y = expected[i];
            bool isClose = x == y || (x.DType.IsFloating() && IsClose(x.AsDouble, y.AsDouble, relative, absolute));
            Assert.That(isClose, $"{context}: element {i} of {expected.Type} is {x}, not {y}");
        }
    }

    private static bool IsClose(double x, double y, double relative, double absolute) =>
        (double.IsNaN(x) && double.IsNaN(y)) ||
        (double.IsFinite(x) && double.IsFinite(y) && Math.Abs(x - y) <= (relative * Math.Abs(y)) + absolute && (relative + absolute) > 0);
}
