using System.Collections.Immutable;

namespace Graphene;

/// <summary>A computation applied to many elements at once: asks each op for its rule; knows no op by name.</summary>
/// <remarks>
/// What does not differ from element to element is computed once. An op without a rule, or for which its rule declines, runs in a
/// loop over the elements, so every op can be mapped.
/// </remarks>
public static class VectorizedComputation
{
    /// <summary>Applies a computation.</summary>
    /// <param name="b">Where it is built.</param>
    /// <param name="computation">What is applied to each element.</param>
    /// <param name="arguments">One for each parameter, with a new first dimension where it is mapped.</param>
    /// <param name="isMapped">Which arguments differ from element to element.</param>
    /// <param name="size">The number of elements.</param>
    /// <returns>The results, and whether each has the new dimension.</returns>
    public static (Node[] Results, bool[] IsMapped) Apply(
        GraphBuilder b, Computation computation, IReadOnlyList<Node> arguments, IReadOnlyList<bool> isMapped, Dim size)
    {
        RequirePure(computation);
        var values = new Dictionary<Node, (Node[] Results, bool IsMapped)>(ReferenceEqualityComparer.Instance);
        foreach (Node node in computation.PostOrder())
        {
            values.Add(node, node.Op switch
            {
                ParameterOp p => ([arguments[p.Number]], isMapped[p.Number]),
                GetTupleElementOp g => ([values[node.Operands[0]].Results[g.Index]], values[node.Operands[0]].IsMapped),
                _ => ApplyOne(b, node, values, size),
            });
        }
        return ([.. computation.Results.Select(r => values[r].Results[0])],
            [.. computation.Results.Select(r => values[r].IsMapped)]);
    }

    /// <summary>The mapped computation as one, over the given parameters.</summary>
    /// <param name="computation">What is applied to each element.</param>
    /// <param name="isMapped">Which parameters are mapped.</param>
    /// <param name="size">The number of elements.</param>
    /// <param name="returned">Which results shall have the new dimension; null for those that differ.</param>
    /// <param name="provenance">The table of the outer builder.</param>
    public static (Computation Computation, bool[] IsMapped) Close(
        Computation computation, IReadOnlyList<bool> isMapped, Dim size, IReadOnlyList<bool>? returned, ProvenanceTable provenance)
    {
        var b = new GraphBuilder(provenance);
        Node[] parameters = [.. computation.Parameters.Select((p, i) => b.Parameter(i, TypeOf(p.Type, isMapped[i], size)))];
        (Node[] results, bool[] mapped) = Apply(b, computation, parameters, isMapped, size);
        for (int i = 0; i < results.Length; i++)
        {
            if (returned is not null && returned[i] && !mapped[i])
            {
                results[i] = b.Repeated(results[i], size);
            }
        }
        return (b.Build($"{computation.Name}_mapped", results), [.. returned ?? mapped]);
    }

    private static TensorType TypeOf(TensorType type, bool isMapped, Dim size) =>
        isMapped ? new TensorType(type.DType, [size, .. type.Shape]) : type;

    private static (Node[] Results, bool IsMapped) ApplyOne(
        GraphBuilder b, Node node, Dictionary<Node, (Node[] Results, bool IsMapped)> values, Dim size)
    {
        ImmutableArray<Node> operands = [.. node.Operands.Select(o => values[o].Results[0])];
        ImmutableArray<bool> isMapped = [.. node.Operands.Select(o => values[o].IsMapped)];
        if (!isMapped.Contains(true))
        {
            return (b.Results(b.Add(node.Op, operands)), false);
        }
        var site = new VectorizeSite(b, node, operands, isMapped, size);
        return (node.Op.Vectorize(site) ?? InLoop(site), true);
    }

    private static Node[] InLoop(VectorizeSite site)
    {
        GraphBuilder b = site.Builder;
        Node[] outside = [.. Enumerable.Range(0, site.OperandCount).Select(site.Operand)];
        Node[] buffers = [.. site.Node.Types.Select(t => b.Zeros(new TensorType(t.DType, [site.Size, .. t.Shape])))];
        return b.Repeat(site.Size, buffers, outside, (inner, round, present, operands) =>
        {
            Node[] element = [.. operands.Select(
                (o, i) => site.IsMapped(i) ? StateBuffers.Read(inner, [o], round)[0] : o)];
            return StateBuffers.Write(inner, present, round, inner.Results(inner.Add(site.Node.Op, [.. element])));
        });
    }

    private static void RequirePure(Computation computation)
    {
        if (computation.PostOrder().FirstOrDefault(n => n.Op.HasSideEffects) is { } effect)
        {
            throw new GraphException(
                DiagnosticId.EffectInMap, $"vectorized map: {effect.Op.Name} has an effect", GradientErrors.Describe(effect),
                "the function is applied to all elements at once, so that effects would have no order",
                "print, assert and assign outside of the mapped function");
        }
    }
}
