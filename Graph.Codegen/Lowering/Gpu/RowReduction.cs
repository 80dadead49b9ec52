namespace Graphene.Codegen;

/// <summary>
/// A reduction over a row, in the terms of threads: what they begin with, how two partial results become
/// one, and the result.
/// </summary>
internal abstract class RowReduction
{
    /// <summary>The element types that partial results have.</summary>
    public abstract IReadOnlyList<DType> Types { get; }

    /// <summary>The reduction of a loop; null when its order matters or its function is not known.</summary>
    public static RowReduction? TryOf(LoopExpr loop, ExprFactory f) =>
        loop is not { Combine: not null, Elements: not null, Variables.Count: > 0 } ? null
        : ReductionFunction.Of(loop) is { } function ? new OfFunction(function)
        : loop.Elements.Count == 2 && ArgForm.Is(loop) ? new OfPositions(loop, f)
        : null;

    /// <summary>What leaves every partial result as it is.</summary>
    public abstract KExpr[] Identity(int lanes);

    /// <summary>Elements as they are accumulated.</summary>
    public abstract KExpr[] Widen(KExpr[] elements);

    /// <summary>Two partial results, lane by lane; the order of the two has no effect.</summary>
    public abstract KExpr[] Combine(ExprEmitter emitter, KExpr[] a, KExpr[] b);

    /// <summary>The loop's results.</summary>
    public abstract KExpr[] Finish(ExprEmitter emitter, KExpr[] initial, KExpr[] total);

    private sealed class OfFunction(ReductionFunction function) : RowReduction
    {
        public override IReadOnlyList<DType> Types => [function.Identity.DType];

        public override KExpr[] Identity(int lanes) => [new KConstant(function.Identity, lanes)];

        public override KExpr[] Widen(KExpr[] elements) => [function.Widen(elements[0])];

        public override KExpr[] Combine(ExprEmitter emitter, KExpr[] a, KExpr[] b) => [KBuilder.Call(function.Op, a[0], b[0])];

        public override KExpr[] Finish(ExprEmitter emitter, KExpr[] initial, KExpr[] total) =>
            [ExprEmitter.EmitCall(function.Op, [initial[0], function.Round(total[0])])];
    }

    // Values with their positions, of which -1 is none: it loses against every other.
    private sealed class OfPositions : RowReduction
    {
        private readonly LoopExpr _loop;
        private readonly ScalarExpr[] _left;
        private readonly ScalarExpr[] _right;
        private readonly ScalarExpr[] _both;

        public OfPositions(LoopExpr loop, ExprFactory f)
        {
            _loop = loop;
            _left = [.. loop.Carried.Select(c => f.Placeholder(c.DType))];
            _right = [.. loop.Carried.Select(c => f.Placeholder(c.DType))];
            _both = loop.Combine!(_left, _right);
        }

        public override IReadOnlyList<DType> Types => [.. _loop.Carried.Select(c => c.DType)];

        public override KExpr[] Identity(int lanes) =>
            [.. _loop.Initial.Select(e => new KConstant(((ConstantExpr)e).Value, lanes))];

        public override KExpr[] Widen(KExpr[] elements) => elements;

        public override KExpr[] Combine(ExprEmitter emitter, KExpr[] a, KExpr[] b)
        {
            KExpr[] both = [];
            emitter.InScope(() =>
            {
                for (int i = 0; i < a.Length; i++)
                {
                    emitter.Bind(_left[i], a[i]);
                    emitter.Bind(_right[i], b[i]);
                }
                both = [.. _both.Select(emitter.Emit)];
            });
            return both;
        }

        public override KExpr[] Finish(ExprEmitter emitter, KExpr[] initial, KExpr[] total) => Combine(emitter, initial, total);
    }

    // What ArgMax and ArgMin reduce with: associative and commutative, and position -1 is their identity.
    private static class ArgForm
    {
        public static bool Is(LoopExpr loop) =>
            loop.Initial is [ConstantExpr, { AsConstantIndex: -1 }] && loop.Carried[1].DType == DType.I64 &&
            loop.Next is [SelectExpr value, SelectExpr place] && ReferenceEquals(value.Condition, place.Condition) &&
            IsChoice(value, loop, 0) && IsChoice(place, loop, 1) && Guards(place.Condition, loop);

        private static bool IsChoice(SelectExpr choice, LoopExpr loop, int part) =>
            ReferenceEquals(choice.WhenTrue, loop.Elements![part]) && ReferenceEquals(choice.WhenFalse, loop.Carried[part]);

        // and(next place != -1, or(place == -1, ...))
        private static bool Guards(ScalarExpr takeNext, LoopExpr loop) =>
            takeNext is CallExpr { Op: ScalarOp.And, Arguments: [var isThere, CallExpr { Op: ScalarOp.Or, Arguments: [var isFirst, _] }] } &&
            IsComparison(isThere, ScalarOp.NotEqual, loop.Elements![1]) && IsComparison(isFirst, ScalarOp.Equal, loop.Carried[1]);

        private static bool IsComparison(ScalarExpr e, ScalarOp op, ScalarExpr with) =>
            e is CallExpr { Arguments: [var a, { AsConstantIndex: -1 }] } call && call.Op == op && ReferenceEquals(a, with);
    }
}
