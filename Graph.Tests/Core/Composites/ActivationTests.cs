using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core.Composites;

internal sealed class ActivationTests
{
    private static readonly Literal X = F32(
        [14], -1e30f, -100, -20, -6, -3, -1, -0.25f, 0, 0.25f, 1, 3, 6, 100, 1e30f);

    [Test]
    public void ActivationsFollowTheirDefinitions()
    {
        Check(b => b.Relu(b.Constant(X)), x => Math.Max(x, 0));
        Check(b => b.Relu6(b.Constant(X)), x => Math.Clamp(x, 0, 6));
        Check(b => b.LeakyRelu(b.Constant(X), 0.1), x => x < 0 ? 0.1 * x : x);
        Check(b => b.PRelu(b.Constant(X), b.Constant(F32([1], 0.3f))), x => x < 0 ? 0.3f * x : x);
        Check(b => b.ThresholdedRelu(b.Constant(X), 2), x => x > 2 ? x : 0);
        Check(b => b.Elu(b.Constant(X), 1.5), x => x < 0 ? 1.5 * (Math.Exp(x) - 1) : x);
        Check(b => b.Celu(b.Constant(X), 1.5), x => x < 0 ? 1.5 * (Math.Exp(x / 1.5) - 1) : x);
        Check(b => b.Selu(b.Constant(X)), x => 1.0507009873554805 * (x < 0 ? 1.6732632423543772 * (Math.Exp(x) - 1) : x));
        Check(b => b.Silu(b.Constant(X)), x => x / (1 + Math.Exp(-x)));
        Check(b => b.Silu(b.Constant(X), 1.7), x => x / (1 + Math.Exp(-1.7 * x)));
        Check(b => b.Softplus(b.Constant(X)), x => x > 50 ? x : Math.Log(1 + Math.Exp(x)));
        Check(b => b.Softsign(b.Constant(X)), x => x / (1 + Math.Abs(x)));
        Check(b => b.Mish(b.Constant(X)), x => x > 50 ? x : x * Math.Tanh(Math.Log(1 + Math.Exp(x))));
        Check(b => b.HardSigmoid(b.Constant(X), 0.25, 0.4), x => Math.Clamp((0.25 * x) + 0.4, 0, 1));
        Check(b => b.HardSwish(b.Constant(X)), x => x * Math.Clamp((x / 6) + 0.5, 0, 1));
        Check(b => b.Shrink(b.Constant(X), 0.5, 2), x => x < -2 ? x + 0.5 : x > 2 ? x - 0.5 : 0);
        Check(
            b => b.GeluTanh(b.Constant(X)),
            x => x / 2 * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x)))));
    }

    // Values of x * Phi(x) from tables of the normal distribution.
    [Test]
    public void GeluIsXTimesTheNormalDistribution() => CompositeAssert.Elements(
        b => b.Gelu(b.Constant(F32([5], -1e30f, -2, 0, 1, 1e30f))), [0, -0.04550026389635842, 0, 0.8413447460685429, 1e30]);

    [Test]
    public void NaNStaysNaN()
    {
        Literal nan = F32([1], float.NaN);
        Func<GraphBuilder, Node>[] all =
        [
            b => b.Relu(b.Constant(nan)), b => b.LeakyRelu(b.Constant(nan)), b => b.Elu(b.Constant(nan)),
            b => b.Selu(b.Constant(nan)), b => b.Gelu(b.Constant(nan)), b => b.Silu(b.Constant(nan)),
            b => b.Softplus(b.Constant(nan)), b => b.Mish(b.Constant(nan)), b => b.HardSwish(b.Constant(nan)),
        ];
        Assert.That(all.Select(build => Floats(build)[0]), Has.All.NaN);
    }

    private static void Check(Func<GraphBuilder, Node> build, Func<double, double> definition) =>
        CompositeAssert.Elements(build, X.ToDoubles().Select(definition), 2e-6);
}
