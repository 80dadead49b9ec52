using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core.Authoring;

internal sealed class GraphTests
{
    [Test]
    public void AnMlpLowersToItsOps()
    {
        var g = new Graph("mlp");
        Tensor x = g.Placeholder(DType.F32, ["batch", 3], "x");
        Tensor w = g.Constant(new float[,] { { 1, 2 }, { 3, 4 }, { 5, 6 } });
        Tensor y = (x.MatMul(w) + g.Constant(new float[] { 1, -1 })).Relu().Named("y");

        Module module = g.ToModule([y]);

        Assert.That(Printer.Print(module), Is.EqualTo(
            """
            module "mlp"
            symbol batch in 1..2147483647

            inputs "x"
            outputs "y"

            %p0 = f32[batch,3] parameter(0)
            %0 = f32[3,2] constant([1,2,3,4,5,6])
            %1 = f32[batch,2] dot_general(%p0, %0), lhs_batch=[], rhs_batch=[], lhs_contracting=[1], rhs_contracting=[0], result_type=f32
            %2 = f32[2] constant([1,-1])
            %3 = f32[batch,2] broadcast_in_dim(%2), dims=[1]
            %4 = f32[batch,2] add(%1, %3)
            %5 = f32[] constant(0)
            %6 = f32[batch,2] broadcast_in_dim(%5), dims=[]
            %7 = f32[batch,2] maximum(%4, %6)
            return %7

            """));
    }

    [Test]
    public void NumbersTakeTheTensorsElementType()
    {
        var g = new Graph();
        var session = new TestSession(g);
        Tensor i = g.Constant(7);

        Assert.Multiple(() =>
        {
            Assert.That((i * 2).DType, Is.EqualTo(DType.I32));
            Assert.That(session.Scalar(1 - (i * 2)), Is.EqualTo(-13));
            Assert.That(session.Scalar(i % 4), Is.EqualTo(3));
            Assert.That(session.Scalar(-i / 2), Is.EqualTo(-3));
            Assert.That(session.Scalar(1 / g.Constant(4.0)), Is.EqualTo(0.25));
            Assert.That(session.Scalar(i.Greater(6).Where(g.Constant(1), g.Constant(0))), Is.EqualTo(1));
        });
    }

    [Test]
    public void AnyTensorCanBeFedAndWhatItReplacesIsCutOff()
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F32, [], "x");
        Tensor inner = (x * 2).Named("inner");
        Tensor y = inner + 1;

        Module module = g.ToModule([y], [inner]);

        Assert.That(module.InputNames, Is.EqualTo(new[] { "inner" }));
        Assert.That(new TestSession(g).Scalar(y, (inner, F32([], 10))), Is.EqualTo(11));
    }

    [Test]
    public void DefaultsStandInForWhatIsNotFed()
    {
        var g = new Graph();
        Tensor rate = g.PlaceholderWithDefault(F32([], 0.5f), "rate");
        Tensor y = rate * 4;
        var session = new TestSession(g);

        Assert.That(session.Scalar(y), Is.EqualTo(2));
        Assert.That(session.Scalar(y, (rate, F32([], 2))), Is.EqualTo(8));
    }

    [Test]
    public void NamesAreUniqueAndScoped()
    {
        var g = new Graph();
        Tensor first = g.Placeholder(DType.F32, [], "x");
        Tensor second = g.Placeholder(DType.F32, [], "x");
        Tensor third;
        using (g.Scope("attention"))
        using (g.Scope("keys"))
        {
            third = g.Placeholder(DType.F32, [], "x");
        }

        Assert.Multiple(() =>
        {
            Assert.That(new[] { first.Name, second.Name, third.Name }, Is.EqualTo(new[] { "x", "x_1", "attention/keys/x" }));
            Assert.That(g.Find("x_1"), Is.SameAs(second));
            Assert.That(g.ToModule([first + second + third]).InputNames, Is.EqualTo(new[] { "x", "x_1", "attention/keys/x" }));
        });
    }

    [Test]
    public void OnlyWhatIsFetchedIsLowered()
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F32, [], "x");
        Tensor unused = g.Placeholder(DType.F32, [4], "unused").Exp();
        Tensor y = x + 1;

        Assert.That(g.ToModule([y]).InputNames, Is.EqualTo(new[] { "x" }));
        Assert.That(g.ToModule([unused, y]).InputNames, Has.Length.EqualTo(2));
    }

    [Test]
    public void ArraysOfEveryRankBecomeConstants()
    {
        var g = new Graph();
        var session = new TestSession(g);

        Assert.Multiple(() =>
        {
            Assert.That(g.Constant(new[, ,] { { { 1 }, { 2 } } }).Shape, Is.EqualTo(Shape.Of(1, 2, 1)));
            Assert.That(g.Constant(new byte[2, 1, 3, 1]).Type.ToString(), Is.EqualTo("u8[2,1,3,1]"));
            Assert.That(
                session.Run([g.Constant(new[,] { { 1.5, 2 }, { 3, 4 } }).Transpose()])[0].As<double>().ToArray(),
                Is.EqualTo(new[] { 1.5, 3, 2, 4 }));
            Assert.That(session.Run([g.Range(DType.I32, 3, 5, 2)])[0].As<int>().ToArray(), Is.EqualTo(new[] { 5, 7, 9 }));
        });
    }

    [Test]
    public void OneSizeOfAReshapeMayBeLeftOpen()
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F32, ["batch", 4, 6], "x");

        Assert.Multiple(() =>
        {
            Assert.That(x.Reshape(["batch", -1]).Shape.ToString(), Is.EqualTo("[batch,24]"));
            Assert.That(x.Reshape([-1, 8]).Shape.ToString(), Is.EqualTo("[3*batch,8]"));
            Assert.That(x.Reshape([-1]).Shape.ToString(), Is.EqualTo("[24*batch]"));
        });
    }

    [Test]
    public void AConvolutionalNetworkInTensorFlowsWords()
    {
        var g = new Graph();
        Tensor image = g.Placeholder(DType.F32, ["batch", 28, 28, 1], "image");
        Tensor features = image
            .Conv2D(g.Constant(new float[3, 3, 1, 8]), padding: PaddingMode.SameUpper)
            .Relu()
            .MaxPool2D(2, 2)
            .Conv2D(g.Constant(new float[5, 5, 8, 16]))
            .AvgPool2D(2, 2);
        Tensor logits = features.Reshape(["batch", -1]).MatMul(g.Constant(new float[400, 10]));

        Assert.That(features.Shape.ToString(), Is.EqualTo("[batch,5,5,16]"));
        Assert.That(logits.Softmax().Shape.ToString(), Is.EqualTo("[batch,10]"));
    }
}
