namespace Graphene.Codegen;

/// <summary>What blocks leave in memory where each has seen a part of the keys, and the kernel that joins the parts in order.</summary>
/// <remarks>
/// <code>
/// parts[batch, part, query] = (o, m, l)                  o a row of sums, m their shift, l the sum of weights
///
/// thread = (batch, query, column)
///   m = max of m over parts
///   result = (sum over parts of o e^(m of the part - m)) / (sum over parts of l e^(m of the part - m))
/// </code>
/// Reads a row and two numbers for each part of some hundred keys: little beside the keys.
/// </remarks>
/// <param name="access">The attention.</param>
/// <param name="batch">The loops over batches.</param>
/// <param name="queries">The loop over queries.</param>
/// <param name="count">How many parts.</param>
/// <param name="keysPerPart">How many keys are in each.</param>
/// <param name="sizes">The sizes of a block.</param>
internal sealed class GpuAttentionParts(
    AttentionAccess access, IReadOnlyList<LoopGroup> batch, LoopGroup queries, KExpr count, int keysPerPart, GpuAttentionSizes sizes)
{
    private const int Threads = 128;

    private readonly KBuilder _b = new();

    /// <summary>How many parts there are.</summary>
    public KExpr Count => count;

    /// <summary>Where parts are.</summary>
    public KernelOperand.Workspace Workspace => new(
        Batches * Dim.CeilDiv(access.Key.Extent, keysPerPart) * queries.Extent * (sizes.Columns + 2) * sizes.Sum.SizeInBytes());

    private Dim Batches => batch.Aggregate((Dim)1, (all, g) => all * g.Extent);

    /// <summary>The kernel that joins parts.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="fusion">Whose result it is.</param>
    public LoweredKernel Join(string name, Node fusion)
    {
        var arguments = new KernelArguments();
        KBuffer parts = arguments.Input("parts", sizes.Sum, Workspace);
        KBuffer output = arguments.Output("out0", fusion.Types[0].DType, new KernelOperand.Value(fusion));
        var task = new KVariable("task", KType.Index);
        var thread = new KVariable("thread", KType.Index);
        KExpr elements = KBuilder.Value(Batches * queries.Extent * sizes.Columns);
        KExpr element = _b.Let("element", KBuilder.Add(KBuilder.Multiply(task, Threads), thread));
        _b.If(KBuilder.Less(element, elements), () => EmitElement(parts, output, element));
        Dim bytes = Workspace.SizeInBytes + fusion.Types[0].SizeInBytes;
        var kernel = new Kernel(
            name, arguments.Buffers, task, KBuilder.CeilDiv(elements, Threads), _b.ToBlock(), new KernelCost(Workspace.SizeInBytes, bytes))
        {
            Threads = new KThreads(thread, Threads),
        };
        return new LoweredKernel(kernel, arguments.Operands);
    }

    private void EmitElement(KBuffer parts, KBuffer output, KExpr element)
    {
        var emitter = new ExprEmitter(_b, new ExprAnalysis(), access.Source.Source);
        KExpr column = _b.Let("column", KBuilder.Remainder(element, sizes.Columns));
        KExpr row = _b.Let("row", KBuilder.Divide(element, sizes.Columns));
        KExpr query = _b.Let("query", KBuilder.Remainder(row, KBuilder.Value(queries.Extent)));
        KExpr number = _b.Let("batch", KBuilder.Divide(row, KBuilder.Value(queries.Extent)));
        access.BindBatch(emitter, batch, queries, number);
        emitter.Bind(queries.Last, query);
        emitter.Bind(access.Column, column);
        KExpr first = _b.Let("first", KBuilder.Multiply(number, Count));
        KExpr Place(KExpr part) => _b.Let("place", KBuilder.Multiply(
            KBuilder.Add(KBuilder.Multiply(KBuilder.Add(first, part), KBuilder.Value(queries.Extent)), query), sizes.Columns + 2));
        KRegister max = _b.Declare("max", Constant(Scalar.Lowest(sizes.Sum)));
        _b.For("part", 0, Count, 1, part => _b.Assign(
            max, KBuilder.Maximum(new KRead(max), new KLoad(parts, KBuilder.Add(Place(part), sizes.Columns)))), 4);
        KExpr m = _b.Let("m", new KRead(max));
        KExpr shift = _b.Let("shift", new KSelect(
            KBuilder.Call(ScalarOp.Equal, m, Constant(Scalar.Lowest(sizes.Sum))), Constant(Scalar.Zero(sizes.Sum)), m));
        KRegister sum = _b.Declare("sum", Constant(Scalar.Zero(sizes.Sum)));
        KRegister total = _b.Declare("total", Constant(Scalar.Zero(sizes.Sum)));
        _b.For("part", 0, Count, 1, part =>
        {
            KExpr place = Place(part);
            KExpr factor = _b.Let("factor", KBuilder.Call(
                ScalarOp.Exponential, KBuilder.Subtract(new KLoad(parts, KBuilder.Add(place, sizes.Columns)), shift)));
            _b.Assign(sum, KBuilder.FusedMultiplyAdd(new KLoad(parts, KBuilder.Add(place, column)), factor, new KRead(sum)));
            _b.Assign(total, KBuilder.FusedMultiplyAdd(new KLoad(parts, KBuilder.Add(place, sizes.Columns + 1)), factor, new KRead(total)));
        }, 4);
        KExpr quotient = KBuilder.Divide(new KRead(sum), new KRead(total));
        KExpr value = access.Key.Extent.Range.Min > 0 ? quotient : new KSelect(
            KBuilder.Less(0, KBuilder.Value(access.Key.Extent)), quotient, Constant(Scalar.Zero(sizes.Sum)));
        _b.Store(output, emitter.EmitPosition(access.Result), sizes.Sum == output.Element ? value : new KConvert(value, output.Element));
    }

    private static KConstant Constant(Scalar value) => new(value, 1);
}
