namespace Graphene.Optimizer;

/// <summary>Finds operations for which back ends have better kernels, as exporters decompose them, and makes composites of them.</summary>
/// <remarks>
/// Exact: a composite computes what stood there. Softmax, normalizations and activations need no name, as fusion makes one kernel
/// of each; attention does, because fusion never joins two dots, and so do the first few of a sorted line, because a sort does not know
/// who asks for how many, and running sums, because each element by itself would take all before it.
/// </remarks>
public sealed class CompositeRecognition() : RewritePass("composite-recognition")
{
    /// <inheritdoc/>
    protected override bool LooksInto(Op? owner) => ControlFlow.IsExecuted(owner); // a decomposition is its own pattern

    /// <inheritdoc/>
    protected override Node? TryRewrite(GraphBuilder b, Node node) => node switch
    {
        // dot(softmax(f(dot(q, k))), v) => attention(q, k, v)
        { Op: DotGeneralOp } => AttentionPattern.TryRewrite(b, node, UseCount, Context.Options.HalfAttention),

        // transpose(attention) => attention that stores its result in that order
        { Op: TransposeOp transpose } => Transposed(b, node, transpose),

        // slice(sort(x), 0..k) => select_first(x)
        { Op: SliceOp slice } when Context.Options.Machine.SelectsFirst => SelectionPattern.TryRewrite(b, node, slice),

        // reduce_window(x, initial) over everything up to each element => running_reduction(x)
        { Op: ReduceWindowOp } when Context.Options.Machine.RunsAlongLines => RunningPattern.TryRewrite(b, node),

        _ => null,
    };

    private Node? Transposed(GraphBuilder b, Node node, TransposeOp transpose)
    {
        Node source = UnitDims.Skip(node.Operands[0]);
        if (source is not { Op: CompositeOp { Kind: AttentionForm.Kind } composite } || !IsUsedOnce(node.Operands[0], source) ||
            composite.Decomposition.Results is not [{ Op: DotGeneralOp }])
        {
            return null;
        }
        var inside = new GraphBuilder(b.Provenance);
        Computation copy = ComputationRewriter.Rebuild(inside, composite.Decomposition, (n, operands) => inside.Add(n.Op, operands));
        Axes order = Axes.From(UnitDims.Numbers(node.Operands[0].Shape, transpose.Permutation));
        Computation transposed = inside.Build(copy.Name, [inside.Transpose(copy.Results[0], order)]);
        Node result = b.Composite(composite.Kind, transposed, source.Operands.AsSpan())[0];
        return b.Reshape(result, node.Shape);
    }

    private bool IsUsedOnce(Node from, Node to)
    {
        for (; !ReferenceEquals(from, to); from = from.Operands[0])
        {
            if (UseCount(from) != 1)
            {
                return false;
            }
        }
        return UseCount(to) == 1;
    }
}
