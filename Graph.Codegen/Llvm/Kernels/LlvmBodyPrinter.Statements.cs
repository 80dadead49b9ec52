namespace Graphene.Codegen.Llvm;

/// <content>Statements.</content>
internal sealed partial class LlvmBodyPrinter
{
    private void Block(KBlock block)
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
                Prefetch(prefetch);
                break;
            case KScratch scratch:
                Scratch(scratch.Buffer);
                break;
            case KTiles tiles:
                Tiles(tiles);
                break;
            case KTileZero or KTileLoad or KTileStore or KTileDot:
                TileStep(statement);
                break;
            default:
                throw Bug($"unknown statement {statement.GetType().Name}");
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
        LlvmValue begin = Evaluate(loop.Begin);
        LlvmValue end = Evaluate(loop.End);
        if (loop.Unroll > 1)
        {
            begin = UnrolledRounds(loop, begin, end);
        }
        Loop(begin, end, loop.Step, loop.Variable, () => Block(loop.Body), () => null);
    }

    // Runs as many whole groups of rounds as there are; returns where the rest begins.
    private LlvmValue UnrolledRounds(KFor loop, LlvmValue begin, LlvmValue end)
    {
        long stride = checked(loop.Step * loop.Unroll);
        LlvmValue size = _out.Add(KType.Index, $"sub {end}, {begin.Name}");
        LlvmValue rounds = _out.Add(KType.Index, $"sdiv {Plus(size, loop.Step - 1)}, {loop.Step}");
        LlvmValue groups = _out.Add(KType.Index, $"sdiv {rounds}, {loop.Unroll}");
        LlvmValue some = _out.Add(KType.Index, $"call i64 @llvm.smax.i64({groups}, i64 0)");
        LlvmValue length = _out.Add(KType.Index, $"mul {some}, {stride}");
        LlvmValue middle = _out.Add(KType.Index, $"add {begin}, {length.Name}");
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
        string test = _out.NewLabel();
        string round = _out.NewLabel();
        string done = _out.NewLabel();
        _out.Branch(test);
        _out.Begin(test);
        _out.Branch(Evaluate(loop.Condition), round, done);
        _out.Begin(round);
        Block(loop.Body);
        _out.Branch(test);
        _out.Begin(done);
    }

    private void If(KIf choice)
    {
        LlvmValue condition = Evaluate(choice.Condition);
        string then = _out.NewLabel();
        string otherwise = _out.NewLabel();
        string done = choice.Else is null ? otherwise : _out.NewLabel();
        _out.Branch(condition, then, otherwise);
        _out.Begin(then);
        Block(choice.Then);
        _out.Branch(done);
        if (choice.Else is { } block)
        {
            _out.Begin(otherwise);
            Block(block);
            _out.Branch(done);
        }
        _out.Begin(done);
    }

    private void Assign(KRegister register, LlvmValue value) => _out.Do($"store {value}, ptr {Place(register)}");

    private string Place(KRegister register) => _registers.TryGetValue(register, out string? place)
        ? place
        : throw Bug($"register '{register.Name}' is used before it is declared");

    private void Scratch(KBuffer buffer)
    {
        // A body printed twice by unrolling shares its scratch: its content is undefined at each declaration anyway.
        if (!_buffers.ContainsKey(buffer))
        {
            _buffers.Add(buffer, Alloca($"[{buffer.Length} x {LlvmTypes.MemoryElement(buffer.Element)}]", ", align 64"));
        }
    }

    private string Alloca(string type, string alignment) => _out.AddToEntry($"alloca {type}{alignment}");

    private LlvmValue Plus(LlvmValue value, long number) =>
        number == 0 ? value : _out.Add(value.Type, $"add {value}, {number}");
}
