namespace Graphene.Codegen;

// Where the lanes of the vector axis read and write, and what they have in common.
internal sealed partial class ExprEmitter
{
    // True for what is not worth a vector although its expression names the vector axis: i / 64 in four lanes that begin at 4 n.
    private bool IsSameInAllLanes(ScalarExpr e) =>
        _vector is { Forms: { } forms } && !_guarded && e is not (ConstantExpr or DimExpr or IndexVariable) &&
        Analysis.DependsOn(e, [_vector.Variable]) && forms.Of(e) == LaneForm.Same;

    // The value in the first lane. What is guarded may not be read for it.
    private KExpr EmitFirst(ScalarExpr e)
    {
        if (!Analysis.DependsOn(e, [_vector!.Variable]))
        {
            return Emit(e);
        }
        var key = new FirstLane(e);
        if (Lookup(key) is { } known)
        {
            return known[0];
        }
        (VectorAxis vector, KExpr? mask) = (_vector, _mask);
        KExpr? value = null;
        InScope(() =>
        {
            Bind(vector.Variable, vector.First);
            (_vector, _mask) = (null, null);
            value = Emit(e);
        });
        (_vector, _mask) = (vector, mask);
        _scopes[^1][key] = [value!];
        return value!;
    }

    private Access AccessOf(AffineIndex index)
    {
        if (_vector is null)
        {
            return new Access(EmitPosition(index, null));
        }
        LaneForms? forms = _guarded ? null : _vector.Forms;
        Dim stride = index[_vector.Variable];
        KExpr position;
        if (forms is not null && forms.StrideOf(index) is { } known)
        {
            position = EmitPositionOfFirst(index);
            stride = known;
        }
        else if (index.Opaque.Any(t => Emit(t.Term).Type.Lanes > 1))
        {
            return new Access(0) { Places = EmitPosition(index, null) };
        }
        else
        {
            position = EmitPosition(index, _vector.Variable);
            if (stride == 0 && !_guarded)
            {
                return new Access(position);
            }
            position = KBuilder.Add(position, KBuilder.Multiply(_vector.First, KBuilder.Value(stride)));
        }
        Dim distance = stride * _vector.Step;
        return stride == 0 && !_guarded ? new Access(position)
            : distance == 1 || _vector.Lanes == 1
                ? new Access(position)
                {
                    IsShared = false,
                    Alignment = Builder.Multiples?.AlignmentOf(position, _vector.Lanes) ?? 1,
                }
            : new Access(position) { Places = new KRamp(position, KBuilder.Value(distance), _vector.Lanes) };
    }

    private KExpr EmitPositionOfFirst(AffineIndex index)
    {
        KExpr position = KBuilder.Value(index.Constant);
        foreach (IndexVariable variable in index.Variables)
        {
            KExpr counter = ReferenceEquals(variable, _vector!.Variable) ? _vector.First : Emit(variable);
            position = KBuilder.Add(KBuilder.Multiply(counter, KBuilder.Value(index[variable])), position);
        }
        foreach ((ScalarExpr term, Dim factor) in index.Opaque)
        {
            position = KBuilder.Add(KBuilder.Multiply(EmitFirst(term), KBuilder.Value(factor)), position);
        }
        return position;
    }

    // The place of the first lane, with what is known of the others.
    private readonly record struct Access(KExpr First)
    {
        /// <summary>True when all lanes are at one place.</summary>
        public bool IsShared { get; init; } = true;

        /// <summary>The place of each lane where they are not consecutive.</summary>
        public KExpr? Places { get; init; }

        /// <summary>What the first place is a multiple of.</summary>
        public int Alignment { get; init; } = 1;
    }

    private sealed record FirstLane(ScalarExpr Expression);
}
