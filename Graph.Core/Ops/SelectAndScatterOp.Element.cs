namespace Graphene;

/// <content>
/// The element form where windows do not overlap: an element looks at the window that it lies under, and takes the source's element when
/// the window picks it.
/// </content>
public sealed partial record SelectAndScatterOp
{
    /// <inheritdoc/>
    public override ScalarExpr Element(ElementBuilder e, IndexVector at, int result)
    {
        Shape input = e.OperandType(0).Shape;
        Shape source = e.OperandType(1).Shape;
        var place = new ScalarExpr[Window.Count];
        var own = new ScalarExpr[Window.Count];
        ScalarExpr under = e.True;
        for (int i = 0; i < place.Length; i++)
        {
            WindowDim w = Window[i];
            bool isSingle = w.Size == 1 && w.Stride == 1;
            ScalarExpr padded = e.Add(at[i], e.Index(w.Low));
            place[i] = isSingle ? padded : e.Divide(padded, e.Index(w.Stride));
            own[i] = isSingle ? e.Index(0) : e.Subtract(padded, e.Multiply(place[i], e.Index(w.Stride)));
            bool coversAll = w.Size == w.Stride && (source[i] * w.Stride) - w.Low - input[i] is { IsStatic: true, Value: >= 0 };
            under = coversAll ? under : e.And(
                under, e.And(e.Less(own[i], e.Index(w.Size)), e.Less(place[i], e.Index(source[i]))));
        }
        ScalarExpr initial = e.Operand(2);
        ScalarExpr taken = e.Apply(Scatter, initial, e.Operand(1, IndexVector.From(place)))[0];
        return e.Guard(under, e.Select(IsPicked(e, place, own), taken, initial), initial);
    }

    // Whether the element at a place inside the window is the one that comes out on top, going through the window in order.
    private ScalarExpr IsPicked(ElementBuilder e, ScalarExpr[] place, ScalarExpr[] own)
    {
        Shape input = e.OperandType(0).Shape;
        ScalarExpr? picked = null;
        ScalarExpr found = e.True;
        ScalarExpr isOwn = e.True;
        foreach (long[] element in IndexSpace.Of([.. Window.Select(w => w.Size.Value)]))
        {
            (ScalarExpr inside, ScalarExpr[] position) = WindowDims.Source(
                e, Window, place, [.. element.Select(k => e.Index(k))], [.. input]);
            bool isPadded = Window.Any(w => w.Low != 0 || w.High.Range.Max > 0);
            inside = isPadded ? inside : e.True;
            ScalarExpr value = e.Guard(inside, e.Operand(0, IndexVector.From(position)), e.Constant(Scalar.Zero(e.OperandType(0).DType)));
            ScalarExpr isHere = e.True;
            for (int i = 0; i < own.Length; i++)
            {
                isHere = Window[i].Size == 1 ? isHere : e.And(isHere, e.Equal(own[i], e.Index(element[i])));
            }
            if (picked is null)
            {
                (picked, found, isOwn) = (value, inside, isHere);
                continue;
            }
            ScalarExpr keep = e.And(found, e.Apply(Select, picked, value)[0]);
            ScalarExpr stay = isPadded ? e.Select(inside, keep, e.True) : keep;
            isOwn = e.Select(stay, isOwn, isHere);
            picked = e.Select(stay, picked, value);
            found = isPadded ? e.Select(inside, e.True, found) : e.True;
        }
        return e.And(found, isOwn);
    }
}
