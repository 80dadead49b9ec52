using System.Globalization;

namespace Graphene.Codegen.Llvm;

/// <content>Statements.</content>
internal abstract partial class LlvmBodyPrinter
{
    /// <summary>A statement that not every machine has.</summary>
    protected virtual void MachineStatement(KStmt statement) => throw Bug($"{target} has no {statement.GetType().Name}");

    /// <summary>Statements in order.</summary>
    protected void Block(KBlock block)
    {
        foreach (KStmt statement in block.Statements)
        {
            Statement(statement);
        }
    }

    private void Statement(KStmt statement)
    {
        switch (statement)
        {
            case KFor loop:
                For(loop);
                break;
            case KWhile loop:
                While(loop);
                break;
            case KIf choice:
                If(choice);
                break;
            case KLet let:
                _variables[let.Variable] = Evaluate(let.Value);
                Define(let.Variable, let.Value);
                break;
            case KDeclare declare:
                _registers[declare.Register] = Alloca(LlvmTypes.Register(declare.Register.Type), "");
                Assign(declare.Register, Evaluate(declare.Initial));
                break;
            case KAssign assign:
                Assign(assign.Register, Evaluate(assign.Value));
                break;
            case KStore store:
                Store(store);
                break;
            case KScatter scatter:
                Scatter(scatter);
                break;
            case KPrefetch prefetch:
                Evaluate(Varying(prefetch.Index));
                Prefetch(PlaceOf(prefetch.Buffer, prefetch.Index, ""), prefetch.IsSoon);
                break;
            case KScratch scratch:
                Scratch(scratch.Buffer);
                break;
            default:
                MachineStatement(statement);
                break;
        }
    }

    // Loops are unrolled here, not by LLVM: what the schedule asked for happens, on every version, at no cost in passes.
    private void For(KFor loop)
    {
        if (TripCount(loop) is { } count && count <= Math.Max(loop.Unroll, 1))
        {
            long first = (long)((KConstant)loop.Begin).Value.AsInteger;
            for (long i = 0; i < count; i++)
            {
                _variables[loop.Variable] = LlvmTypes.Integer(KType.Index, first + (i * loop.Step));
                Block(loop.Body);
            }
            return;
        }
        KType type = CounterType(loop);
        LlvmValue begin = Narrowed(Evaluate(loop.Begin), type.Element);
        LlvmValue end = Narrowed(Evaluate(loop.End), type.Element);
        if (loop.Unroll > 1)
        {
            begin = UnrolledRounds(loop, begin, end);
        }
        Loop(begin, end, loop.Step, loop.Variable, () => Block(loop.Body), () => null);
    }

    /// <summary>What a loop counts in: i64, or a narrower type that holds the bound and a round more.</summary>
    protected virtual KType CounterType(KFor loop) => KType.Index;

    /// <summary>An index in a type that holds it.</summary>
    protected LlvmValue Narrowed(LlvmValue value, DType type) => value.Type.Element == type ? value
        : long.TryParse(value.Name, CultureInfo.InvariantCulture, out _) ? value with { Type = value.Type with { Element = type } }
        : Cast("trunc", value, type);

    // Runs as many whole groups of rounds as there are; returns where the rest begins.
    private LlvmValue UnrolledRounds(KFor loop, LlvmValue begin, LlvmValue end)
    {
        long stride = checked(loop.Step * loop.Unroll);
        KType type = begin.Type;
        LlvmValue size = Out.Add(type, $"sub {end}, {begin.Name}");
        LlvmValue rounds = Out.Add(type, $"sdiv {Plus(size, loop.Step - 1)}, {loop.Step}");
        LlvmValue groups = Out.Add(type, $"sdiv {rounds}, {loop.Unroll}");
        LlvmValue some = Intrinsic("smax", groups, Number(type, 0));
        LlvmValue length = Out.Add(type, $"mul {some}, {stride}");
        LlvmValue middle = Out.Add(type, $"add {begin}, {length.Name}");
        Loop(begin, middle, stride, loop.Variable, Group, () => null);
        return middle;

        void Group()
        {
            LlvmValue first = _variables[loop.Variable];
            for (int i = 0; i < loop.Unroll; i++)
            {
                _variables[loop.Variable] = Plus(first, i * loop.Step);
                Block(loop.Body);
            }
        }
    }

    private static long? TripCount(KFor loop)
    {
        if (loop.Begin is not KConstant begin || loop.End is not KConstant end)
        {
            return null;
        }
        Int128 count = (end.Value.AsInteger - begin.Value.AsInteger + loop.Step - 1) / loop.Step;
        return (long)Int128.Clamp(count, 0, long.MaxValue);
    }

    private void While(KWhile loop)
    {
        string test = Out.NewLabel();
        string round = Out.NewLabel();
        string done = Out.NewLabel();
        Out.Branch(test);
        Out.Begin(test);
        Out.Branch(Evaluate(loop.Condition), round, done);
        Out.Begin(round);
        Block(loop.Body);
        Out.Branch(test);
        Out.Begin(done);
    }

    private void If(KIf choice)
    {
        LlvmValue condition = Evaluate(choice.Condition);
        string then = Out.NewLabel();
        string otherwise = Out.NewLabel();
        string done = choice.Else is null ? otherwise : Out.NewLabel();
        Out.Branch(condition, then, otherwise);
        Out.Begin(then);
        Block(choice.Then);
        Out.Branch(done);
        if (choice.Else is { } block)
        {
            Out.Begin(otherwise);
            Block(block);
            Out.Branch(done);
        }
        Out.Begin(done);
    }

    /// <summary>Sets a register.</summary>
    protected void Assign(KRegister register, LlvmValue value) => Out.Do($"store {value}, ptr {Place(register)}");

    private string Place(KRegister register) => _registers.TryGetValue(register, out string? place)
        ? place
        : throw Bug($"register '{register.Name}' is used before it is declared");

    private void Scratch(KBuffer buffer)
    {
        // A body printed twice by unrolling shares its scratch: its content is undefined at each declaration anyway.
        if (!_buffers.ContainsKey(buffer))
        {
            _buffers.Add(buffer, ScratchAddress(buffer));
        }
    }

    /// <summary>Memory of one run of the function.</summary>
    protected string Alloca(string type, string alignment) => Out.AddToEntry($"alloca {type}{alignment}");

    private LlvmValue Plus(LlvmValue value, long number) =>
        number == 0 ? value : Out.Add(value.Type, $"add {value}, {number}");
}
