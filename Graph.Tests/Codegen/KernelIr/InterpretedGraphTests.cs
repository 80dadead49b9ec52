using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.KernelIr;

/// <summary>
/// Products, convolutions and reductions of sizes that fill no tile: the interpreter gives the bits of machine code, and sees that
/// no kernel leaves its buffers.
/// </summary>
internal sealed class InterpretedGraphTests
{
    private static readonly ConvolutionDimensions First = ConvolutionDimensions.ChannelsFirst(2);

    private static readonly ConvolutionDimensions Last = ConvolutionDimensions.ChannelsLast(2);

    private static IEnumerable<TestCaseData> Graphs =>
    [
        Case("dot with constant", [13, 33], (b, x) => b.Dot(x, b.Constant(Values(33, 47)))),
        Case("dot with one row", [1, 70], (b, x) => b.Dot(x, b.Constant(Values(70, 131)))),
        Case("dot with one column", [37, 19], (b, x) => b.Dot(x, b.Constant(Values(19, 1)))),
        Case("dot of fed matrices", [17, 17], (b, x) => b.Dot(x, x)),
        Case("dot with rows of the other", [23, 29], (b, x) => b.DotGeneral(x, x, [], [], [1], [1])),
        Case("dot with columns of the first", [23, 29], (b, x) => b.DotGeneral(x, x, [], [], [0], [0])),
        Case("batches of dots", [3, 5, 18, 7], (b, x) => b.DotGeneral(x, x, [0, 1], [0, 1], [3], [3])),
        Case("dot, bias and activation", [14, 40], (b, x) => Activate(b, b.Dot(x, b.Constant(Values(40, 33))))),
        Case("convolution", [2, 5, 9, 11], (b, x) => Convolve(b, x, First, [7, 5, 3, 3], new(3, 1, 1, 1))),
        Case("convolution with stride", [1, 6, 13, 13], (b, x) => Convolve(b, x, First, [19, 6, 3, 3], new(3, 2, 1, 1))),
        Case("convolution of the first layer", [1, 3, 21, 21], (b, x) => Convolve(b, x, First, [17, 3, 7, 7], new(7, 2, 3, 3))),
        Case("convolution by points", [2, 10, 5, 7], (b, x) => Convolve(b, x, First, [13, 10, 1, 1], new(1))),
        Case("convolution by points with stride", [1, 9, 7, 7], (b, x) => Convolve(b, x, First, [13, 9, 1, 1], new(1, 2))),
        Case("convolution by depth", [1, 11, 9, 9], (b, x) => Convolve(b, x, First, [11, 1, 3, 3], new(3, 1, 1, 1), 11)),
        Case("convolution by depth with stride", [1, 18, 9, 9], (b, x) => Convolve(b, x, First, [18, 1, 3, 3], new(3, 2, 1, 1), 18)),
        Case("convolution in groups", [1, 8, 9, 9], (b, x) => Convolve(b, x, First, [12, 4, 3, 3], new(3, 1, 1, 1), 2)),
        Case("convolution with activation", [1, 8, 7, 7], (b, x) => Activate(b, Convolve(b, x, First, [9, 8, 3, 3], new(3, 1, 1, 1)))),
        Case("features last", [1, 9, 9, 10], (b, x) => Convolve(b, x, Last, [3, 3, 10, 21], new(3, 1, 1, 1))),
        Case("features last by depth", [1, 9, 9, 10], (b, x) => Convolve(b, x, Last, [3, 3, 1, 10], new(3, 1, 1, 1), 10)),
        Case("softmax", [5, 77], (b, x) => b.Softmax(x, 1)),
        Case("softmax of few", [41, 5], (b, x) => b.Softmax(x, 1)),
        Case("sum of planes", [3, 6, 7, 7], (b, x) => b.ReduceSum(x, [2, 3])),
        Case("sum across rows", [260, 21], (b, x) => b.ReduceSum(x, [0])),
        Case("sum across rows of many columns", [150, 300], (b, x) => b.ReduceSum(x, [0])),
        Case("transpose", [19, 23], (b, x) => b.Transpose(x, [1, 0])),
    ];

    [TestCaseSource(nameof(Graphs))]
    public void TheInterpreterGivesTheBitsOfMachineCode(Module module)
    {
        Literal[] inputs = [Values(module.Entry.Parameters[0].Type.Shape.ToStatic())];

        LiteralAssert.AreEqual(new InterpretedModule(module).Run(inputs)[0], CompiledModule.Run(module, inputs)[0]);
    }

    private static Node Convolve(
        GraphBuilder b, Node x, ConvolutionDimensions dimensions, long[] weights, WindowDim window, int groups = 1) =>
        b.Add(new ConvolutionOp(dimensions, [window, window], groups, 1, DType.F32), x, b.Constant(Values(weights)));

    private static Node Activate(GraphBuilder b, Node x)
    {
        Node bias = b.BroadcastInDim(b.Constant(Values(x.Shape[1].Value)), x.Shape, [1]);
        return b.Maximum(b.Add(x, bias), b.Splat(DType.F32, x.Shape, 0));
    }

    private static TestCaseData Case(string name, long[] shape, Func<GraphBuilder, Node, Node> build) => new TestCaseData(
        CompiledModule.Build(b => [build(b, b.Parameter(0, new TensorType(DType.F32, Shape.Of(shape))))])).SetArgDisplayNames(name);

    private static Literal Values(params long[] shape)
    {
        var random = new Random(29);
        return Literal.Generate(
            new TensorType(DType.F32, Shape.Of(shape)), _ => Scalar.FromDouble(DType.F32, random.NextDouble() - 0.5));
    }
}
