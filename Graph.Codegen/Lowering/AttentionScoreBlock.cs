namespace Graphene.Codegen;

/// <summary>
/// The scores of a few queries and many keys, in scratch: one row per key, one lane per query. Turns them into weights column by
/// column, with the values that a softmax along keys has by itself.
/// </summary>
/// <param name="b">The kernel.</param>
/// <param name="lanes">The type of a vector of queries.</param>
/// <param name="vectors">How many vectors a row has.</param>
/// <param name="keys">The most rows.</param>
internal sealed class AttentionScoreBlock(KBuilder b, KType lanes, int vectors, int keys)
{
    private KBuffer? _scores;

    private int Width => lanes.Lanes * vectors;

    private KBuffer Buffer => _scores ?? throw new CompilerBugException("attention lowering", "scores are used before they are declared");

    /// <summary>Makes the scratch available.</summary>
    public void Declare() => _scores = b.Scratch("scores", lanes.Element, (long)keys * Width);

    /// <summary>Stores one vector.</summary>
    public void Store(KExpr key, int vector, KExpr value) => b.Store(Buffer, Place(key, vector), value);

    /// <summary>Stores the scores of one query and consecutive keys; there are no other queries.</summary>
    public void StoreRow(KExpr key, KExpr value, KExpr? mask) => b.Store(Buffer, key, value, mask);

    /// <summary>One element.</summary>
    public KExpr LoadLane(KExpr key, KExpr lane) => new KLoad(Buffer, KBuilder.Add(KBuilder.Multiply(key, Width), lane));

    /// <summary>
    /// Replaces scores by e to the power of what they are above a shift, and gives the sum of each lane, in the parts and the tree
    /// of every sum along memory (see the numerics contract).
    /// </summary>
    /// <param name="vector">Which lanes.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="shift">For each lane.</param>
    /// <param name="target">The machine: it must hold the running sums beside what an exponential needs.</param>
    public KExpr EmitExponentials(int vector, KExpr count, KExpr shift, KernelTarget target)
    {
        const int parts = ExprEmitter.ReductionLanes;
        if (Width == 1)
        {
            return EmitExponentialsOfOne(count, shift);
        }
        int step = target.VectorRegisters >= 32 ? 4 : 8; // parts i, i + step, ... meet first in the tree: each such group is finished by itself
        KExpr whole = b.Let("whole", KBuilder.Multiply(KBuilder.Divide(count, parts), parts));
        KExpr rest = b.Let("rest", KBuilder.Subtract(count, whole));
        var groups = new KExpr[step];
        for (int g = 0; g < step; g++)
        {
            int first = g;
            KRegister[] sums = [.. Enumerable.Range(0, parts / step).Select(
                _ => b.Declare("sum", new KConstant(Scalar.FromDouble(lanes.Element, -0.0), lanes.Lanes)))];
            void Take(int i, KExpr key)
            {
                KExpr above = KBuilder.Subtract(Load(key, vector), shift);
                KExpr exponential = b.Let("e", KBuilder.Call(ScalarOp.Exponential, above));
                Store(key, vector, exponential);
                b.Assign(sums[i], KBuilder.Add(new KRead(sums[i]), exponential));
            }

            b.For("key", 0, whole, parts, key =>
            {
                for (int i = 0; i < sums.Length; i++)
                {
                    Take(i, KBuilder.Add(key, first + (i * step)));
                }
            });
            for (int i = 0; i < sums.Length; i++)
            {
                int part = first + (i * step);
                int number = i;
                void TakeRest() => Take(number, KBuilder.Add(whole, part));
                if (rest is not KConstant known)
                {
                    b.If(KBuilder.Less(part, rest), TakeRest);
                }
                else if (part < (long)known.Value.AsInteger)
                {
                    TakeRest();
                }
            }
            groups[g] = b.Let("group", Join([.. sums.Select(r => (KExpr)new KRead(r))]));
        }
        KExpr zero = new KConstant(Scalar.Zero(lanes.Element), lanes.Lanes);
        return b.Let("total", KBuilder.Add(zero, Join(groups)));
    }

    // The parts are lanes.
    private KExpr EmitExponentialsOfOne(KExpr count, KExpr shift)
    {
        const int parts = ExprEmitter.ReductionLanes;
        KRegister sums = b.Declare("sums", new KConstant(Scalar.FromDouble(lanes.Element, -0.0), parts));
        KExpr above = KBuilder.Broadcast(shift, parts);
        b.ForVectors(0, count, parts, (key, mask) =>
        {
            KExpr score = new KLoad(Buffer, key, parts, mask);
            KExpr exponential = b.Let("e", KBuilder.Call(ScalarOp.Exponential, KBuilder.Subtract(score, above)));
            b.Store(Buffer, key, exponential, mask);
            KExpr before = new KRead(sums);
            KExpr sum = KBuilder.Add(before, exponential);
            b.Assign(sums, mask is null ? sum : new KSelect(mask, sum, before));
        });
        return b.Let("total", KBuilder.Add(new KConstant(Scalar.Zero(lanes.Element), 1), LaneJoin.Emit(b, new KRead(sums), KBuilder.Add)));
    }

    /// <summary>Divides <paramref name="count"/> rows from <paramref name="begin"/> on, lane by lane.</summary>
    public void EmitDivide(IReadOnlyList<ScoreDivisor> divisors, KExpr begin, KExpr count)
    {
        if (Width == 1)
        {
            b.ForVectors(begin, KBuilder.Add(begin, count), ExprEmitter.ReductionLanes, (key, mask) =>
                b.Store(Buffer, key, divisors[0].Divide(new KLoad(Buffer, key, ExprEmitter.ReductionLanes, mask)), mask));
            return;
        }
        b.For("key", begin, KBuilder.Add(begin, count), 1, key =>
        {
            for (int j = 0; j < divisors.Count; j++)
            {
                Store(key, j, divisors[j].Divide(Load(key, j)));
            }
        }, 4);
    }

    private KLoad Load(KExpr key, int vector) => new(Buffer, Place(key, vector), lanes.Lanes);

    private KExpr Place(KExpr key, int vector) => KBuilder.Add(KBuilder.Multiply(key, Width), vector * lanes.Lanes);

    // The first half with the second half, again and again.
    private KExpr Join(KExpr[] values)
    {
        for (int half = values.Length / 2; half >= 1; half /= 2)
        {
            for (int i = 0; i < half; i++)
            {
                values[i] = b.Let("joined", KBuilder.Add(values[i], values[i + half]));
            }
        }
        return values[0];
    }
}
