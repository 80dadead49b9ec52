namespace Graphene.Codegen;

/// <summary>Lowers select_and_scatter: the result is filled, then each place of the window picks and combines, in order.</summary>
internal static class SelectAndScatterLowering
{
    /// <summary>The kernels of a select_and_scatter node.</summary>
    public static IReadOnlyList<LoweredKernel> Lower(string name, Node node, KernelTarget target)
    {
        var op = (SelectAndScatterOp)node.Op;
        LoweredKernel fill = FillLowering.Fill(
            name + "_fill", new KernelOperand.Value(node.Operands[2]), new KernelOperand.Value(node), node.Type, target);
        var source = new OperandSource(node);
        var task = new KVariable("task", KType.Index);
        DType type = node.DType;
        source.ForEach([.. node.Operands[1].Shape], at =>
        {
            (KRegister found, KRegister where) = EmitPick(op, source, node, at);
            source.B.If(new KRead(found), () => source.Emitter.InScope(
                () => Combine(op, source, IndexVector.From(at), new KRead(where), type)));
        });
        return [fill, source.ToKernel(name, task, 1)];
    }

    /// <summary>Goes through a window in order, and says whether it picks an element and where that lies.</summary>
    /// <param name="op">The op.</param>
    /// <param name="source">The node's operands.</param>
    /// <param name="node">The node.</param>
    /// <param name="at">The place of the window.</param>
    public static (KRegister Found, KRegister Where) EmitPick(
        SelectAndScatterOp op, OperandSource source, Node node, IReadOnlyList<ScalarExpr> at)
    {
        KRegister found = source.B.Declare("found", new KConstant(Scalar.FromBool(false), 1));
        KRegister picked = source.B.Declare("picked", new KConstant(Scalar.Zero(node.DType), 1));
        KRegister where = source.B.Declare("where", 0);
        source.ForEach([.. op.Window.Select(w => w.Size)], element =>
        {
            IndexVector place = IndexVector.From(element.Select((e, i) => source.F.Add(
                source.F.Add(source.F.Multiply(at[i], source.F.Index(op.Window[i].Stride)), e),
                source.F.Index(op.Window[i].Low * -1))));
            ScalarExpr inside = place.Select((p, i) => source.F.And(
                    source.F.LessOrEqual(source.F.Index(0), p), source.F.Less(p, source.F.Index(node.Shape[i]))))
                .Aggregate(source.F.True, source.F.And);
            source.B.If(source.Emitter.Emit(inside), () => source.Emitter.InScope(
                () => Pick(op, source, node, place, found, picked, where)));
        });
        return (found, where);
    }

    private static void Pick(
        SelectAndScatterOp op, OperandSource source, Node node, IndexVector place, KRegister found, KRegister picked, KRegister where)
    {
        ScalarExpr present = source.F.Placeholder(node.DType);
        ScalarExpr element = source.Operand(0, place);
        source.Emitter.Bind(present, source.B.Let("present", new KRead(picked)));
        KExpr keep = source.Emitter.Emit(source.Apply(op.Select, present, element)[0]);
        KExpr value = source.Emitter.Emit(element);
        KExpr position = source.Position(place, node.Type);
        KExpr stay = source.B.Let("stay", KBuilder.Call(ScalarOp.And, new KRead(found), keep));
        source.B.Assign(picked, new KSelect(stay, new KRead(picked), value));
        source.B.Assign(where, new KSelect(stay, new KRead(where), position));
        source.B.Assign(found, new KConstant(Scalar.FromBool(true), 1));
    }

    private static void Combine(SelectAndScatterOp op, OperandSource source, IndexVector at, KExpr where, DType type)
    {
        KExpr position = source.B.Let("at", where);
        ScalarExpr present = source.F.Placeholder(type);
        source.Emitter.Bind(present, source.B.Let("present", new KLoad(source.Outputs[0], position)));
        KExpr value = source.Emitter.Emit(source.Apply(op.Scatter, present, source.Operand(1, at))[0]);
        source.B.Store(source.Outputs[0], position, value);
    }
}
