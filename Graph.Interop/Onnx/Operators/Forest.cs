namespace Graphene.Interop.Onnx.Operators;

/// <summary>How a node of a decision tree compares.</summary>
internal enum BranchMode
{
    /// <summary>x &lt;= value.</summary>
    LessOrEqual,

    /// <summary>x &lt; value.</summary>
    Less,

    /// <summary>x &gt;= value.</summary>
    GreaterOrEqual,

    /// <summary>x &gt; value.</summary>
    Greater,

    /// <summary>x == value.</summary>
    Equal,

    /// <summary>x != value.</summary>
    NotEqual,

    /// <summary>No comparison: the end of a path.</summary>
    Leaf,
}

/// <summary>A node of a decision tree; a leaf leads to itself.</summary>
/// <param name="Mode">The comparison.</param>
/// <param name="Feature">The column of the input.</param>
/// <param name="Value">What it is compared with.</param>
/// <param name="WhenTrue">The node to go to when the comparison holds.</param>
/// <param name="WhenFalse">The node to go to otherwise.</param>
/// <param name="MissingIsTrue">Where NaN goes.</param>
internal sealed record TreeNode(BranchMode Mode, int Feature, double Value, int WhenTrue, int WhenFalse, bool MissingIsTrue);

/// <summary>All nodes of all trees in one list.</summary>
/// <remarks>
/// Evaluation walks all trees at once: a place per row and tree, moved from node to node by table look-ups, as often as the deepest
/// tree is deep. Leaves stay where they are.
/// <code>
///   place [rows, trees] -> feature, value, next nodes (gathers) -> x[row, feature] compared -> place
/// </code>
/// </remarks>
/// <param name="Nodes">The nodes.</param>
/// <param name="Roots">The first node of each tree.</param>
/// <param name="Depth">The number of steps from the root to the farthest leaf.</param>
/// <param name="Targets">The number of results per row.</param>
/// <param name="LeafWeights">For each node, what it adds to each result: [nodes, targets], row-major.</param>
internal sealed record Forest(TreeNode[] Nodes, int[] Roots, int Depth, int Targets, double[] LeafWeights)
{
    /// <summary>The leaf that each row reaches in each tree: i32 [rows, trees].</summary>
    public Node Leaves(GraphBuilder b, Node x)
    {
        Shape shape = [x.Shape[0], Roots.Length];
        Node place = b.BroadcastInDim(b.Constant(Literal.From<int>(Roots, Roots.Length)), shape, [1]);
        if (Depth == 0)
        {
            return place;
        }
        Node features = Table(b, n => n.Feature);
        Node whenTrue = Table(b, n => n.WhenTrue);
        Node whenFalse = Table(b, n => n.WhenFalse);
        Node values = b.Constant(Literal.Generate(
            new TensorType(x.DType, [Nodes.Length]), at => Scalar.FromDouble(x.DType, Nodes[at[0]].Value)));
        BranchMode[] modes = [.. Nodes.Select(n => n.Mode).Where(m => m != BranchMode.Leaf).Distinct()];
        Node modeTable = Table(b, n => (int)n.Mode);
        bool tracksMissing = Nodes.Any(n => n.MissingIsTrue);
        Node missing = Table(b, n => n.MissingIsTrue ? 1 : 0);
        for (int step = 0; step < Depth; step++)
        {
            Node feature = b.TakeAlong(x, b.Take(features, place, 0), 1);
            Node value = b.Take(values, place, 0);
            Node holds = Compare(b, feature, value, modes[0]);
            foreach (BranchMode mode in modes.Skip(1))
            {
                Node isMode = b.Equal(b.Take(modeTable, place, 0), b.Splat(DType.I32, shape, (int)mode));
                holds = b.Select(isMode, Compare(b, feature, value, mode), holds);
            }
            if (tracksMissing)
            {
                Node goesTrue = b.Equal(b.Take(missing, place, 0), b.Splat(DType.I32, shape, 1));
                holds = b.Or(holds, b.And(b.NotEqual(feature, feature), goesTrue));
            }
            place = b.Select(holds, b.Take(whenTrue, place, 0), b.Take(whenFalse, place, 0));
        }
        return place;
    }

    /// <summary>The weights of all nodes: [nodes, targets].</summary>
    public Node Weights(GraphBuilder b, DType type) => b.Constant(Literal.Generate(
        new TensorType(type, [Nodes.Length, Targets]), at => Scalar.FromDouble(type, LeafWeights[(at[0] * Targets) + at[1]])));

    private Node Table(GraphBuilder b, Func<TreeNode, int> entry) =>
        b.Constant(Literal.From<int>([.. Nodes.Select(entry)], Nodes.Length));

    private static Node Compare(GraphBuilder b, Node x, Node y, BranchMode mode) => b.Compare(x, y, mode switch
    {
        BranchMode.LessOrEqual => CompareDirection.LE,
        BranchMode.Less => CompareDirection.LT,
        BranchMode.GreaterOrEqual => CompareDirection.GE,
        BranchMode.Greater => CompareDirection.GT,
        BranchMode.Equal => CompareDirection.EQ,
        _ => CompareDirection.NE,
    });
}
