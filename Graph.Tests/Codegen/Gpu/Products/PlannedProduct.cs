using Graphene.Codegen;
using Graphene.Optimizer;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>A module of one dot or convolution fusion, lowered in sizes that a test chooses, and run by the interpreter.</summary>
internal sealed class PlannedProduct
{
    private readonly Node _fusion;

    /// <summary>Lowers a module whose optimized form is one fusion of parameters and constants.</summary>
    /// <param name="module">The module.</param>
    /// <param name="plan">The sizes; null for those that the model chooses.</param>
    /// <param name="target">The machine; null for an H100.</param>
    public PlannedProduct(Module module, ProductPlan? plan = null, GpuTarget? target = null)
    {
        GpuTarget gpu = target ?? new GpuTarget(90, true);
        Module optimized = GraphOptimizer.Run(module, GpuTarget.Adapt(OptimizerOptions.Default));
        _fusion = optimized.Entry.PostOrder().Single(n => n.Op is FusionOp { Kind: FusionKind.Dot or FusionKind.Convolution });
        Parameters = [.. optimized.Entry.Parameters];
        if (!optimized.Entry.Results.All(r => ReferenceEquals(r, _fusion)))
        {
            throw new ArgumentException("the fusion is not all of the module", nameof(module));
        }
        bool isDot = ((FusionOp)_fusion.Op).Kind == FusionKind.Dot;
        HeroFusion hero = (isDot
            ? HeroFusion.TryCreate<DotGeneralOp>(_fusion, _ => false)
            : HeroFusion.TryCreate<ConvolutionOp>(_fusion, _ => false))!;
        (DType accumulation, DType result) = hero.Hero.Op is DotGeneralOp dot
            ? (dot.AccumulationType, dot.ResultType)
            : (((ConvolutionOp)hero.Hero.Op).AccumulationType, ((ConvolutionOp)hero.Hero.Op).ResultType);
        Product = new GpuProduct(hero, isDot ? DotLowering.SpaceOf(hero) : ConvolutionSpace.Of(hero), accumulation, result);
        Plan = plan ?? ProductTileChoice.Choose(Product, gpu);
        Kernels = GpuProductLowering.Lower("product", Product, Plan, gpu);
    }

    public Node[] Parameters { get; }

    public GpuProduct Product { get; }

    public ProductPlan Plan { get; }

    public IReadOnlyList<LoweredKernel> Kernels { get; }

    private static long NoSymbols(DimSymbol symbol) => throw new InvalidOperationException($"no value for {symbol}");

    /// <summary>The results of the fusion.</summary>
    public Literal[] Run(IReadOnlyList<Literal> arguments, Func<DimSymbol, long>? symbols = null)
    {
        TensorType[] types = [.. _fusion.Types.Select(t => new TensorType(
            t.DType, Shape.From([.. t.Shape.Select(d => (Dim)d.Evaluate(symbols ?? NoSymbols))])))];
        byte[][] results = [.. types.Select(t => new byte[t.SizeInBytes.Value])];
        byte[]? workspace = null;
        foreach (LoweredKernel lowered in Kernels)
        {
            Memory<byte>[] memory = [.. lowered.Operands.Select(Contents)];
            new KernelInterpreter(lowered.Kernel, memory, symbols).Run();
        }
        return [.. types.Select((t, i) => new Literal(t, results[i]))];

        Memory<byte> Contents(KernelOperand operand)
        {
            switch (operand)
            {
                case KernelOperand.Workspace w:
                    return workspace ??= new byte[w.SizeInBytes.Evaluate(symbols ?? (_ => 0))];
                case KernelOperand.Constant c:
                    var bytes = new byte[c.Content.SizeInBytes];
                    c.Content.WriteTo(bytes);
                    return bytes;
                case KernelOperand.Value v when ReferenceEquals(v.Node, _fusion):
                    return results[v.Result];
                case KernelOperand.Value { Node: { Op: ConstantOp constant } known }:
                    var value = new byte[known.Type.SizeInBytes.Value];
                    constant.Value.CopyTo(value);
                    return value;
                case KernelOperand.Value v:
                    Node node = v.Node;
                    while (node.Op is ReshapeOp)
                    {
                        node = node.Operands[0];
                    }
                    Literal literal = arguments[Array.FindIndex(Parameters, p => ReferenceEquals(p, node))];
                    var copy = new byte[literal.SizeInBytes];
                    literal.CopyTo(copy);
                    return copy;
                default:
                    throw new ArgumentException($"unknown operand {operand}", nameof(operand));
            }
        }
    }
}
