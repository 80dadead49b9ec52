namespace Graphene.Codegen;

/// <content>What is done to the scores of a tile: scale and mask, and the running softmax.</content>
internal abstract partial class GpuAttentionLowering
{
    private KExpr[][] EmitScores(Block block, KExpr first, KExpr[][] products, KExpr? count)
    {
        var scores = new KExpr[Rows][];
        KExpr[] keys = [.. Enumerable.Range(0, Scores).Select(s => B.Let("key", KBuilder.Add(first, Key(s))))];
        bool readsKeys = _analysis.DependsOn(Access.Score, [Access.Key]);
        KExpr[] places = count is null || !readsKeys
            ? keys
            : [.. keys.Select(k => B.Let("place", KBuilder.Minimum(k, KBuilder.Subtract(count, 1))))];
        for (int r = 0; r < Rows; r++)
        {
            int row = r;
            scores[row] = new KExpr[Scores];
            Emitter.InScope(() =>
            {
                if (_analysis.DependsOn(Access.Score, [_queries.Last]))
                {
                    Emitter.Bind(_queries.Last, IsWhole(_queries.Extent, Sizes.Queries) ? block.Rows[row] : B.Let("query", KBuilder.Minimum(
                        block.Rows[row], KBuilder.Subtract(KBuilder.Value(_queries.Extent), 1))));
                }
                Emitter.Hoist([Access.Score], [Access.Key, Access.Product]);
                for (int s = 0; s < Scores; s++)
                {
                    int number = s;
                    Emitter.InScope(() => scores[row][number] = EmitScore(products[row][number], keys[number], places[number], count));
                }
            });
        }
        return scores;
    }

    private KExpr EmitScore(KExpr product, KExpr key, KExpr place, KExpr? count)
    {
        Emitter.Bind(Access.Key, place);
        Emitter.Bind(Access.Product, product.Type.Element == Access.Product.DType
            ? product
            : B.Let("product", new KConvert(product, Access.Product.DType)));
        KExpr score = Emitter.Emit(Access.Score);
        return count is null
            ? score
            : B.Let("score", new KSelect(KBuilder.Less(key, count), score, Constant(Scalar.Lowest(Sizes.Sum))));
    }

    // Makes weights of the scores of a row, and gives the factor of what was summed before.
    private KExpr EmitWeights(KExpr[] scores, KRegister max, KRegister sum)
    {
        KExpr before = B.Let("before", new KRead(max));
        KExpr now = B.Let("now", KBuilder.Maximum(before, Joined(Tree(scores, KBuilder.Maximum), KBuilder.Maximum)));
        // While all scores are minus infinity, any finite number serves: weights become 0, not NaN.
        KExpr isNone = KBuilder.Call(ScalarOp.Equal, now, Constant(Scalar.Lowest(Sizes.Sum)));
        KExpr shift = B.Let("shift", new KSelect(isNone, Constant(Scalar.Zero(Sizes.Sum)), now));
        KExpr factor = Exponential(KBuilder.Subtract(before, shift));
        for (int s = 0; s < scores.Length; s++)
        {
            scores[s] = Exponential(KBuilder.Subtract(scores[s], shift));
        }
        B.Assign(max, now);
        B.Assign(sum, KBuilder.FusedMultiplyAdd(new KRead(sum), factor, Tree(scores, KBuilder.Add)));
        return factor;
    }

    private KExpr Tree(ReadOnlySpan<KExpr> values, Func<KExpr, KExpr, KExpr> join) => values.Length == 1
        ? values[0]
        : B.Let("joined", join(Tree(values[..(values.Length / 2)], join), Tree(values[(values.Length / 2)..], join)));

    // Over all threads that share a row; all get the same.
    private KExpr Joined(KExpr value, Func<KExpr, KExpr, KExpr> join)
    {
        value = B.Let("own", value);
        foreach (int distance in Sharers)
        {
            var other = new KVariable("other", value.Type);
            B.Add(new KExchange(other, value, KExchangeKind.Xor, distance));
            value = B.Let("joined", join(value, other));
        }
        return value;
    }
}
