using Graphene.Tests.Support;

namespace Graphene.Tests.Codegen;

/// <content>What the tests compute.</content>
internal sealed partial class WinogradTests
{
    /// <summary>A convolution with features last.</summary>
    /// <param name="Size">Images, rows and columns.</param>
    /// <param name="Inputs">Input features.</param>
    /// <param name="Outputs">Output features.</param>
    /// <param name="Rows">The window along rows.</param>
    /// <param name="Columns">The window along columns.</param>
    internal sealed record Convolution(long[] Size, int Inputs, int Outputs, WindowDim Rows, WindowDim Columns)
    {
        public int Groups { get; init; } = 1;

        public DType Type { get; init; } = DType.F32;

        public long[] Input => [.. Size, Inputs];

        public TensorType Kernel => new(Type, Shape.Of(3, 3, Inputs / Groups, Outputs));

        public ConvolutionOp Op => new(ConvolutionDimensions.ChannelsLast(2), [Rows, Columns], Groups, 1, Type);

        private Literal Weights => Evaluation.Noise(Kernel.Shape.ToStatic(), 2, Type);

        public Module Build(Func<GraphBuilder, Node, Node, Node> epilogue, Dim? images = null) => CompiledModule.Build(b =>
        {
            Node x = b.Parameter(0, new TensorType(Type, [images ?? Size[0], Size[1], Size[2], Inputs]));
            return [epilogue(b, x, b.Add(Op, x, b.Constant(Weights)))];
        });

        /// <summary>The results in f64, without an epilogue.</summary>
        public double[] Exact(Literal x)
        {
            Module module = CompiledModule.Build(b => [b.Add(
                Op with { ResultType = DType.F64 }, b.Convert(b.Parameter(0, x.Type), DType.F64), b.Convert(b.Constant(Weights), DType.F64))]);
            return CompiledModule.Run(module, [x])[0].ToDoubles();
        }

        /// <summary>What a result may differ: a part of the largest sum of absolute products.</summary>
        public double Bound(int tile, Literal x)
        {
            Literal weights = Weights;
            Literal sizesOfWeights = Literal.Generate(Kernel, at => Scalar.FromDouble(Type, Math.Abs(weights[at].AsDouble)));
            Module sizes = CompiledModule.Build(b => [b.Add(Op, b.Abs(b.Parameter(0, x.Type)), b.Constant(sizesOfWeights))]);
            return (tile == 2 ? BoundOfTwo : BoundOfFour) * CompiledModule.Run(sizes, [x])[0].ToDoubles().Max();
        }
    }
}
