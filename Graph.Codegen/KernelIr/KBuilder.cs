namespace Graphene.Codegen;

/// <summary>Writes Kernel IR: statements into nested blocks, expressions with the obvious simplifications.</summary>
public sealed class KBuilder
{
    private readonly Stack<List<KStmt>> _blocks = new([[]]);

    /// <summary>Remembers by what indices can be divided, for schedules whose accesses state it; null where nobody asks.</summary>
    internal KIndexMultiples? Multiples { get; init; }

    /// <summary>The outermost block written so far.</summary>
    public KBlock ToBlock() => new([.. _blocks.Peek()]);

    /// <summary>Appends a statement.</summary>
    public void Add(KStmt statement) => _blocks.Peek().Add(statement);

    /// <summary>Names a value so that it is computed once; constants and variables stay as they are.</summary>
    public KExpr Let(string name, KExpr value)
    {
        if (value is KConstant or KVariable or KSymbol)
        {
            return value;
        }
        var variable = new KVariable(name, value.Type);
        Add(new KLet(variable, value));
        Multiples?.Define(variable, value);
        return variable;
    }

    /// <summary>Declares a register.</summary>
    public KRegister Declare(string name, KExpr initial)
    {
        var register = new KRegister(name, initial.Type);
        Add(new KDeclare(register, initial));
        return register;
    }

    /// <summary>Declares scratch.</summary>
    public KBuffer Scratch(string name, DType element, long length)
    {
        KBuffer buffer = KBuffer.Scratch(name, element, length);
        Add(new KScratch(buffer));
        return buffer;
    }

    /// <summary>Sets a register.</summary>
    public void Assign(KRegister register, KExpr value) => Add(new KAssign(register, value));

    /// <summary>Writes consecutive elements.</summary>
    public void Store(KBuffer buffer, KExpr index, KExpr value, KExpr? mask = null) =>
        Add(new KStore(buffer, index, value, mask));

    /// <summary>Writes consecutive elements that are not read soon.</summary>
    public void Stream(KBuffer buffer, KExpr index, KExpr value) => Add(new KStore(buffer, index, value, IsStreaming: true));

    /// <summary>A counted loop; a loop of at most one known round is written without one.</summary>
    public void For(string name, KExpr begin, KExpr end, long step, Action<KExpr> body, int unroll = 0)
    {
        if (begin is KConstant b && end is KConstant e)
        {
            Int128 trip = e.Value.AsInteger - b.Value.AsInteger;
            if (trip <= 0)
            {
                return;
            }
            if (trip <= step)
            {
                body(begin);
                return;
            }
        }
        var variable = new KVariable(name, KType.Index);
        Multiples?.Define(variable, begin, step);
        Add(new KFor(variable, begin, end, step, Block(() => body(variable)), unroll));
    }

    /// <summary>Goes through a range by whole vectors, and through what is left by one with a mask.</summary>
    /// <param name="begin">The first index.</param>
    /// <param name="end">One past the last.</param>
    /// <param name="lanes">The lanes of a vector.</param>
    /// <param name="body">
    /// Writes what is done with a vector: its first index, and its mask, which is null where all lanes are there.
    /// </param>
    /// <param name="mayRepeat">Whether the last vector may end with the range instead, and do again what the one before has done.</param>
    public void ForVectors(KExpr begin, KExpr end, int lanes, Action<KExpr, KExpr?> body, bool mayRepeat = false)
    {
        KExpr whole = Let("whole", Add(begin, Multiply(Divide(Subtract(end, begin), lanes), lanes)));
        For("i", begin, whole, lanes, i => body(i, null));
        if (Subtract(end, whole) is not KConstant { Value.AsInteger: var rest })
        {
            If(Less(whole, end), Masked);
        }
        else if (rest > 0 && mayRepeat && Subtract(end, begin) is KConstant { Value.AsInteger: var length } && length >= lanes)
        {
            body(Subtract(end, lanes), null);
        }
        else if (rest > 0)
        {
            Masked();
        }

        void Masked() => body(whole, Let("mask", Less(new KRamp(0, 1, lanes), Subtract(end, whole))));
    }

    /// <summary>Runs one of two blocks.</summary>
    public void If(KExpr condition, Action then, Action? otherwise = null) =>
        Add(new KIf(condition, Block(then), otherwise is null ? null : Block(otherwise)));

    /// <summary>Repeats while a condition holds.</summary>
    public void While(KExpr condition, Action body) => Add(new KWhile(condition, Block(body)));

    /// <summary>Collects what is written meanwhile into a block of its own.</summary>
    public KBlock Block(Action write)
    {
        _blocks.Push([]);
        write();
        return new KBlock([.. _blocks.Pop()]);
    }

    /// <summary>A scalar instruction, lane by lane; scalar arguments beside vectors are broadcast.</summary>
    public static KExpr Call(ScalarOp op, params KExpr[] arguments)
    {
        int lanes = arguments.Max(a => a.Type.Lanes);
        KExpr[] same = Array.ConvertAll(arguments, a => Broadcast(a, lanes));
        return (lanes == 1 && same[0].Type.Element == DType.I64 ? FoldIndex(op, same) : null)
            ?? new KCall(op, same.ToValueList());
    }

    /// <summary>Sum.</summary>
    public static KExpr Add(KExpr a, KExpr b) => Call(ScalarOp.Add, a, b);

    /// <summary>Difference.</summary>
    public static KExpr Subtract(KExpr a, KExpr b) => Call(ScalarOp.Subtract, a, b);

    /// <summary>Product.</summary>
    public static KExpr Multiply(KExpr a, KExpr b) => Call(ScalarOp.Multiply, a, b);

    /// <summary>Quotient.</summary>
    public static KExpr Divide(KExpr a, KExpr b) => Call(ScalarOp.Divide, a, b);

    /// <summary>Remainder.</summary>
    public static KExpr Remainder(KExpr a, KExpr b) => Call(ScalarOp.Remainder, a, b);

    /// <summary>The smaller.</summary>
    public static KExpr Minimum(KExpr a, KExpr b) => Call(ScalarOp.Minimum, a, b);

    /// <summary>The larger.</summary>
    public static KExpr Maximum(KExpr a, KExpr b) => Call(ScalarOp.Maximum, a, b);

    /// <summary>a &lt; b.</summary>
    public static KExpr Less(KExpr a, KExpr b) => Call(ScalarOp.Less, a, b);

    /// <summary>The quotient rounded up; both are known not to be negative.</summary>
    public static KExpr CeilDiv(KExpr a, long b) => b == 1 ? a : Divide(Add(a, b - 1), b);

    /// <summary>a * b + c, rounded once.</summary>
    public static KExpr FusedMultiplyAdd(KExpr a, KExpr b, KExpr c) => Call(ScalarOp.FusedMultiplyAdd, a, b, c);

    /// <summary>The value in every lane; itself when it has as many lanes already.</summary>
    public static KExpr Broadcast(KExpr value, int lanes) => value.Type.Lanes == lanes ? value
        : value is KConstant { Lanes: 1 } constant ? constant with { Lanes = lanes, Type = constant.Type with { Lanes = lanes } }
        : new KBroadcast(value, lanes);

    /// <summary>A dim as an expression over symbols.</summary>
    public static KExpr Value(Dim dim) => new DimToExpr().Visit(dim);

    private static KExpr? FoldIndex(ScalarOp op, KExpr[] args)
    {
        long? a = AsIndex(args[0]);
        long? b = args.Length > 1 ? AsIndex(args[1]) : null;
        return (op, a, b) switch
        {
            (ScalarOp.Add, { } x, { } y) => x + y,
            (ScalarOp.Subtract, { } x, { } y) => x - y,
            (ScalarOp.Multiply, { } x, { } y) => x * y,
            (ScalarOp.Divide, { } x, { } y) when x >= 0 && y > 0 => x / y,
            (ScalarOp.Remainder, { } x, { } y) when x >= 0 && y > 0 => x % y,
            (ScalarOp.Minimum, { } x, { } y) => Math.Min(x, y),
            (ScalarOp.Maximum, { } x, { } y) => Math.Max(x, y),
            (ScalarOp.Add, 0, _) => args[1],
            (ScalarOp.Add or ScalarOp.Subtract, _, 0) => args[0],
            (ScalarOp.Multiply, 0, _) or (ScalarOp.Multiply, _, 0) => 0,
            (ScalarOp.Multiply, 1, _) => args[1],
            (ScalarOp.Multiply or ScalarOp.Divide, _, 1) => args[0],
            (ScalarOp.Remainder, _, 1) => 0,
            _ => null,
        };
    }

    private static long? AsIndex(KExpr e) => e is KConstant { Lanes: 1, Value.DType: DType.I64 } c ? (long)c.Value.AsInteger : null;

    private sealed class DimToExpr : DimVisitor<KExpr>
    {
        protected override KExpr Number(long value) => value;

        protected override KExpr Symbol(DimSymbol symbol) => new KSymbol(symbol);

        protected override KExpr Add(KExpr left, KExpr right) => KBuilder.Add(left, right);

        protected override KExpr Multiply(KExpr left, KExpr right) => KBuilder.Multiply(left, right);

        protected override KExpr FloorDiv(KExpr left, KExpr right) => Divide(left, right);

        protected override KExpr Max(KExpr left, KExpr right) => Maximum(left, right);

        protected override KExpr Min(KExpr left, KExpr right) => Minimum(left, right);
    }
}
