namespace Graphene.Codegen;

/// <summary>
/// A loop whose rounds overlap: software pipelining (M. Lam, Software pipelining: an effective scheduling technique for VLIW machines, 1988).
/// One round of the written loop computes the first part of one element, the next part of the element before, and so on.
/// </summary>
/// <remarks>
/// <code>
/// round i:   stage 0 of element i     stage 1 of element i - 1     stage 2 of element i - 2
/// </code>
/// A processor looks ahead over as many waiting instructions as its schedulers hold. Functions of a vector are as many, in one long chain, so
/// that the next vector is seen when this one is nearly done. Stages of one round wait for nothing but rounds that are over.
/// What a later stage needs is handed over in registers; indices, and what is read of memory that nobody writes, are computed anew.
/// The first rounds compute later stages of elements that are not there, and write what the right values then take the place of; the last
/// ones compute the last element's first stages again.
/// </remarks>
internal sealed class PipelinedLoop
{
    // Rounds that a loop needs for each stage, so that those which fill and empty it do not count.
    private const int RoundsPerStage = 16;

    private const int MostStages = 6;

    // Shorter bodies fit the schedulers several times.
    private const int FewestInstructions = 23;

    // A choice with a seldom side divides the code, and instructions are not put in order across it.
    private const int FewestInstructionsDivided = 28;

    // About two are executed a cycle.
    private const double CyclesPerInstruction = 0.54;

    private const int FewestCycles = 8;

    private readonly KVariable _counter;
    private readonly IReadOnlyList<KStmt> _effects;
    private readonly Dictionary<KVariable, KExpr> _named = new(ReferenceEqualityComparer.Instance);
    private readonly Expansions _expansions;
    private readonly HashSet<KExpr> _repeated = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<KExpr, Instruction> _instructions = new(ReferenceEqualityComparer.Instance);
    private readonly List<Instruction> _order = [];
    private int _stages;

    private PipelinedLoop(KVariable counter, KBlock body, bool hasFma)
    {
        _counter = counter;
        _expansions = new Expansions(hasFma);
        foreach (KLet let in body.Statements.OfType<KLet>())
        {
            _named.Add(let.Variable, let.Value);
        }
        _effects = [.. body.Statements.Where(s => s is not KLet)];
    }

    /// <summary>Divides the round of a loop into stages.</summary>
    /// <param name="counter">The loop's counter.</param>
    /// <param name="body">A round: values with names, prefetches and stores.</param>
    /// <param name="hasFma">Whether the machine rounds a multiply-add once.</param>
    /// <returns>Null where rounds must not overlap, or where it would not pay.</returns>
    public static PipelinedLoop? TryPlan(KVariable counter, KBlock body, bool hasFma)
    {
        var loop = new PipelinedLoop(counter, body, hasFma);
        return loop.TryCollect() && loop.TryDivide() ? loop : null;
    }

    /// <summary>Writes the loop over as much of a range as it takes.</summary>
    /// <param name="b">The kernel.</param>
    /// <param name="begin">The first value of the counter.</param>
    /// <param name="end">The bound.</param>
    /// <param name="step">The distance of two values.</param>
    /// <returns>Where the rest begins: less than a step before the end, or all of a short range. Null for a range that is known to be short.</returns>
    public KExpr? TryWrite(KBuilder b, KExpr begin, KExpr end, long step)
    {
        KExpr rounds = KBuilder.Divide(KBuilder.Subtract(end, begin), step);
        int fewest = _stages * RoundsPerStage;
        KExpr whole = KBuilder.Add(begin, KBuilder.Multiply(rounds, step));
        KExpr until = KBuilder.Add(whole, (_stages - 1) * step);
        if (rounds is KConstant { Value.AsInteger: var known })
        {
            if (known < fewest)
            {
                return null;
            }
        }
        else
        {
            KExpr isLong = b.Let("is_long", KBuilder.Less(fewest - 1, rounds));
            whole = b.Let("whole", new KSelect(isLong, whole, begin));
            until = b.Let("until", new KSelect(isLong, until, begin));
        }
        KExpr last = b.Let("last", KBuilder.Subtract(whole, step));
        _order.ForEach(instruction => instruction.Declare(b));
        b.For("i", begin, until, step, i => new Round(this, b, i, begin, last, step).Write());
        return whole;
    }

    private KExpr Resolved(KExpr e)
    {
        while (e is KVariable variable && _named.TryGetValue(variable, out KExpr? value))
        {
            e = value;
        }
        return _expansions.Of(e) is { } expansion ? Resolved(expansion) : e;
    }

    private IReadOnlyList<KExpr> Parts(KExpr e) => [.. KTraversal.Operands(e).Select(Resolved)];

    // The side of a choice that is seldom needed is computed where it is chosen, all of it.
    private IReadOnlyList<KExpr> UsualParts(KExpr e) => e is KSelect { IsRare: true } choice
        ? [Resolved(choice.Condition), Resolved(choice.WhenFalse)]
        : Parts(e);

    // Finds the instructions of all stores; false where something is no simple instruction, or may not be moved past a store.
    private bool TryCollect()
    {
        KStore[] stores = [.. _effects.SelectMany(Stores)];
        bool isSound = stores.Length > 0 && _effects.All(IsSimple);
        foreach (KExpr root in _effects.SelectMany(Roots).Concat(stores.Select(s => s.Value)))
        {
            KTraversal.PostOrder(Resolved(root), IsKnown, UsualParts, e => isSound &= TryAdd(e, stores));
        }
        return isSound && _order.TrueForAll(TryAddRareOperands) && stores.All(s => !_repeated.Contains(Resolved(s.Value)))
            && _effects.SelectMany(Roots).All(root => _repeated.Contains(Resolved(root)));
    }

    private IEnumerable<Instruction> Stored => _effects.SelectMany(Stores).Select(s => _instructions[Resolved(s.Value)]);

    private bool IsKnown(KExpr e) => _repeated.Contains(e) || _instructions.ContainsKey(e);

    private static IEnumerable<KStore> Stores(KStmt s) => s switch
    {
        KStore store => [store],
        KIf choice => KTraversal.Blocks(choice).SelectMany(b => b.Statements).SelectMany(Stores),
        _ => [],
    };

    // Whether a statement is a prefetch, a store of all lanes, or one of two stores.
    private static bool IsSimple(KStmt s) => s switch
    {
        KPrefetch => true,
        KStore store => store.Mask is null,
        KIf choice => KTraversal.Blocks(choice).All(b => b.Statements.All(IsSimple)),
        _ => false,
    };

    // What statements are computed from besides what is stored.
    private static IEnumerable<KExpr> Roots(KStmt s) => s switch
    {
        KPrefetch prefetch => [prefetch.Index],
        KStore store => [store.Index],
        KIf choice => [choice.Condition, .. KTraversal.Blocks(choice).SelectMany(b => b.Statements).SelectMany(Roots)],
        _ => [],
    };

    private bool TryAdd(KExpr e, KStore[] stores)
    {
        KExpr[] parts = [.. UsualParts(e)];
        bool ofRepeated = Array.TrueForAll(parts, _repeated.Contains);
        if (ofRepeated && (e is KConstant or KVariable or KSymbol or KBroadcast or KRamp or KLoad { Mask: null, Buffer.IsReadOnly: true }
            || (e is KCall or KSelect or KConvert && e.Type.IsScalar)))
        {
            _repeated.Add(e);
            return true;
        }
        bool isInstruction = e switch
        {
            // A round reads before those behind it write. What may share memory with a result is read where that is written.
            KLoad { Mask: null } load => Array.TrueForAll(stores, s => s.Index == load.Index),
            _ => IsArithmetic(e),
        };
        if (isInstruction)
        {
            var added = new Instruction(e, _order.Count, [.. parts.Where(_instructions.ContainsKey).Select(p => _instructions[p])]);
            _instructions.Add(e, added);
            _order.Add(added);
            return true;
        }
        _repeated.Add(e); // so that it is not met again
        return false;
    }

    private static bool IsArithmetic(KExpr e) => e is KConstant or KCall or KSelect or KScale or KLookup or KBitcast or KConvert or KBroadcast;

    // What the seldom side of a choice is computed from has to be there by then.
    private bool TryAddRareOperands(Instruction instruction)
    {
        if (instruction.Value is not KSelect { IsRare: true } choice)
        {
            return true;
        }
        bool isSound = true;
        var seen = new HashSet<KExpr>(ReferenceEqualityComparer.Instance);
        KTraversal.PostOrder(Resolved(choice.WhenTrue), seen.Contains, e => IsKnown(e) ? [] : Parts(e), e =>
        {
            seen.Add(e);
            if (_instructions.TryGetValue(e, out Instruction? operand))
            {
                isSound &= operand.Place < instruction.Place;
                instruction.Operands.Add(operand);
            }
            else
            {
                isSound &= _repeated.Contains(e) || IsArithmetic(e);
            }
        });
        return isSound;
    }

    // As late as possible, so that little waits in registers, and the last stage at the end.
    private bool TryDivide()
    {
        int count = Executed().Count(i => i.Latency > 0);
        int path = 0;
        foreach (Instruction instruction in _order)
        {
            instruction.Time = instruction.Operands.Select(o => o.Time + o.Latency).DefaultIfEmpty(0).Max();
            path = Math.Max(path, instruction.Time + instruction.Latency);
        }
        int cycles = Math.Max(FewestCycles, (int)(CyclesPerInstruction * count));
        _stages = Math.Min(MostStages, (path + cycles - 1) / cycles);
        bool isDivided = _order.Exists(i => i.Value is KSelect { IsRare: true });
        if (count < (isDivided ? FewestInstructionsDivided : FewestInstructions) || _stages < 2)
        {
            return false;
        }
        cycles = Math.Max(cycles, (path + _stages - 1) / _stages);
        _order.ForEach(i => i.Time = path - i.Latency);
        foreach (Instruction instruction in _order.AsEnumerable().Reverse())
        {
            foreach (Instruction operand in instruction.Operands)
            {
                operand.Time = Math.Min(operand.Time, instruction.Time - operand.Latency);
            }
        }
        foreach (Instruction instruction in _order)
        {
            int early = path - instruction.Time - 1;
            instruction.Stage = _stages - 1 - Math.Max(0, early / cycles);
        }
        foreach (Instruction instruction in _order)
        {
            foreach (Instruction operand in instruction.Operands)
            {
                operand.LastStage = Math.Max(operand.LastStage, instruction.Stage);
            }
        }
        foreach (Instruction stored in Stored)
        {
            stored.LastStage = _stages - 1;
        }
        return true;
    }

    // What is executed where one instruction scales a number. Elsewhere it is the product that says the same, which does not count; stages
    // that are as short as without it were no slower there.
    private HashSet<Instruction> Executed()
    {
        var executed = new HashSet<Instruction>();
        var open = new Stack<Instruction>(Stored);
        while (open.TryPop(out Instruction? instruction))
        {
            if (executed.Add(instruction))
            {
                KExpr? leftOut = instruction.Value is KScale scale ? Resolved(scale.Product) : null;
                instruction.Operands.Where(o => !ReferenceEquals(o.Value, leftOut)).ToList().ForEach(open.Push);
            }
        }
        return executed;
    }

    // What an instruction takes until another can use it, on a processor of these years.
    private static int Latency(KExpr e) => e switch
    {
        KBitcast => 0,
        KCall { Op: ScalarOp.Divide or ScalarOp.Remainder } => 13,
        KCall { Op: ScalarOp.SquareRoot } => 20,
        KCall { Op: ScalarOp.And or ScalarOp.Or or ScalarOp.Xor or ScalarOp.Not or ScalarOp.Abs or ScalarOp.Negate } => 1,
        KCall { Op: ScalarOp.Minimum or ScalarOp.Maximum } or KSelect => 2,
        KCall { Op: ScalarOp.ShiftLeft or ScalarOp.ShiftRightLogical or ScalarOp.ShiftRightArithmetic } => 2,
        KCall { Op: ScalarOp.FusedMultiplyAdd } or KLookup or KConvert => 4,
        KScale => 6,
        KLoad => 7,
        _ => 3,
    };

    /// <summary>What is computed once for each value of the counter.</summary>
    private sealed class Instruction(KExpr value, int place, List<Instruction> operands)
    {
        private readonly List<KRegister> _registers = [];

        public KExpr Value => value;

        /// <summary>The place in an order that has operands first.</summary>
        public int Place => place;

        public List<Instruction> Operands => operands;

        public int Latency { get; } = PipelinedLoop.Latency(value);

        /// <summary>The cycle, counted from the first of its element.</summary>
        public int Time { get; set; }

        /// <summary>The stage, and the last one that needs the value.</summary>
        public int Stage { get; set; }

        public int LastStage { get; set; }

        /// <summary>What holds the value one round later, two rounds later ...</summary>
        public IReadOnlyList<KRegister> Registers => _registers;

        public void Declare(KBuilder b)
        {
            _registers.Clear();
            KExpr zero = new KConstant(Scalar.FromBits(value.Type.Element, 0), value.Type.Lanes);
            for (int stage = Stage; stage < LastStage; stage++)
            {
                _registers.Add(b.Declare("ahead", zero));
            }
        }
    }

    /// <summary>One round: each stage, of an element of its own.</summary>
    private sealed class Round
    {
        private readonly PipelinedLoop _loop;
        private readonly KBuilder _b;
        private readonly KExpr[] _at;
        private readonly Dictionary<KExpr, KExpr>[] _known;

        public Round(PipelinedLoop loop, KBuilder b, KExpr i, KExpr begin, KExpr last, long step)
        {
            _loop = loop;
            _b = b;
            _at = [.. Enumerable.Range(0, loop._stages).Select(stage => b.Let(
                "at", KBuilder.Maximum(KBuilder.Minimum(KBuilder.Subtract(i, stage * step), last), begin)))];
            _known = Array.ConvertAll(_at, at => new Dictionary<KExpr, KExpr>(ReferenceEqualityComparer.Instance) { [loop._counter] = at });
        }

        public void Write()
        {
            foreach (Instruction instruction in _loop._order)
            {
                for (int i = 0; i < instruction.Registers.Count; i++)
                {
                    _known[instruction.Stage + i + 1][instruction.Value] = _b.Let("before", new KRead(instruction.Registers[i]));
                }
            }
            foreach (KStmt prefetch in _loop._effects.Where(e => e is KPrefetch))
            {
                Write(prefetch, 0);
            }
            foreach (Instruction instruction in _loop._order.OrderByDescending(i => i.Stage).ThenBy(i => i.Time))
            {
                KExpr value = Rebuilt(instruction.Value, instruction.Stage);
                _known[instruction.Stage][instruction.Value] = _b.Let("t", value);
            }
            foreach (KStmt store in _loop._effects.Where(e => e is not KPrefetch))
            {
                // What is read for a place is read outside of the blocks that need it.
                Roots(store).ToList().ForEach(root => Value(root, _loop._stages - 1));
                Write(store, _loop._stages - 1);
            }
            foreach (Instruction instruction in _loop._order)
            {
                for (int i = instruction.Registers.Count - 1; i >= 0; i--)
                {
                    _b.Assign(instruction.Registers[i], _known[instruction.Stage + i][instruction.Value]);
                }
            }
        }

        private void Write(KStmt effect, int stage)
        {
            switch (effect)
            {
                case KPrefetch prefetch:
                    _b.Add(prefetch with { Index = Value(prefetch.Index, stage) });
                    break;
                case KStore store:
                    _b.Add(store with { Index = Value(store.Index, stage), Value = Value(store.Value, stage) });
                    break;
                case KIf choice:
                    _b.If(Value(choice.Condition, stage), () => WriteAll(choice.Then), choice.Else is { } other ? () => WriteAll(other) : null);
                    break;
            }

            void WriteAll(KBlock block)
            {
                foreach (KStmt inner in block.Statements)
                {
                    Write(inner, stage);
                }
            }
        }

        // An expression of a stage's element: an instruction's result, or computed here.
        private KExpr Value(KExpr e, int stage)
        {
            e = _loop.Resolved(e);
            if (_known[stage].TryGetValue(e, out KExpr? value))
            {
                return value;
            }
            value = e is KConstant or KVariable or KSymbol ? e : Rebuilt(e, stage);
            value = e is KLoad ? _b.Let("t", value) : value;
            _known[stage].Add(e, value);
            return value;
        }

        private KExpr Rebuilt(KExpr e, int stage) => e switch
        {
            KCall call => call with { Arguments = call.Arguments.Select(a => Value(a, stage)).ToValueList() },
            KSelect select => select with
            {
                Condition = Value(select.Condition, stage), WhenTrue = Value(select.WhenTrue, stage), WhenFalse = Value(select.WhenFalse, stage),
            },
            KScale scale => scale with
            {
                Value = Value(scale.Value, stage), Exponent = Value(scale.Exponent, stage), Product = Value(scale.Product, stage),
            },
            KLookup lookup => lookup with { Index = Value(lookup.Index, stage) },
            KConvert convert => convert with { Value = Value(convert.Value, stage) },
            KBitcast bitcast => bitcast with { Value = Value(bitcast.Value, stage) },
            KBroadcast broadcast => broadcast with { Value = Value(broadcast.Value, stage) },
            KRamp ramp => ramp with { Base = Value(ramp.Base, stage), Stride = Value(ramp.Stride, stage) },
            KLoad load => load with { Index = Value(load.Index, stage) },
            _ => throw new CompilerBugException("software pipelining", $"{e.GetType().Name} is no instruction of a loop"),
        };
    }
}
