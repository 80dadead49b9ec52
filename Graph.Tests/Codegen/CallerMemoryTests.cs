using Graphene.Codegen;
using Graphene.Runtime;
using Graphene.Tests.Codegen.KernelIr;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen;

/// <summary>Feeds and results are the caller's memory: code may count on the alignment of one element and on no more.</summary>
internal sealed class CallerMemoryTests
{
    private static readonly DType[] Types = [.. RandomExpression.Types];

    private static IEnumerable<TestCaseData> Graphs =>
    [
        Graph("elementwise", [3, 37], (b, x) => b.Exponential(b.Add(x, x))),
        Graph("whole vectors", [64], (b, x) => b.Multiply(x, x)),
        Graph("softmax", [5, 37], (b, x) => b.Softmax(x, 1)),
        Graph("sum of rows", [5, 1000], (b, x) => b.ReduceSum(x, [1])),
        Graph("sum of columns", [50, 40], (b, x) => b.ReduceSum(x, [0])),
        Graph("transpose", [24, 40], (b, x) => b.Transpose(x, [1, 0])),
        Graph("dot with constant", [13, 32], (b, x) => b.Dot(x, b.Constant(Values(32, 48)))),
        Graph("dot of fed matrices", [16, 16], (b, x) => b.Dot(x, x)),
        Graph("row by matrix", [1, 64], (b, x) => b.Dot(x, b.Constant(Values(64, 64)))),
        Graph("convolution", [1, 8, 16, 16], (b, x) => b.Add(
            new ConvolutionOp(ConvolutionDimensions.ChannelsFirst(2), [new(3, 1, 1, 1), new(3, 1, 1, 1)], 1, 1, DType.F32),
            x, b.Constant(Values(16, 8, 3, 3)))),
        Graph("pointwise convolution", [1, 16, 8, 8], (b, x) => b.Add(
            new ConvolutionOp(ConvolutionDimensions.ChannelsFirst(2), [new(1), new(1)], 1, 1, DType.F32),
            x, b.Constant(Values(16, 16, 1, 1)))),
    ];

    [TestCaseSource(nameof(Graphs))]
    public void ResultsDoNotDependOnWhereMemoryBegins(Module module)
    {
        TensorType type = module.Entry.Parameters[0].Type;
        float[] values = Values(type.Shape.ToStatic()).As<float>().ToArray();
        int resultLength = (int)module.Entry.Results[0].Type.Shape.ElementCount.Value;
        using var session = new Session(module, new CompiledModule.Uncached());
        using Callable call = session.MakeCallable(module.OutputNames);
        float[] expected = new float[resultLength];
        call.Run<float, float>(values, expected);

        for (int offset = 1; offset < 17; offset += 2)
        {
            float[] input = new float[offset + values.Length];
            values.CopyTo(input, offset);
            float[] output = new float[offset + 2 + resultLength];
            call.Run<float, float>(input.AsSpan(offset), output.AsSpan(offset + 2));
            Assert.That(output.AsSpan(offset + 2).SequenceEqual(expected), $"{offset} elements after an array's start");
        }
    }

    [TestCaseSource(nameof(Types))]
    public unsafe void KernelsReadAndWriteAtAnyElement(DType type)
    {
        const int Count = 64;
        const int Largest = 64;
        int size = type.SizeInBytes();
        Kernel kernel = MapKernel.Of("copy", [type], type, Count, 16, x => x[0]);
        using var compiled = new CompiledKernel(kernel);
        Assert.That(compiled.Text, Does.Not.Contain("!align"), "passes that infer alignment must find nothing to infer it from");
        byte[] values = SampleBits.Array(new Random(5), type, Count);
        byte[] memory = new byte[2 * ((Count * size) + (2 * Largest))];
        fixed (byte* start = memory)
        {
            nint aligned = ((nint)start + Largest - 1) & -Largest;
            for (int offset = 0; offset < Largest; offset += size)
            {
                nint input = aligned + offset;
                nint output = input + (Count * size) + size;
                values.CopyTo(new Span<byte>((void*)input, values.Length));
                compiled.RunInPlace(0, 1, [input, output]);
                Assert.That(new Span<byte>((void*)output, values.Length).SequenceEqual(values), $"{offset} bytes past 64");
            }
        }
    }

    private static TestCaseData Graph(string name, long[] shape, Func<GraphBuilder, Node, Node> build) =>
        new TestCaseData(CompiledModule.Build(
            b => [build(b, b.Parameter(0, new TensorType(DType.F32, Shape.Of(shape))))]))
            .SetArgDisplayNames(name);

    private static Literal Values(params long[] shape)
    {
        var random = new Random(23);
        return Literal.Generate(
            new TensorType(DType.F32, Shape.Of(shape)), _ => Scalar.FromDouble(DType.F32, random.NextDouble() - 0.5));
    }
}
