namespace Graphene.Codegen;

/// <content>What a row's elements share with a reduction of the row: computed once, kept in the cache.</content>
public sealed partial class LoopNestLowering
{
    // What a row's elements may take on the stack, and beside everything else in the second cache.
    private const int MostBytesKept = 64 * 1024;

    private readonly List<(ScalarExpr Again, KBuffer Buffer, AffineIndex At)> _kept = [];

    // softmax: what the sum adds up, e^(x - max), is what the row's elements are made of; it is computed once and kept in the cache.
    private void KeepElements(LoopPlan plan)
    {
        if (plan.Inner is not { Members: [var inner], Extent: var length } || plan.Serial.Count > 0)
        {
            return;
        }
        ScalarExpr[] all = [.. _nest.Expressions.Where(e => _analysis.DependsOn(e, [inner]))];
        foreach (LoopExpr loop in _nest.Loops)
        {
            if (loop is not { Combine: not null, Elements: [var element], Variables: [var counter] } || counter.Extent != length ||
                _nest.DependsOn(loop, inner) || !ExprAnalysis.All([element]).OfType<CallExpr>().Any(IsExpanded) ||
                Array.Find(all, e => IsSame(element, counter, e, inner)) is not { } again)
            {
                continue;
            }
            if (length.IsStatic && length.Value * element.DType.SizeInBytes() <= MostBytesKept)
            {
                KBuffer buffer = _b.Scratch("kept", element.DType, length.Value);
                var row = new TensorType(element.DType, [length]);
                LoadExpr[] ahead = _streamed.Count == 0 ? [] : [.. ExprAnalysis.All([element]).OfType<LoadExpr>()
                    .Where(load => MovesWithRows(load, counter) && load.DType == element.DType)];
                _askedAhead.UnionWith(ahead.Select(load => load.Source));
                _emitter.Keep(
                    element, buffer, AffineIndex.Of(IndexVector.From([counter]), row), ahead, checked((int)(length.Value * element.DType.SizeInBytes())));
                _kept.Add((again, buffer, AffineIndex.Of(IndexVector.From([inner]), row)));
            }
            else if (IsKeptInResult(element, inner))
            {
                TensorType result = _source.Body.Results[0].Type;
                _streamed.Remove(_roots[0].Output);
                _streamedWhen.Remove(_roots[0].Output);
                IndexVector at = IndexVector.From([.. _roots[0].At.Select(i => ReferenceEquals(i, inner) ? counter : i)]);
                _emitter.Keep(element, _roots[0].Output, AffineIndex.Of(at, result), [], 0);
                _kept.Add((again, _roots[0].Output, _roots[0].Store));
            }
            else
            {
                continue;
            }
            if (ShiftOf(element, again, loop) is { } shift)
            {
                _emitter.Loosen(shift);
            }
        }
    }

    // A row that is too long for the stack, or as long as it turns out to be, waits where its results go.
    private bool IsKeptInResult(ScalarExpr element, IndexVariable inner) =>
        _roots is [{ Output: var output, Store: var store, At: var at }] && output.Element == element.DType && store[inner] == 1 &&
        at.Count(i => ReferenceEquals(i, inner)) == 1 && !_source.WritesOverOperand && _kept.TrueForAll(k => !ReferenceEquals(k.Buffer, output));

    // Whether two expressions are one but for their counters.
    private bool IsSame(ScalarExpr a, IndexVariable counterOfA, ScalarExpr b, IndexVariable counterOfB)
    {
        if (ReferenceEquals(a, counterOfA) || !_analysis.DependsOn(a, [counterOfA]))
        {
            return ReferenceEquals(a, counterOfA) ? ReferenceEquals(b, counterOfB) : ReferenceEquals(a, b);
        }
        bool isSameKind = (a, b) switch
        {
            (LoadExpr x, LoadExpr y) => x.Source == y.Source,
            (CallExpr x, CallExpr y) => x.Op == y.Op,
            (ConvertExpr, ConvertExpr) or (SelectExpr, SelectExpr) => a.DType == b.DType,
            _ => false,
        };
        return isSameKind && ExprAnalysis.Parts(a).Zip(ExprAnalysis.Parts(b)).All(p => IsSame(p.First, counterOfA, p.Second, counterOfB));
    }

    // The maximum in e^(x - max) when all that is done with the exponentials is to divide each by their sum. Then it may lose a NaN: with one
    // among x the sum is one, and so is each quotient. Which of two zeros is subtracted makes no difference to an exponential.
    private LoopExpr? ShiftOf(ScalarExpr element, ScalarExpr again, LoopExpr sum)
    {
        if (Shifted(element) is not { Arguments: [var x, LoopResultExpr { Loop: { Elements: [var y], Variables: [var counter] } maximum } max] } ||
            ReductionFunction.Of(sum)?.Op != ScalarOp.Add || ReductionFunction.Of(maximum)?.Op != ScalarOp.Maximum ||
            !IsSame(y, counter, x, sum.Variables[0]))
        {
            return null;
        }
        CallExpr?[] shifts = [Shifted(element), Shifted(again)];
        bool isLost = _nest.Elements.All(e => !ReferenceEquals(e, max) && !ReferenceEquals(e, again)) && _nest.Expressions.All(
            e => ExprAnalysis.Parts(e).All(part => ReferenceEquals(part, max) ? shifts.Contains(e)
                : !ReferenceEquals(part, again) || IsDivided(e)));
        return isLost ? maximum : null;

        static CallExpr? Shifted(ScalarExpr e) =>
            e is CallExpr { Op: ScalarOp.Exponential, Arguments: [CallExpr { Op: ScalarOp.Subtract } shifted] } ? shifted : null;

        bool IsDivided(ScalarExpr e) =>
            e is CallExpr { Op: ScalarOp.Divide, Arguments: [_, LoopResultExpr { Loop: var by }] } && ReferenceEquals(by, sum);
    }
}
