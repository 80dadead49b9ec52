namespace Graphene.Codegen;

/// <summary>
/// What scores take from memory by query and by key, masks and biases: it lies along keys, but lanes are queries. Squares of it
/// are read along memory, transposed in registers and kept for the tiles of scores.
/// </summary>
internal sealed class AttentionTerms
{
    private readonly KBuilder _b;
    private readonly ExprEmitter _emitter;
    private readonly AttentionAccess _access;
    private readonly LoopGroup _queries;
    private readonly KType _lanes;
    private readonly int _vectors;
    private readonly List<ScalarExpr> _terms = [];
    private KBuffer[] _kept = [];

    /// <summary>Finds the terms of a score.</summary>
    /// <param name="emitter">Where values go.</param>
    /// <param name="access">The attention.</param>
    /// <param name="queries">The loop whose counter lanes are.</param>
    /// <param name="lanes">The type of a vector of queries.</param>
    /// <param name="vectors">How many vectors a row of scores has.</param>
    public AttentionTerms(ExprEmitter emitter, AttentionAccess access, LoopGroup queries, KType lanes, int vectors)
    {
        (_b, _emitter, _access, _queries, _lanes, _vectors) = (emitter.Builder, emitter, access, queries, lanes, vectors);
        if (!lanes.IsScalar)
        {
            Find(access.Score, []);
        }
    }

    /// <summary>False when lanes read nothing across memory.</summary>
    public bool Any => _terms.Count > 0;

    /// <summary>Makes room for the terms of so many keys.</summary>
    public void Declare(int keys) => _kept = [.. _terms.Select((t, i) => _b.Scratch(
        "terms", Kept(t), (long)AttentionTiles.RoundUp(keys, _lanes.Lanes) * _lanes.Lanes * _vectors))];

    /// <summary>Reads the terms of some keys.</summary>
    /// <param name="firstQuery">The first query of the block.</param>
    /// <param name="present">How many queries it has; lanes without one get the last one's terms.</param>
    /// <param name="firstKey">The first key.</param>
    /// <param name="count">How many keys.</param>
    public void Prepare(KExpr firstQuery, KExpr present, KExpr firstKey, KExpr count)
    {
        int lanes = _lanes.Lanes;
        KExpr whole = _b.Let("whole", KBuilder.Multiply(KBuilder.Divide(count, lanes), lanes));
        for (int term = 0; term < _terms.Count; term++)
        {
            int number = term;
            _b.For("square", 0, _vectors, 1, square =>
            {
                KExpr first = _b.Let("first", KBuilder.Multiply(square, lanes));
                _b.For("key", 0, whole, lanes, key => EmitSquare(key, null));
                _emitter.EmitTail(count, whole, lanes, mask => EmitSquare(whole, mask));

                void EmitSquare(KExpr key, KExpr? mask)
                {
                    KExpr[] rows = [.. Enumerable.Range(0, lanes).Select(i => EmitRow(number, KBuilder.Add(firstQuery, KBuilder.Minimum(
                        KBuilder.Add(first, i), KBuilder.Subtract(present, 1))), KBuilder.Add(firstKey, key), mask))];
                    KExpr[] columns = VectorTranspose.Emit(_b, rows);
                    for (int i = 0; i < lanes; i++)
                    {
                        _b.Store(_kept[number], Place(KBuilder.Add(key, i), first), columns[i]);
                    }
                }
            });
        }
    }

    /// <summary>Gives the terms their values for a vector of queries and a key, counted from the first that was prepared.</summary>
    public void Bind(KExpr key, int vector)
    {
        for (int i = 0; i < _terms.Count; i++)
        {
            KExpr kept = new KLoad(_kept[i], Place(key, vector * _lanes.Lanes), _lanes.Lanes);
            _emitter.Bind(_terms[i], _b.Let("term", _terms[i].DType != DType.Bool ? kept : KBuilder.Call(
                ScalarOp.NotEqual, kept, KBuilder.Broadcast(new KConstant(Scalar.Zero(DType.I32), 1), _lanes.Lanes))));
        }
    }

    private KExpr EmitRow(int term, KExpr query, KExpr key, KExpr? mask)
    {
        KExpr? row = null;
        _emitter.InScope(() =>
        {
            _emitter.BindGroup(_queries, _b.Let("query", query));
            _emitter.WithVector(_access.Key, _b.Let("key", key), _lanes.Lanes, mask, () => row = _emitter.EmitLanes(_terms[term]));
        });
        return _b.Let("row", _terms[term].DType == DType.Bool ? new KConvert(row!, DType.I32) : row!);
    }

    private KExpr Place(KExpr key, KExpr lane) => KBuilder.Add(KBuilder.Multiply(key, _lanes.Lanes * _vectors), lane);

    // Truth values are shuffled as numbers: processors keep a vector of them in few bits.
    private static DType Kept(ScalarExpr term) => term.DType == DType.Bool ? DType.I32 : term.DType;

    // The largest parts of a score that do not depend on the product.
    private void Find(ScalarExpr e, HashSet<ScalarExpr> seen)
    {
        if (!seen.Add(e))
        {
            return;
        }
        if (_emitter.Analysis.DependsOn(e, [_access.Product]))
        {
            foreach (ScalarExpr part in ExprAnalysis.Parts(e))
            {
                Find(part, seen);
            }
        }
        else if ((e.DType == _lanes.Element || e.DType == DType.Bool) && IsAcross(e))
        {
            _terms.Add(e);
        }
    }

    private bool IsAcross(ScalarExpr e)
    {
        ScalarExpr[] all = [.. ExprAnalysis.All([e])];
        return !all.Any(part => part is GuardExpr or LoopResultExpr) && all.OfType<LoadExpr>().Any(load =>
        {
            AffineIndex index = AffineIndex.Of(load);
            return index.Opaque.Count == 0 && index[_access.Key] == 1 && index[_queries.Last] != 0 && index[_queries.Last] != 1;
        });
    }
}
