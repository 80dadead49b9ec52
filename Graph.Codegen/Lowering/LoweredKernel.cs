namespace Graphene.Codegen;

/// <summary>What a kernel argument is, in terms of the graph: a value of the computation, or a constant made while lowering.</summary>
public abstract record KernelOperand
{
    private KernelOperand()
    {
    }

    /// <summary>A result of a node that lies in memory.</summary>
    /// <param name="Node">The node.</param>
    /// <param name="Result">Which of its results.</param>
    public sealed record Value(Node Node, int Result = 0) : KernelOperand;

    /// <summary>A constant that the lowering made, for example packed weights.</summary>
    /// <param name="Content">Its value.</param>
    public sealed record Constant(KernelConstant Content) : KernelOperand
    {
        /// <summary>A constant whose elements are known.</summary>
        public Constant(Literal value)
            : this(new KernelConstant.Of(value))
        {
        }
    }

    /// <summary>Memory used while the node runs.</summary>
    /// <param name="SizeInBytes">Its size.</param>
    public sealed record Workspace(Dim SizeInBytes) : KernelOperand;
}

/// <summary>A kernel with what it is to be called on.</summary>
/// <param name="Kernel">The kernel.</param>
/// <param name="Operands">One per kernel argument.</param>
public sealed record LoweredKernel(Kernel Kernel, IReadOnlyList<KernelOperand> Operands)
{
    /// <summary>The values of the kernel's <see cref="Codegen.Kernel.Sizes"/>.</summary>
    public IReadOnlyList<Dim> Sizes { get; init; } = [];

    /// <summary>The same kernel on the results of another node: one that was lowered as a fusion of its own.</summary>
    internal LoweredKernel With(Node lowered, Node node) => this with
    {
        Operands = [.. Operands.Select(o =>
            o is KernelOperand.Value v && ReferenceEquals(v.Node, lowered) ? v with { Node = node } : o)],
    };
}
