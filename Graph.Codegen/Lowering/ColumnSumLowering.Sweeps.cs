namespace Graphene.Codegen;

/// <content>Wide matrices: blocks of rows are read along memory, and the sums of all columns lie in the nearest cache meanwhile.</content>
/// <remarks>
/// <code>
///   for some thousand columns
///     sums[columns] = identity
///     for row of the block, eight at a time
///       for columns, a vector wide
///         sums[columns] = sums[columns] + element(row, columns) + element(row + 1, columns) + ...
/// </code>
/// Eight vectors of each row at once, as narrow matrices are read, jump to another page with each row, and processors that fetch ahead
/// within a page do so in vain. Eight rows side by side are eight streams; a sum is loaded and stored once for eight elements. Each
/// column's terms meet in the same order either way. Where the matrix lies in memory, the next eight rows are asked for
/// meanwhile: a row crosses pages, and a processor begins each of them anew. Short rows are then read one after another.
/// </remarks>
internal sealed partial class ColumnSumLowering
{
    // Streams that are read side by side: all of them together.
    private const int MostStreams = 8;

    // The sums of so many columns are in the nearest cache, beside what streams through it.
    private const int SweptBytes = 16 * 1024;

    // Rows shorter than this are read by a few vectors at once as well as along memory.
    private const int FewestSweptBytes = 1024;

    // Eight rows shorter than this lie in a few pages, and several streams within a page confuse what fetches ahead.
    private const int FewestBytesSideBySide = 2048;

    private long RowBytes => Columns * SumType.SizeInBytes();

    // What depends on the row alone is computed for each vector here, so there should be nothing of the kind.
    private bool Sweeps(int ops, int wide)
    {
        bool isWide = Columns >= 2 * wide && RowBytes >= FewestSweptBytes;
        return isWide && ops <= FewOps && !Loads.Any(l => DependsOnRow(l) && !_analysis.DependsOn(l, _form.Columns.Members));
    }

    private IEnumerable<LoadExpr> Loads => ExprAnalysis.All(_form.PerElement).OfType<LoadExpr>();

    private bool DependsOnRow(ScalarExpr e) => _analysis.DependsOn(e, _form.RowVariables);

    // The columns up to a multiple of the lanes.
    private void SumBySweeps(KBuffer partial, KExpr block, KExpr row, KExpr end, long columns)
    {
        LoadExpr[] read = [.. Loads.Where(DependsOnRow)];
        bool isFar = _target.ComesFromMemory(Rows * Columns * read.Sum(l => l.DType.SizeInBytes()));
        // Stores wait for memory as well, and with them asking gains nothing.
        LoadExpr[] ahead = isFar && RowBytes >= FewestBytesSideBySide && _form.Elements.Count == 0 ? read : [];
        int streams = read.Length + _form.Elements.Count;
        int rows = isFar && RowBytes < FewestBytesSideBySide ? 1 : Math.Max(2, MostStreams / Math.Max(1, streams));
        int perSweep = Math.Max(Lanes, SweptBytes / SumType.SizeInBytes() / Sums.Count / Lanes * Lanes);
        KExpr whole = _b.Let("rows", KBuilder.Add(
            row, KBuilder.Multiply(KBuilder.Divide(KBuilder.Subtract(end, row), rows), rows)));
        _b.For("column0", 0, columns, perSweep, first =>
        {
            KExpr last = _b.Let("column1", KBuilder.Minimum(KBuilder.Add(first, perSweep), columns));
            _b.For("column", first, last, Lanes, column =>
            {
                for (int i = 0; i < Sums.Count; i++)
                {
                    _b.Store(partial, Place(block, i, column), new KConstant(Sums[i].Function.Identity, Lanes));
                }
            });
            _b.For("r", row, whole, rows, r => Sweep(r, rows, first, last));
            _b.For("r", whole, end, 1, r => Sweep(r, 1, first, last));
        });

        void Sweep(KExpr r, int count, KExpr first, KExpr last) =>
            _b.For("column", first, last, Lanes, column => AddRows(partial, block, r, count, column, ahead));
    }

    private void AddRows(
        KBuffer partial, KExpr block, KExpr row, int count, KExpr column, IReadOnlyList<LoadExpr> ahead) => _emitter.InScope(() =>
    {
        BindOthers(_form.Columns);
        _emitter.WithVector(_form.Columns.Last, column, Lanes, null, () =>
        {
            KExpr[] sums = [.. Sums.Select((_, i) => _b.Let("sum", new KLoad(partial, Place(block, i, column), Lanes)))];
            _emitter.Hoist(_form.PerElement, _form.RowVariables);
            for (int at = 0; at < count; at++)
            {
                KExpr r = _b.Let("row", KBuilder.Add(row, at));
                _emitter.InScope(() =>
                {
                    _form.BindRow(_emitter, r);
                    foreach (LoadExpr load in ahead)
                    {
                        _emitter.Prefetch(load, count * _form.RowStride(load));
                    }
                    KExpr[] values = [.. _form.Elements.Select(e => _emitter.EmitLanes(e.Element))];
                    for (int i = 0; i < sums.Length; i++)
                    {
                        KExpr term = Sums[i].Function.Widen(_emitter.EmitLanes(Sums[i].Element));
                        sums[i] = _b.Let("sum", KBuilder.Add(sums[i], term));
                    }
                    for (int i = 0; i < values.Length; i++)
                    {
                        _emitter.Store(_form.Elements[i].Output, _form.Elements[i].Store, values[i]);
                    }
                });
            }
            for (int i = 0; i < sums.Length; i++)
            {
                _b.Store(partial, Place(block, i, column), sums[i]);
            }
        });
    });
}
