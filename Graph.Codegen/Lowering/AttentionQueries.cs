namespace Graphene.Codegen;

/// <summary>Packs the queries of a block with lanes last, through squares that are transposed in registers.</summary>
internal sealed class AttentionQueries
{
    private readonly KBuilder _b;
    private readonly ExprEmitter _emitter;
    private readonly AttentionAccess _access;
    private readonly LoopGroup _queries;
    private readonly KType _lanes;

    /// <summary>Prepares the packing.</summary>
    /// <param name="emitter">Where values go.</param>
    /// <param name="access">The attention.</param>
    /// <param name="queries">The loop whose counter lanes are.</param>
    /// <param name="lanes">The type of a vector of queries.</param>
    /// <param name="vectors">How many vectors a block has.</param>
    public AttentionQueries(ExprEmitter emitter, AttentionAccess access, LoopGroup queries, KType lanes, int vectors)
    {
        (_b, _emitter, _access, _queries, _lanes) = (emitter.Builder, emitter, access, queries, lanes);
        Width = lanes.Lanes * vectors;
    }

    /// <summary>Whether every block has as many queries as lanes.</summary>
    public bool IsAlwaysWhole => _queries.Extent.IsStatic && _queries.Extent.Value % Width == 0;

    private int Width { get; }

    /// <summary>
    /// packed[d][lane] = query[first + lane][d]; lanes without a query hold the last one's, and nobody looks at their scores.
    /// </summary>
    /// <param name="first">The first query of the block.</param>
    /// <param name="present">How many there are.</param>
    public KBuffer Emit(KExpr first, KExpr present)
    {
        long depth = _access.Depth.Extent.Value;
        KBuffer packed = _b.Scratch("queries", _lanes.Element, depth * Width);
        KBuffer query = _access.Source.Source(_access.Query.Load.Source);
        AffineIndex index = _access.Query.Index;
        KExpr start = _b.Let("from", KBuilder.Add(
            _emitter.EmitPosition(index), KBuilder.Multiply(first, KBuilder.Value(index[_queries.Last]))));
        Dim depthStride = index[_access.Depth];
        int lanes = _lanes.Lanes;
        KExpr From(KExpr lane) => _b.Let("from", KBuilder.Add(start, KBuilder.Multiply(
            IsAlwaysWhole ? lane : KBuilder.Minimum(lane, KBuilder.Subtract(present, 1)), KBuilder.Value(index[_queries.Last]))));
        long squares = depthStride == 1 && lanes > 1 ? depth / lanes * lanes : 0;
        if (squares > 0)
        {
            _b.For("square", 0, Width, lanes, lane =>
            {
                KExpr[] from = [.. Enumerable.Range(0, lanes).Select(i => From(KBuilder.Add(lane, i)))];
                _b.For("d", 0, squares, lanes, d =>
                {
                    KExpr[] columns = VectorTranspose.Emit(
                        _b, [.. from.Select(f => _b.Let("row", new KLoad(query, KBuilder.Add(f, d), lanes)))]);
                    for (int i = 0; i < lanes; i++)
                    {
                        _b.Store(packed, KBuilder.Add(KBuilder.Multiply(KBuilder.Add(d, i), Width), lane), columns[i]);
                    }
                });
            });
        }
        if (squares < depth)
        {
            _b.For("lane", 0, Width, 1, lane =>
            {
                KExpr from = From(lane);
                _b.For("d", squares, depth, 1, d => _b.Store(
                    packed, KBuilder.Add(KBuilder.Multiply(d, Width), lane),
                    new KLoad(query, KBuilder.Add(from, KBuilder.Multiply(d, KBuilder.Value(depthStride))))), 8);
            });
        }
        return packed;
    }
}
