namespace Graphene.Codegen.Ptx;

/// <summary>
/// What is known of the indices of a kernel: from the number of tasks and threads, bounds of loops, and
/// bounds of symbols.
/// </summary>
/// <remarks>
/// <code>
/// task t of 1000, 128 threads      t in 0..999, thread in 0..127
/// let i = 128 t + thread           i in 0..127999
/// for k from 0 to n (n ≤ 4096)     k in 0..4095
/// </code>
/// A range holds wherever its expression is computed, also where nobody uses what comes out. What is read from memory or a register may be
/// anything that its type holds.
/// </remarks>
internal sealed class IndexIntervals
{
    private readonly Dictionary<KVariable, IndexInterval> _variables = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<KExpr, IndexInterval> _known = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<KVariable> _unknown = new(ReferenceEqualityComparer.Instance);

    private IndexIntervals(Kernel kernel)
    {
        bool isDone;
        do
        {
            _variables.Clear();
            _known.Clear();
            Bind(kernel.Task, Counter(IndexInterval.Of(0L), Of(kernel.TaskCount)));
            if (kernel.Threads is { } threads)
            {
                Bind(threads.Thread, new IndexInterval(0, threads.Count - 1));
            }
            isDone = Walk(kernel.Body);
        }
        while (!isDone);
    }

    /// <summary>The ranges of a kernel.</summary>
    public static IndexIntervals In(Kernel kernel) => new(kernel);

    /// <summary>The range of an integer expression of the kernel; of all lanes, if it has several.</summary>
    public IndexInterval Of(KExpr root)
    {
        KTraversal.PostOrder(root, _known.ContainsKey, KTraversal.Operands, e => _known.Add(e, Compute(e)));
        return _known[root];
    }

    /// <summary>The range of a loop's counter.</summary>
    public IndexInterval Of(KVariable variable) => _variables.GetValueOrDefault(variable, IndexInterval.Of(variable.Type.Element));

    private static IndexInterval Counter(IndexInterval begin, IndexInterval end) =>
        new(begin.Low, Math.Max(begin.Low, end.High == long.MinValue ? long.MinValue : end.High - 1));

    // A variable that is bound in two places with two ranges is given up, and everything found out again.
    private bool Walk(KBlock block)
    {
        foreach (KStmt statement in block.Statements)
        {
            bool isSame = statement switch
            {
                KFor loop => Bind(loop.Variable, Counter(Of(loop.Begin), Of(loop.End))),
                KLet let => Bind(let.Variable, Of(let.Value)),
                KExchange exchange => Bind(exchange.Variable, Of(exchange.Value)),
                KFragmentLoad load => Bind(load.Variable, IndexInterval.Of(load.Variable.Type.Element)),
                _ => true,
            };
            if (!isSame || !KTraversal.Blocks(statement).All(Walk))
            {
                return false;
            }
        }
        return true;
    }

    private bool Bind(KVariable variable, IndexInterval range)
    {
        range = _unknown.Contains(variable) ? IndexInterval.Of(variable.Type.Element) : range;
        if (_variables.TryAdd(variable, range) || _variables[variable] == range)
        {
            return true;
        }
        _unknown.Add(variable);
        return false;
    }

    private IndexInterval Compute(KExpr e) => e switch
    {
        KConstant { Value: var value } when value.DType.IsInteger() => value.AsInteger <= long.MaxValue
            ? IndexInterval.Of((long)value.AsInteger)
            : IndexInterval.Any,
        KVariable variable => Of(variable),
        KSymbol { Symbol: var symbol } => new IndexInterval(symbol.Min, symbol.Max),
        KCall { Arguments: [var a, var b], Type.Element: DType.I64 } call => IndexInterval.Apply(call.Op, _known[a], _known[b]),
        KCall { Op: ScalarOp.FusedMultiplyAdd, Arguments: [var a, var b, var c], Type.Element: DType.I64 } =>
            IndexInterval.Apply(ScalarOp.Add, IndexInterval.Apply(ScalarOp.Multiply, _known[a], _known[b]), _known[c]),
        KSelect select when e.Type.Element.IsInteger() => _known[select.WhenTrue].Or(_known[select.WhenFalse]),
        KConvert { To: DType.I64, Value: var value }
            when value.Type.Element.IsInteger() && value.Type.Element != DType.U64 => _known[value],
        KBroadcast broadcast => _known[broadcast.Value],
        KShuffle shuffle => _known[shuffle.Value],
        KJoin join => _known[join.Low].Or(_known[join.High]),
        KRamp ramp => IndexInterval.Apply(
            ScalarOp.Add, _known[ramp.Base],
            IndexInterval.Apply(ScalarOp.Multiply, _known[ramp.Stride], new IndexInterval(0, ramp.Lanes - 1))),
        _ => IndexInterval.Of(e.Type.Element),
    };
}
