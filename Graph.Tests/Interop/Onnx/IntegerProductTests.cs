using Google.Protobuf;
using Graphene.Interop.Onnx;
using Graphene.Interop.Onnx.Schema;
using Graphene.Tests.Support;
using NUnit.Framework;
using static Graphene.Tests.Interop.Onnx.OnnxModels;

namespace Graphene.Tests.Interop.Onnx;

/// <summary>Quantized products with stored weights multiply bytes, and give what the operators' definition gives.</summary>
[TestFixture]
public sealed class IntegerProductTests : FolderFixture
{
    // Types of both operands, both zero points, and whether bytes can be multiplied.
    [TestCase(OnnxDataType.UInt8, OnnxDataType.Int8, 131, 0, true)]
    [TestCase(OnnxDataType.UInt8, OnnxDataType.UInt8, 3, 128, true)]
    [TestCase(OnnxDataType.Int8, OnnxDataType.Int8, -7, 0, true)]
    [TestCase(OnnxDataType.UInt8, OnnxDataType.UInt8, 0, 100, false)]
    public void MatMulInteger(OnnxDataType left, OnnxDataType right, int leftZero, int rightZero, bool isNarrow)
    {
        const int Rows = 5, Depth = 19, Columns = 7;
        int[] x = Values(left, Rows * Depth, 1);
        int[] w = Values(right, Depth * Columns, 2);
        ModelProto model = Model(Graph(
            [Tensor("x", left, Rows, Depth), Tensor("xz", left)], [Tensor("y", OnnxDataType.Int32, Rows, Columns)],
            Node("MatMulInteger", ["x", "w", "xz", "wz"], ["y"])));
        model.Graph.Initializer.Add(Stored("w", right, [Depth, Columns], w));
        model.Graph.Initializer.Add(Stored("wz", right, [], rightZero));
        Module module = OnnxImporter.Import(model.Save(Folder.Path)).Module;

        Literal[] arguments = [Elements(left, x, Rows, Depth), Elements(left, [leftZero])];
        int[] expected = new int[Rows * Columns];
        for (int i = 0; i < expected.Length; i++)
        {
            (int row, int column) = Math.DivRem(i, Columns);
            expected[i] = Enumerable.Range(0, Depth).Sum(
                k => (x[(row * Depth) + k] - leftZero) * (w[(k * Columns) + column] - rightZero));
        }
        Check(module, arguments, expected);
        Assert.That(OperandOf<DotGeneralOp>(module).SizeInBits() == 8, Is.EqualTo(isNarrow));
    }

    [TestCase(OnnxDataType.UInt8, OnnxDataType.Int8, 131, 0, true)]
    [TestCase(OnnxDataType.UInt8, OnnxDataType.UInt8, 3, 128, true)]
    [TestCase(OnnxDataType.Int8, OnnxDataType.Int8, -7, 0, true)]
    [TestCase(OnnxDataType.UInt8, OnnxDataType.UInt8, 0, 100, false)]
    public void ConvInteger(OnnxDataType left, OnnxDataType right, int leftZero, int rightZero, bool isNarrow)
    {
        const int Size = 6, Inputs = 5, Outputs = 3;
        int[] x = Values(left, Inputs * Size * Size, 3);
        int[] w = Values(right, Outputs * Inputs * 9, 4);
        ModelProto model = Model(Graph(
            [Tensor("x", left, 1, Inputs, Size, Size), Tensor("xz", left)], [Tensor("y", OnnxDataType.Int32, 1, Outputs, Size, Size)],
            Node("ConvInteger", ["x", "w", "xz", "wz"], ["y"], IntList("pads", 1, 1, 1, 1))));
        model.Graph.Initializer.Add(Stored("w", right, [Outputs, Inputs, 3, 3], w));
        model.Graph.Initializer.Add(Stored("wz", right, [], rightZero));
        Module module = OnnxImporter.Import(model.Save(Folder.Path)).Module;

        Literal[] arguments = [Elements(left, x, 1, Inputs, Size, Size), Elements(left, [leftZero])];
        var expected = new List<int>();
        foreach (long[] at in IndexSpace.Of([Outputs, Size, Size]))
        {
            expected.Add(IndexSpace.Of([Inputs, 3, 3]).Sum(k =>
            {
                (long row, long column) = (at[1] + k[1] - 1, at[2] + k[2] - 1);
                bool isInside = row is >= 0 and < Size && column is >= 0 and < Size;
                int value = isInside ? x[(((k[0] * Size) + row) * Size) + column] - leftZero : 0;
                return value * (w[(((((at[0] * Inputs) + k[0]) * 3) + k[1]) * 3) + k[2]] - rightZero);
            }));
        }
        Check(module, arguments, [.. expected]);
        Assert.That(OperandOf<ConvolutionOp>(module).SizeInBits() == 8, Is.EqualTo(isNarrow));
    }

    [TestCase(OnnxDataType.Int8, true)]
    [TestCase(OnnxDataType.UInt8, false)]
    public void ChannelsHaveZeroPointsOfTheirOwn(OnnxDataType right, bool isNarrow)
    {
        const int Rows = 3, Depth = 19, Columns = 4;
        int[] zeros = right == OnnxDataType.Int8 ? [0, 3, -2, 1] : [128, 3, 255, 0]; // of small weights, and of bytes that need a ninth bit
        int[] x = Values(OnnxDataType.UInt8, Rows * Depth, 1);
        int[] w = [.. Values(right, Depth * Columns, 2).Select(v => right == OnnxDataType.Int8 ? v / 2 : v)];
        ModelProto model = Model(Graph(
            [Tensor("x", OnnxDataType.UInt8, Rows, Depth), Tensor("xz", OnnxDataType.UInt8)], [Tensor("y", OnnxDataType.Int32, Rows, Columns)],
            Node("MatMulInteger", ["x", "w", "xz", "wz"], ["y"])));
        model.Graph.Initializer.Add(Stored("w", right, [Depth, Columns], w));
        model.Graph.Initializer.Add(Stored("wz", right, [Columns], zeros));
        Module module = OnnxImporter.Import(model.Save(Folder.Path)).Module;

        int[] expected = [.. Enumerable.Range(0, Rows * Columns).Select(i => Enumerable.Range(0, Depth).Sum(
            k => (x[(i / Columns * Depth) + k] - 131) * (w[(k * Columns) + (i % Columns)] - zeros[i % Columns])))];
        Check(module, [Elements(OnnxDataType.UInt8, x, Rows, Depth), Elements(OnnxDataType.UInt8, [131])], expected);
        Assert.That(OperandOf<DotGeneralOp>(module).SizeInBits() == 8, Is.EqualTo(isNarrow));
    }

    private static void Check(Module module, Literal[] arguments, int[] expected)
    {
        Literal evaluated = Evaluator.Evaluate(module.Entry, arguments)[0];
        Assert.That(evaluated.As<int>().ToArray(), Is.EqualTo(expected));
        LiteralAssert.AreEqual(CompiledModule.Run(module, arguments)[0], evaluated, "compiled");
    }

    private static DType OperandOf<T>(Module module)
        where T : Op => module.Entry.PostOrder().Single(n => n.Op is T).Operands[0].DType;

    private static int[] Values(OnnxDataType type, int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => type == OnnxDataType.Int8 ? random.Next(-128, 128) : random.Next(256))];
    }

    private static Literal Elements(OnnxDataType type, int[] values, params long[] dims)
    {
        DType element = type == OnnxDataType.Int8 ? DType.I8 : DType.U8;
        int i = 0;
        return Literal.Generate(new TensorType(element, Shape.Of(dims)), _ => Scalar.FromInteger(element, values[i++]));
    }

    private static TensorProto Stored(string name, OnnxDataType type, long[] dims, params int[] values)
    {
        var tensor = new TensorProto
        {
            Name = name,
            DataType = (int)type,
            RawData = ByteString.CopyFrom([.. values.Select(v => unchecked((byte)v))]),
        };
        tensor.Dims.AddRange(dims);
        return tensor;
    }
}
