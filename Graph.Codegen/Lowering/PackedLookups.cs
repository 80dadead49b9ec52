using Graphene.Optimizer;

namespace Graphene.Codegen;

/// <summary>
/// The constants of which one copy serves everybody: products read them packed, and whoever else uses them looks elements up, which
/// the panels hold as well.
/// </summary>
/// <remarks>
/// <code>
/// ids -> gather(table) -> ... -> dot(x, table)        the embeddings of a language model, used at both ends
///
/// table[row, k]  =  panels[row / width, k, row % width]
/// </code>
/// A lookup reads few elements, so that it does not matter much that they lie further apart. Whoever reads all of a constant reads
/// it as it is, and then lookups do, too.
/// </remarks>
internal sealed class PackedLookups
{
    private readonly Dictionary<Literal, PackedPanels> _panels = [];

    private PackedLookups()
    {
    }

    /// <summary>No constants.</summary>
    public static PackedLookups None { get; } = new();

    /// <summary>Finds them in a module.</summary>
    /// <param name="optimized">A module that went through all passes.</param>
    /// <param name="lower">Gives the kernels of a fusion.</param>
    public static PackedLookups Find(Module optimized, Func<Node, IReadOnlyList<LoweredKernel>> lower)
    {
        var uses = new Dictionary<Literal, Uses>();
        foreach (Computation computation in Executed(optimized.Entry))
        {
            Collect(computation, uses);
        }
        var found = new PackedLookups();
        foreach ((Literal constant, Uses u) in uses)
        {
            if (u.IsLookedUp && !u.IsReadOtherwise && CommonPanels(constant, u.Products, lower) is { } panels)
            {
                found._panels.Add(constant, panels);
            }
        }
        return found;
    }

    /// <summary>The panels that an operand's elements are looked up in; null when they are where they always are.</summary>
    /// <param name="node">A node.</param>
    /// <param name="operand">The number of its operand.</param>
    public PackedPanels? Of(Node node, int operand) =>
        _panels.Count > 0 && node.Operands[operand].Op is ConstantOp constant && IsLookup(node, operand)
            ? _panels.GetValueOrDefault(constant.Value)
            : null;

    private static List<Computation> Executed(Computation entry)
    {
        var all = new List<Computation> { entry };
        for (int i = 0; i < all.Count; i++)
        {
            all.AddRange(all[i].PostOrder().Where(n => ControlFlow.IsExecuted(n.Op)).SelectMany(n => n.Op.Computations));
        }
        return all;
    }

    private static void Collect(Computation computation, Dictionary<Literal, Uses> uses)
    {
        foreach (Node node in computation.PostOrder())
        {
            for (int i = 0; i < node.Operands.Length; i++)
            {
                if (UsesOf(node.Operands[i]) is not { } u)
                {
                    continue;
                }
                if (IsLookup(node, i))
                {
                    u.IsLookedUp = true;
                }
                else if (node.Op is FusionOp { Kind: FusionKind.Dot })
                {
                    u.Products.Add(node);
                }
                else
                {
                    u.IsReadOtherwise = true;
                }
            }
        }
        foreach (Node root in computation.Results)
        {
            if (UsesOf(root) is { } u)
            {
                u.IsReadOtherwise = true;
            }
        }

        Uses? UsesOf(Node node)
        {
            if (node.Op is not ConstantOp { Value: { Shape.Rank: 2 } value })
            {
                return null;
            }
            if (!uses.TryGetValue(value, out Uses? u))
            {
                uses.Add(value, u = new Uses());
            }
            return u;
        }
    }

    // Whether a fusion only takes slices of an operand, at places that it computes.
    private static bool IsLookup(Node node, int operand)
    {
        if (node.Op is not FusionOp { Kind: FusionKind.Loop or FusionKind.Reduction } fusion)
        {
            return false;
        }
        Node parameter = fusion.Body.Parameters[operand];
        bool isUsed = false;
        foreach (Node user in fusion.Body.PostOrder())
        {
            for (int i = 0; i < user.Operands.Length; i++)
            {
                if (ReferenceEquals(user.Operands[i], parameter))
                {
                    if (user.Op is not GatherOp || i != 0)
                    {
                        return false;
                    }
                    isUsed = true;
                }
            }
        }
        return isUsed && !fusion.Body.Results.Contains(parameter);
    }

    // The panels of the first product, when no product needs the constant as it is.
    private static PackedPanels? CommonPanels(
        Literal constant, List<Node> products, Func<Node, IReadOnlyList<LoweredKernel>> lower)
    {
        PackedPanels? common = null;
        foreach (Node product in products)
        {
            PackedPanels? own = null;
            foreach (LoweredKernel kernel in lower(product))
            {
                bool[] touched = KernelAccess.Touched(kernel.Kernel);
                for (int i = 0; i < kernel.Operands.Count; i++)
                {
                    switch (kernel.Operands[i])
                    {
                        case KernelOperand.Constant { Content: PackedPanels panels } when panels.Matrix.Equals(constant):
                            own = panels;
                            break;
                        case KernelOperand.Value { Node.Op: ConstantOp { Value: var value } } when touched[i] && value.Equals(constant):
                            return null;
                    }
                }
            }
            if (own?.ColumnAxis is null)
            {
                return null;
            }
            common ??= own;
        }
        return common;
    }

    private sealed class Uses
    {
        public List<Node> Products { get; } = [];

        public bool IsLookedUp { get; set; }

        public bool IsReadOtherwise { get; set; }
    }
}
