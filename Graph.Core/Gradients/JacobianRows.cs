namespace Graphene;

/// <summary>A Jacobian: the backward pass for one cotangent, mapped over the unit cotangents of all elements of the result.</summary>
internal static class JacobianRows
{
    /// <summary>All derivatives of y by x, of shape [shape of y.., shape of x..].</summary>
    public static Node Build(GraphBuilder b, Node y, Node x)
    {
        // A value that equals nothing else stands for the cotangent; its users become the mapped computation.
        Node stand = b.OptimizationBarrier(b.Zeros(y.Type), b.Constant(DType.I64, 0))[0];
        Shape shape = Shape.From([.. y.Shape, .. x.Shape]);
        if (ReverseMode.Run(b, [y], [stand], [x])[0] is not { } gradient)
        {
            return b.Splat(x.DType, shape, 0);
        }
        (Computation row, Node[] captured) = Extract(b, gradient, stand);
        Dim count = y.Shape.ElementCount;
        Node units = b.Reshape(b.Eye(y.DType, count, count), [count, .. y.Shape]);
        Node[] arguments = [units, .. captured];
        bool[] isMapped = [.. arguments.Select((_, i) => i == 0)];
        (Node[] rows, bool[] differ) = VectorizedComputation.Apply(b, row, arguments, isMapped, count);
        return b.Reshape(differ[0] ? rows[0] : b.Repeated(rows[0], count), shape);
    }

    // What depends on one node, as a computation over it and all else that it uses.
    private static (Computation Body, Node[] Captured) Extract(GraphBuilder b, Node result, Node variable)
    {
        var inner = new GraphBuilder(b.Provenance);
        var copies = new Dictionary<Node, Node>(ReferenceEqualityComparer.Instance)
        {
            [variable] = inner.Parameter(0, variable.Type),
        };
        var dependent = new HashSet<Node>(ReferenceEqualityComparer.Instance) { variable };
        var captured = new List<Node>();
        IReadOnlyList<Node> all = Traversal.PostOrder([result]);
        foreach (Node node in all)
        {
            if (node.Operands.Any(dependent.Contains))
            {
                dependent.Add(node);
            }
        }
        IEnumerable<Node> users = all.Where(n => dependent.Contains(n) && !ReferenceEquals(n, variable));
        foreach (Node operand in users.SelectMany(n => n.Operands).Append(result))
        {
            if (!dependent.Contains(operand) && !copies.ContainsKey(operand) && !Cotangents.IsSplat(operand, out _))
            {
                captured.Add(operand);
                copies.Add(operand, inner.Parameter(captured.Count, operand.Type));
            }
        }
        Node copy = ComputationCloner.Clone(result, inner, copies, b.Provenance);
        return (inner.Build("row", [copy]), [.. captured]);
    }
}
