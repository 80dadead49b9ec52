using Google.Protobuf;
using Graphene.Interop.Onnx;
using Graphene.Interop.Onnx.Schema;
using NUnit.Framework;
using static Graphene.Tests.Interop.Onnx.OnnxModels;

namespace Graphene.Tests.Interop.Onnx;

internal sealed class ControlFlowImportTests
{
    [TestCase(true)]
    [TestCase(false)]
    public void ABranchMayHandOnAnOuterValue(bool condition)
    {
        GraphProto same = Graph([], [Tensor("a", 3)], Node("Identity", ["x"], ["a"]));
        GraphProto other = Graph([], [Tensor("b", 3)], Node("Neg", ["x"], ["b"]));
        ModelProto model = Model(Graph(
            [Tensor("x", 3), Tensor("c", OnnxDataType.Bool)], [Tensor("y", 3)],
            Node("If", ["c"], ["y"], Body("then_branch", same), Body("else_branch", other))));
        using OnnxModelFile file = OnnxModelFile.Load(model.ToByteArray(), "model.onnx");
        Literal x = Literal.From<float>([1, 2, 3], 3);

        Literal y = Evaluator.Evaluate(
            OnnxImporter.Import(file).Module.Entry, [x, Literal.FromScalar(Scalar.FromBool(condition))])[0];

        Assert.That(y.ToDoubles(), Is.EqualTo(condition ? new double[] { 1, 2, 3 } : [-1, -2, -3]));
    }
}
