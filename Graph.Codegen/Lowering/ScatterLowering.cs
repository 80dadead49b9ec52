namespace Graphene.Codegen;

/// <summary>Lowers scatter: the inputs are copied unless they share the results' memory, then the updates are applied in order.</summary>
internal static class ScatterLowering
{
    /// <summary>The kernels of a scatter node.</summary>
    /// <param name="name">The kernels' name.</param>
    /// <param name="node">A node whose op is a <see cref="ScatterOp"/>.</param>
    /// <param name="target">The machine.</param>
    /// <param name="isOverwritten">Tells which operands share memory with a result.</param>
    public static IReadOnlyList<LoweredKernel> Lower(string name, Node node, KernelTarget target, Func<int, bool> isOverwritten)
    {
        var op = (ScatterOp)node.Op;
        int n = node.Types.Length;
        var kernels = new List<LoweredKernel>();
        for (int i = 0; i < n; i++)
        {
            if (!isOverwritten(i))
            {
                kernels.Add(FillLowering.Copy(
                    name + "_copy", new KernelOperand.Value(node.Operands[i]), new KernelOperand.Value(node, i), node.Types[i], target));
            }
        }
        var source = new OperandSource(node);
        var task = new KVariable("task", KType.Index);
        TensorType updates = node.Operands[n + 1].Type;
        source.ForEach([.. updates.Shape], at =>
        {
            IndexVector place = Target(op, node, source, at);
            ScalarExpr inside = IsInside(node, source, place, Enumerable.Range(0, place.Count));
            source.B.If(source.Emitter.Emit(inside), () => source.Emitter.InScope(
                () => Combine(op, node, source, place, IndexVector.From(at))));
        });
        kernels.Add(source.ToKernel(name, task, 1));
        return kernels;
    }

    /// <summary>Whether some dimensions of a place are those of an element of the results.</summary>
    public static ScalarExpr IsInside(Node node, OperandSource source, IndexVector place, IEnumerable<int> axes) => axes
        .Select(axis => source.F.And(
            source.F.LessOrEqual(source.F.Index(0), place[axis]), source.F.Less(place[axis], source.F.Index(node.Types[0].Shape[axis]))))
        .Aggregate(source.F.True, source.F.And);

    /// <summary>Applies one element of the updates.</summary>
    public static void Combine(ScatterOp op, Node node, OperandSource source, IndexVector place, IndexVector at)
    {
        int n = node.Types.Length;
        KExpr position = source.Position(place, node.Types[0]);
        ScalarExpr[] present = [.. node.Types.Select(t => (ScalarExpr)source.F.Placeholder(t.DType))];
        for (int i = 0; i < n; i++)
        {
            source.Emitter.Bind(present[i], source.B.Let("present", new KLoad(source.Outputs[i], position)));
        }
        ScalarExpr[] updates = [.. Enumerable.Range(0, n).Select(i => source.Operand(n + 1 + i, at))];
        KExpr[] values = [.. source.Apply(op.Body, [.. present, .. updates]).Select(source.Emitter.Emit)];
        for (int i = 0; i < n; i++)
        {
            source.B.Store(source.Outputs[i], position, values[i]);
        }
    }

    /// <summary>
    /// Where an element of the updates goes: the start of the window from the index vector, plus the
    /// place inside the window.
    /// </summary>
    /// <param name="op">The scatter.</param>
    /// <param name="node">Its node.</param>
    /// <param name="source">The node's operands.</param>
    /// <param name="at">One counter for each dimension of the updates.</param>
    public static IndexVector Target(ScatterOp op, Node node, OperandSource source, IndexVariable[] at)
    {
        ScatterDimensions d = op.Dimensions;
        int n = node.Types.Length;
        int rank = node.Types[0].Rank;
        TensorType indices = node.Operands[n].Type;
        ScalarExpr[] place = [.. d.UpdateWindowDims.Complement(at.Length).Select(axis => at[axis])];
        var target = new ScalarExpr[rank];
        Array.Fill(target, source.F.Index(0));
        for (int i = 0; i < d.ScatterDimsToOperandDims.Count; i++)
        {
            IndexVector index = IndexVector.From(d.IndexVectorDim == indices.Rank
                ? place
                : [.. place[..d.IndexVectorDim], source.F.Index(i), .. place[d.IndexVectorDim..]]);
            int axis = d.ScatterDimsToOperandDims[i];
            target[axis] = source.F.Add(target[axis], source.F.Convert(source.Operand(n, index), DType.I64));
        }
        for (int i = 0; i < d.InputBatchingDims.Count; i++)
        {
            int from = d.ScatterIndicesBatchingDims[i];
            int axis = d.InputBatchingDims[i];
            target[axis] = source.F.Add(target[axis], place[from < d.IndexVectorDim ? from : from - 1]);
        }
        Axes windowDims = op.WindowDims(rank);
        for (int i = 0; i < windowDims.Count; i++)
        {
            target[windowDims[i]] = source.F.Add(target[windowDims[i]], at[d.UpdateWindowDims[i]]);
        }
        return IndexVector.From(target);
    }
}
