namespace Graphene.Tests.Support;

/// <summary>
/// Runs scalar expressions, to show that element forms are right before any code is generated. Strict: a load out of bounds
/// fails, also in an arm of a select that is not taken and in the fallback of a guard.
/// </summary>
/// <param name="load">Gives an element of a source.</param>
/// <param name="valueOf">Gives the values of symbols.</param>
internal sealed class ScalarExprInterpreter(Func<int, long[], Scalar> load, Func<DimSymbol, long> valueOf)
{
    private readonly Dictionary<ScalarExpr, Scalar> _bindings = new(ReferenceEqualityComparer.Instance);
    private Dictionary<ScalarExpr, Scalar> _known = new(ReferenceEqualityComparer.Instance);
    private Dictionary<LoopExpr, Scalar[]> _knownLoops = new(ReferenceEqualityComparer.Instance);

    /// <summary>The value of an expression with index variables bound to numbers.</summary>
    public Scalar Evaluate(ScalarExpr e, IEnumerable<(IndexVariable Variable, long Value)> indices)
    {
        Forget();
        foreach ((IndexVariable variable, long value) in indices)
        {
            _bindings[variable] = Scalar.FromInteger(DType.I64, value);
        }
        return Evaluate(e);
    }

    private Scalar Evaluate(ScalarExpr e)
    {
        if (_bindings.TryGetValue(e, out Scalar value) || _known.TryGetValue(e, out value))
        {
            return value;
        }
        value = e switch
        {
            ConstantExpr c => c.Value,
            DimExpr d => Scalar.FromInteger(DType.I64, d.Dim.Evaluate(valueOf)),
            LoadExpr l => Load(l),
            CallExpr c => ScalarInstructions.Apply(c.Op, [.. c.Arguments.Select(Evaluate)]),
            ConvertExpr c => ScalarInstructions.Convert(Evaluate(c.Value), c.DType),
            BitcastExpr b => Scalar.FromBits(b.DType, Evaluate(b.Value).Bits),
            SelectExpr s => Select(Evaluate(s.Condition), Evaluate(s.WhenTrue), Evaluate(s.WhenFalse)),
            GuardExpr g => Guard(g, Evaluate(g.Otherwise)),
            LoopResultExpr r => Loop(r.Loop)[r.Result],
            _ => throw new InvalidOperationException($"{e.GetType().Name} has no value here"),
        };
        if (value.DType != e.DType)
        {
            throw new InvalidOperationException($"{e.GetType().Name} of type {e.DType} has a value of type {value.DType}");
        }
        _known[e] = value;
        return value;
    }

    private static Scalar Select(Scalar condition, Scalar whenTrue, Scalar whenFalse) => condition.AsBool ? whenTrue : whenFalse;

    private Scalar Guard(GuardExpr guard, Scalar otherwise) =>
        Evaluate(guard.Condition).AsBool ? Evaluate(guard.Value) : otherwise;

    private Scalar Load(LoadExpr e)
    {
        long[] at = [.. e.At.Select(i => (long)Evaluate(i).AsInteger)];
        for (int axis = 0; axis < at.Length; axis++)
        {
            long extent = e.SourceType.Shape[axis].Evaluate(valueOf);
            if (at[axis] < 0 || at[axis] >= extent)
            {
                throw new InvalidOperationException(
                    $"source {e.Source}, {e.SourceType}, is read at [{string.Join(",", at)}], outside of its bounds");
            }
        }
        return load(e.Source, at);
    }

    // Inside an iteration nothing is known from outside of it; expressions that do not vary are simply computed again.
    private Scalar[] Loop(LoopExpr loop)
    {
        if (_knownLoops.TryGetValue(loop, out Scalar[]? results))
        {
            return results;
        }
        Scalar[] carried = [.. loop.Initial.Select(Evaluate)];
        (var known, var knownLoops) = (_known, _knownLoops);
        foreach (long[] at in IndexSpace.Of([.. loop.Variables.Select(v => v.Extent.Evaluate(valueOf))]))
        {
            Forget();
            for (int i = 0; i < at.Length; i++)
            {
                _bindings[loop.Variables[i]] = Scalar.FromInteger(DType.I64, at[i]);
            }
            for (int i = 0; i < carried.Length; i++)
            {
                _bindings[loop.Carried[i]] = carried[i];
            }
            carried = [.. loop.Next.Select(Evaluate)];
        }
        (_known, _knownLoops) = (known, knownLoops);
        foreach (ScalarExpr bound in loop.Variables.Concat<ScalarExpr>(loop.Carried))
        {
            _bindings.Remove(bound);
        }
        _knownLoops[loop] = carried;
        return carried;
    }

    private void Forget()
    {
        _known = new(ReferenceEqualityComparer.Instance);
        _knownLoops = new(ReferenceEqualityComparer.Instance);
    }
}
