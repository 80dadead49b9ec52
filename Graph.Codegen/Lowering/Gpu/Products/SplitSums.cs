namespace Graphene.Codegen;

/// <summary>The second half of a product whose k was shared out among tasks: parts of sums are added in their order.</summary>
/// <remarks>
/// <code>
/// workspace[part][batch][row][column]
/// for each piece of 16 bytes of a row:  sum = part 0 + part 1 + ...;  epilogue;  store
/// </code>
/// The order does not depend on which task ended first.
/// </remarks>
internal static class SplitSums
{
    private const int Threads = 128;

    /// <summary>The elements of the workspace.</summary>
    public static Dim Elements(GpuProduct product, int parts) =>
        product.Batch.Count * product.Rows.Count * product.Columns.Count * parts;

    /// <summary>How many neighbouring columns go together.</summary>
    public static int Width(GpuProduct product) =>
        ProductOperand.Alignment(product.Columns.Count, CopyForm.MostBytes / product.Accumulation.SizeInBytes());

    /// <summary>Where a part of the sums of one product begins.</summary>
    public static KExpr Place(KBuilder b, GpuProduct product, KExpr part, KExpr batch) => b.Let("first", KBuilder.Multiply(
        KBuilder.Add(KBuilder.Multiply(part, KBuilder.Value(product.Batch.Count)), batch),
        KBuilder.Value(product.Rows.Count * product.Columns.Count)));

    /// <summary>Where a sum lies.</summary>
    public static KExpr Place(GpuProduct product, KExpr first, KExpr row, KExpr column) => KBuilder.Add(
        first, KBuilder.Add(KBuilder.Multiply(row, KBuilder.Value(product.Columns.Count)), column));

    /// <summary>The kernel that adds the parts and ends the fusion.</summary>
    public static Kernel Kernel(string name, GpuProduct product, int parts, KBuffer workspace)
    {
        var b = new KBuilder { Multiples = new KIndexMultiples() };
        var emitter = new ExprEmitter(b, product.Analysis, product.Fusion.Source.Source);
        var stores = new ProductStores(product, emitter);
        int width = stores.Width;
        var thread = new KVariable("thread", KType.Index);
        var task = new KVariable("task", KType.Index);
        KExpr pieces = b.Let("pieces", KBuilder.Divide(KBuilder.Value(product.Columns.Count), width));
        KExpr rows = KBuilder.Value(product.Rows.Count);
        KExpr unit = b.Let("unit", KBuilder.Add(KBuilder.Multiply(task, Threads), thread));
        KExpr count = KBuilder.Multiply(
            KBuilder.Multiply(KBuilder.Value(product.Batch.Count), rows), KBuilder.Divide(KBuilder.Value(product.Columns.Count), width));
        b.If(KBuilder.Less(unit, count), () =>
        {
            KExpr line = b.Let("line", KBuilder.Divide(unit, pieces));
            KExpr batch = b.Let("batch", KBuilder.Divide(line, rows));
            KExpr row = b.Let("row", KBuilder.Remainder(line, rows));
            KExpr column = b.Let("column", KBuilder.Multiply(KBuilder.Remainder(unit, pieces), width));
            GpuProductLowering.BindAll(product, emitter, batch);
            KExpr place = b.Let("place", Place(product, Place(b, product, 0, batch), row, column));
            KExpr distance = b.Let("distance", KBuilder.Value(Elements(product, 1)));
            KRegister sum = b.Declare("sum", Part(0));
            b.For("part", 1, parts, 1, part => b.Assign(sum, KBuilder.Add(new KRead(sum), Part(part))), unroll: Math.Min(parts, 8));
            stores.Store(row, column, b.Let("sums", new KRead(sum)));

            KExpr Part(KExpr part)
            {
                KExpr at = b.Let("at", KBuilder.Add(place, KBuilder.Multiply(part, distance)));
                return new KLoad(workspace, at, width, Alignment: b.Multiples!.AlignmentOf(at, width));
            }
        });
        return new Kernel(
            name, product.Fusion.Source.Arguments.Buffers, task, KBuilder.CeilDiv(count, Threads), b.ToBlock(),
            new KernelCost(0, Elements(product, parts + 1) * product.Accumulation.SizeInBytes()))
        {
            Threads = new KThreads(thread, Threads),
        };
    }
}
