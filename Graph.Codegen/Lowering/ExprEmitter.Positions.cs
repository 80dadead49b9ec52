namespace Graphene.Codegen;

/// <content>Positions of the largest and smallest elements along memory: each lane has a best of its own, and the best of those wins.</content>
internal sealed partial class ExprEmitter
{
    // As many vectors as hide the latency of a comparison and the choices that wait for it.
    private const int VectorsOfPositions = 4;

    // A width that every machine can do with.
    private const int VectorBitsAnywhere = 256;

    // best[l], at[l] = element(l), 0 ; then element(r + l), r where that beats best[l] ; then lanes join ; then the winner goes
    // through the body. Exactly one element wins, however many lanes there are.
    private KExpr[]? TryEmitPositions(LoopExpr loop)
    {
        if (_vector is not null || Target?.Gpu is not null || PositionFunction.Of(loop) is not { } function)
        {
            return null;
        }
        (IndexVariable counter, ScalarExpr element) = (loop.Variables[0], loop.Elements![0]);
        if (!new LoopMerging(Analysis, [element], []).Accesses.Any(a => a[counter] == 1))
        {
            return null;
        }
        DType counted = counter.Extent.Range.Max <= int.MaxValue ? DType.I32 : DType.I64;
        int wide = Math.Max(function.Compared.SizeInBytes(), counted.SizeInBytes());
        int lanes = VectorsOfPositions * (Target?.VectorBits ?? VectorBitsAnywhere) / (8 * wide);
        Dim extent = counter.Extent;
        while (extent.IsStatic && lanes > extent.Value / 2)
        {
            lanes /= 2;
        }
        if (lanes < FewElements / 2)
        {
            return null;
        }
        Hoist([element], loop.Variables);
        KExpr length = Builder.Let("length", KBuilder.Value(extent));
        if (extent.IsStatic)
        {
            KExpr place = EmitPlace(counter, element, function, counted, lanes, length);
            return EmitWinner(loop, place);
        }
        KRegister[] results = [.. loop.Initial.Select(e => Builder.Declare("best", Emit(e)))];
        Builder.If(
            KBuilder.Less(length, lanes),
            () => InScope(() => Assign(EmitOrderedLoop(loop))),
            () => InScope(() => Assign(EmitWinner(loop, EmitPlace(counter, element, function, counted, lanes, length)))));
        return [.. results.Select(r => Builder.Let("result", new KRead(r)))];

        void Assign(KExpr[] values)
        {
            for (int i = 0; i < values.Length; i++)
            {
                Builder.Assign(results[i], values[i]);
            }
        }
    }

    // The position of the winner among at least as many elements as there are lanes.
    private KExpr EmitPlace(
        IndexVariable counter, ScalarExpr element, PositionFunction function, DType counted, int lanes, KExpr length)
    {
        KRegister? best = null;
        WithVector(counter, 0, lanes, null, () => best = Builder.Declare("best", Compared()));
        KRegister round = Builder.Declare("round", new KConstant(Scalar.Zero(counted), lanes));
        KExpr whole = Builder.Let("whole", KBuilder.Multiply(KBuilder.Divide(length, lanes), lanes));
        Builder.For("r", lanes, whole, lanes, Round);

        // What does not fill the lanes is seen with elements before it, which change nothing by being seen again.
        if (KBuilder.Subtract(length, whole) is not KConstant { Value.AsBool: false })
        {
            Round(Builder.Let("last", KBuilder.Subtract(length, lanes)));
        }
        KExpr places = Builder.Let("places", KBuilder.Add(new KRead(round), Narrow(new KRamp(0, 1, lanes), counted)));
        return JoinPlaces(new KRead(best!), places, function);

        KExpr Compared()
        {
            KExpr value = EmitLanes(element);
            return function.Compared == value.Type.Element ? value : new KConvert(value, function.Compared);
        }

        void Round(KExpr first) => WithVector(counter, first, lanes, null, () =>
        {
            KExpr next = Builder.Let("next", Compared());
            KExpr beats = Builder.Let("beats", function.Beats(next, new KRead(best!)));
            Builder.Assign(best!, new KSelect(beats, next, new KRead(best!)));
            Builder.Assign(round, new KSelect(beats, KBuilder.Broadcast(Narrow(first, counted), lanes), new KRead(round)));
        });
    }

    private KExpr JoinPlaces(KExpr best, KExpr places, PositionFunction function)
    {
        best = Builder.Let("best", best);
        for (int half = best.Type.Lanes / 2; half >= 1; half /= 2)
        {
            ValueList<int> low = Enumerable.Range(0, half).ToValueList();
            ValueList<int> high = Enumerable.Range(half, half).ToValueList();
            KExpr lowBest = Builder.Let("low", new KShuffle(best, low));
            KExpr highBest = Builder.Let("high", new KShuffle(best, high));
            KExpr lowPlace = Builder.Let("low", new KShuffle(places, low));
            KExpr highPlace = Builder.Let("high", new KShuffle(places, high));
            KExpr beats = Builder.Let("beats", function.Beats(highBest, highPlace, lowBest, lowPlace));
            best = Builder.Let("best", new KSelect(beats, highBest, lowBest));
            places = Builder.Let("places", new KSelect(beats, highPlace, lowPlace));
        }
        return Narrow(places, DType.I64);
    }

    // What the body makes of the initial values and the one element.
    private KExpr[] EmitWinner(LoopExpr loop, KExpr place)
    {
        KExpr[] results = [];
        InScope(() =>
        {
            Bind(loop.Variables[0], Builder.Let("place", place));
            for (int i = 0; i < loop.Carried.Count; i++)
            {
                Bind(loop.Carried[i], Emit(loop.Initial[i]));
            }
            results = [.. loop.Next.Select(Emit)];
        });
        return results;
    }

    private static KExpr Narrow(KExpr index, DType type) => index.Type.Element == type ? index : new KConvert(index, type);
}
