using System.Collections.Immutable;

namespace Graphene;

/// <summary>A Jacobian row by row: the backward pass, once built, in a loop over all elements of the result.</summary>
internal static class JacobianRows
{
    /// <summary>All derivatives of y by x, of shape [shape of y.., shape of x..].</summary>
    public static Node Build(GraphBuilder b, Node y, Node x)
    {
        // A value that equals nothing else stands for the cotangent; its users become the body of the loop.
        Node stand = b.OptimizationBarrier(b.Zeros(y.Type), b.Constant(DType.I64, 0))[0];
        Shape shape = Shape.From([.. y.Shape, .. x.Shape]);
        if (y.Shape.ElementCount == 0 || ReverseMode.Run(b, [y], [stand], [x])[0] is not { } gradient)
        {
            return b.Splat(x.DType, shape, 0);
        }
        (Computation row, Node[] captured) = Extract(b, gradient, stand);
        Dim count = y.Shape.ElementCount;
        Node[] rows = b.Repeat(
            count, StateBuffers.Make(b, [x], count), captured, (inner, round, buffers, outside) =>
            {
                Node index = inner.Iota(new TensorType(DType.I64, [count]), 0);
                Node unit = inner.Convert(inner.Equal(index, inner.BroadcastTo(round, index.Shape)), y.DType);
                ImmutableArray<Node> results =
                    ComputationCloner.Inline(row, inner, [inner.Reshape(unit, y.Shape), .. outside]).Results;
                return StateBuffers.Write(inner, buffers, round, results);
            });
        return b.Reshape(rows[0], shape);
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
        foreach (Node operand in all.Where(dependent.Contains).SelectMany(n => n.Operands).Append(result))
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
