namespace Graphene.Codegen;

/// <summary>What becomes of finished sums: the epilogue of the fusion, applied to a few neighbours at a time and stored.</summary>
internal sealed class ProductStores
{
    private readonly GpuProduct _product;
    private readonly ExprEmitter _emitter;

    /// <summary>Looks at how results lie in memory.</summary>
    /// <param name="product">The product.</param>
    /// <param name="emitter">What writes the epilogue.</param>
    /// <param name="columns">How many columns there are to store at once, at most: a power of two, or no limit.</param>
    public ProductStores(GpuProduct product, ExprEmitter emitter, int columns = int.MaxValue)
    {
        (_product, _emitter) = (product, emitter);
        bool AreNext(IndexVariable? counter) => counter is not null && product.Fusion.Roots.All(r => r.Store[counter] == 1);
        int widest = product.Fusion.Roots.Select(r => r.Output.Element).Append(product.Result).Max(t => t.SizeInBytes());
        bool isAcross = AreNext(Column);
        IsAlongRows = !isAcross && AreNext(product.Rows.Fastest?.Last);
        Width = isAcross ? product.Columns.Together(Math.Min(columns, CopyForm.MostBytes / widest)) : 1;
    }

    /// <summary>How many neighbouring columns a thread stores at once: up to 16 bytes of them.</summary>
    public int Width { get; }

    /// <summary>Whether neighbouring threads had better store neighbouring rows.</summary>
    public bool IsAlongRows { get; }

    private IndexVariable? Column => _product.Grouped?.Feature ?? _product.Columns.Fastest?.Last;

    /// <summary>Stores <see cref="Width"/> neighbours; the counters of the batch are bound.</summary>
    /// <param name="row">The row.</param>
    /// <param name="column">The first column.</param>
    /// <param name="sums">The sums.</param>
    public void Store(KExpr row, KExpr column, KExpr sums) => _emitter.InScope(() =>
    {
        KBuilder b = _emitter.Builder;
        KExpr value = sums.Type.Element == _product.Result ? sums : new KConvert(sums, _product.Result);
        value = b.Let("value", value);
        _product.Rows.Bind(_emitter, row);
        if (Column is not { } counter)
        {
            Finish(value);
            return;
        }
        KExpr first = _product.Columns.BindAllButFastest(_emitter, column);
        if (_product.Grouped is { } grouped)
        {
            first = b.Let("feature", KBuilder.Add(
                KBuilder.Multiply(_emitter.Emit(grouped.Group), KBuilder.Value(_product.Columns.Count)), column));
        }
        _emitter.WithVector(counter, first, Width, null, () => Finish(value));
    });

    private void Finish(KExpr value)
    {
        _emitter.Bind(_product.Fusion.Value, value);
        foreach (EpilogueRoot root in _product.Fusion.Roots)
        {
            _emitter.Store(root.Output, root.Store, _emitter.EmitLanes(root.Element));
        }
    }
}
