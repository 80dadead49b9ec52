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
    // Maxima may be found in any order; enough of them at once hide the latency.
    private const int MaximaAtOnce = 8;

    private KBuffer? _scores;

    private int Width => lanes.Lanes * vectors;

    private KBuffer Buffer => _scores ?? throw new CompilerBugException("attention lowering", "scores are used before they are declared");

    /// <summary>Makes the scratch available.</summary>
    public void Declare() => _scores = b.Scratch("scores", lanes.Element, (long)keys * Width);

    /// <summary>Stores one vector.</summary>
    public void Store(KExpr key, int vector, KExpr value) => b.Store(Buffer, Place(key, vector), value);

    /// <summary>One element.</summary>
    public KExpr LoadLane(KExpr key, KExpr lane) => new KLoad(Buffer, KBuilder.Add(KBuilder.Multiply(key, Width), lane));

    /// <summary>The largest of the first <paramref name="count"/> scores of each lane.</summary>
    public KExpr EmitMaximum(int vector, KExpr count)
    {
        KRegister[] max = [.. Enumerable.Range(0, MaximaAtOnce).Select(
            _ => b.Declare("max", new KConstant(Scalar.Lowest(lanes.Element), lanes.Lanes)))];
        KExpr whole = b.Let("whole", KBuilder.Multiply(KBuilder.Divide(count, MaximaAtOnce), MaximaAtOnce));
        void Take(KRegister register, KExpr key) =>
            b.Assign(register, KBuilder.Maximum(new KRead(register), Load(key, vector)));
        b.For("key", 0, whole, MaximaAtOnce, key =>
        {
            for (int i = 0; i < MaximaAtOnce; i++)
            {
                Take(max[i], KBuilder.Add(key, i));
            }
        });
        b.For("key", whole, count, 1, key => Take(max[0], key));
        return b.Let("max", Join([.. max.Select(r => (KExpr)new KRead(r))], ScalarOp.Maximum));
    }

    /// <summary>Replaces scores by e to the power of what they are above a shift.</summary>
    public void EmitExponentials(int vector, KExpr count, KExpr shift) => b.For("key", 0, count, 1, key => Store(
        key, vector, KBuilder.Call(ScalarOp.Exponential, KBuilder.Subtract(Load(key, vector), shift))), 2);

    /// <summary>The sum of each lane, in the parts and the tree of every sum along memory (see the numerics contract).</summary>
    public KExpr EmitSum(int vector, KExpr count)
    {
        const int parts = ExprEmitter.ReductionLanes;
        const int step = 4; // parts i, i + 4, ... meet first in the tree, so each such group can be finished by itself
        KExpr whole = b.Let("whole", KBuilder.Multiply(KBuilder.Divide(count, parts), parts));
        KExpr rest = b.Let("rest", KBuilder.Subtract(count, whole));
        var groups = new KExpr[step];
        for (int g = 0; g < step; g++)
        {
            int first = g;
            KRegister[] sums = [.. Enumerable.Range(0, parts / step).Select(
                _ => b.Declare("sum", new KConstant(Scalar.FromDouble(lanes.Element, -0.0), lanes.Lanes)))];
            void Take(int i, KExpr key) => b.Assign(sums[i], KBuilder.Add(new KRead(sums[i]), Load(key, vector)));
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
            groups[g] = b.Let("group", Join([.. sums.Select(r => (KExpr)new KRead(r))], ScalarOp.Add));
        }
        KExpr zero = new KConstant(Scalar.Zero(lanes.Element), lanes.Lanes);
        return b.Let("total", KBuilder.Add(zero, Join(groups, ScalarOp.Add)));
    }

    /// <summary>Divides the first <paramref name="count"/> elements of each lane.</summary>
    public void EmitDivide(int vector, KExpr count, KExpr divisor, KernelTarget target)
    {
        RepeatedDivision? division = RepeatedDivision.Pays(target, lanes.Element) ? RepeatedDivision.Prepare(b, divisor) : null;
        b.For("key", 0, count, 1, key => Store(
            key, vector, division?.Divide(b, Load(key, vector)) ?? KBuilder.Divide(Load(key, vector), divisor)), 4);
    }

    private KLoad Load(KExpr key, int vector) => new(Buffer, Place(key, vector), lanes.Lanes);

    private KExpr Place(KExpr key, int vector) => KBuilder.Add(KBuilder.Multiply(key, Width), vector * lanes.Lanes);

    // The first half with the second half, again and again.
    private KExpr Join(KExpr[] values, ScalarOp op)
    {
        for (int half = values.Length / 2; half >= 1; half /= 2)
        {
            for (int i = 0; i < half; i++)
            {
                values[i] = b.Let("joined", KBuilder.Call(op, values[i], values[i + half]));
            }
        }
        return values[0];
    }
}
