using System.Globalization;

namespace Graphene.Codegen;

/// <summary>What a choice of tiles depends on: products with equal keys on equal GPUs are computed in the same way.</summary>
/// <param name="Gpu">The architecture: <c>sm_90a</c>.</param>
/// <param name="Multiprocessors">How many multiprocessors the GPU has.</param>
/// <param name="Left">The left operand: its type, and how its elements come from memory.</param>
/// <param name="Right">The right operand.</param>
/// <param name="Sum">The type that sums are kept in, and that of products where it is another one than the operands'.</param>
/// <param name="Epilogue">What is stored, and from how many other operands it is computed.</param>
/// <param name="Batch">How many products.</param>
/// <param name="Rows">Rows of the results; symbolic sizes count as in <see cref="ProductTileChoice"/>.</param>
/// <param name="Columns">Columns of the results.</param>
/// <param name="Depth">Terms of each sum.</param>
internal sealed record ProductKey(
    string Gpu, int Multiprocessors, string Left, string Right, string Sum, string Epilogue, long Batch, long Rows,
    long Columns, long Depth)
{
    /// <summary>The key of a product.</summary>
    public static ProductKey Of(GpuProduct product, GpuTarget gpu)
    {
        (ProductSizes sizes, KFragmentShape? shape) = ProductTileChoice.SizesOf(product, gpu);
        bool needsDepth = shape is not null;
        string sum = product.Accumulation.Name() + (shape?.Left == DType.F32 ? " of tf32" : "");
        return new ProductKey(
            gpu.ToString(), gpu.Multiprocessors, OperandOf(product, product.Left, product.Rows, "rows", needsDepth, gpu),
            OperandOf(product, product.Right, product.Columns, "columns", needsDepth, gpu), sum, EpilogueOf(product),
            sizes.Batch, sizes.Rows, sizes.Columns, sizes.Depth);
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Batch} x {Rows} x {Columns} x {Depth} of ({Left}) and ({Right}), sums {Sum}, to {Epilogue}");

    private static string OperandOf(
        GpuProduct product, ProductOperand operand, ProductAxis axis, string name, bool needsDepth, GpuTarget gpu)
    {
        DType type = operand.Element.DType;
        var form = CopyForm.Choose(product, operand, axis, CopyForm.MostBytes, needsDepth && type.SizeInBytes() == 1, gpu);
        string along = form.IsAlongDepth ? "k" : name;
        string how = form.IsAsync ? "" : operand.Buffer is null ? ", computed" : ", through registers";
        return string.Create(CultureInfo.InvariantCulture, $"{type.Name()} along {along} by {form.Width}{how}");
    }

    private static string EpilogueOf(GpuProduct product)
    {
        FusionSource source = product.Fusion.Source;
        string stored = string.Join(" and ", product.Fusion.Roots.Select(r => r.Output.Element.Name()));
        int others = source.Body.Parameters.Length - product.Fusion.Hero.Operands.Count(o => o.Op is ParameterOp);
        return others <= 0 ? stored : string.Create(CultureInfo.InvariantCulture, $"{stored} with {others} more");
    }
}
