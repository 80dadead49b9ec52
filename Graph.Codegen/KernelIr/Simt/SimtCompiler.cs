namespace Graphene.Codegen;

/// <summary>Makes steps of the statements of a kernel with threads.</summary>
internal sealed partial class SimtCompiler
{
    private readonly Kernel _kernel;
    private readonly bool _hasFma;
    private readonly Expansions _expansions;
    private readonly int _threads;
    private readonly Uniformity _uniformity;
    private readonly SimtArrays _arrays = new();
    private readonly List<KStmt> _statements = [];
    private readonly List<KBuffer> _buffers = [];
    private readonly Dictionary<KVariable, SimtSlot> _variables = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<KRegister, SimtSlot> _registers = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<KRegister> _sums = new(ReferenceEqualityComparer.Instance);

    public SimtCompiler(Kernel kernel, bool hasFma)
    {
        _kernel = kernel;
        _hasFma = hasFma;
        _expansions = new Expansions(hasFma);
        _threads = kernel.Threads!.Count;
        _uniformity = new Uniformity(kernel);
        _buffers.AddRange(kernel.Arguments);
        _sums.UnionWith(SumsOf(kernel.Body));
        Task = Bind(kernel.Task);
        Thread = Bind(kernel.Threads.Thread);
    }

    /// <summary>The sizes of the arrays that values lie in.</summary>
    public IReadOnlyList<int> ArraySizes => _arrays.Sizes;

    /// <summary>How many masks steps have for themselves.</summary>
    public int MaskCount { get; private set; }

    /// <summary>Where the number of the task lies.</summary>
    public SimtSlot Task { get; }

    /// <summary>Where the numbers of the threads lie.</summary>
    public SimtSlot Thread { get; }

    /// <summary>The statements by their numbers.</summary>
    public IReadOnlyList<KStmt> Statements => _statements;

    /// <summary>The buffers by their numbers: the arguments first.</summary>
    public IReadOnlyList<KBuffer> Buffers => _buffers;

    /// <summary>The buffers that are written.</summary>
    public HashSet<KBuffer> Written { get; } = new(ReferenceEqualityComparer.Instance);

    /// <summary>The steps of the body.</summary>
    public SimtStep Compile() => Block(_kernel.Body);

    private SimtSequence Block(KBlock block) => new([.. block.Statements.Select(Statement)]);

    private SimtStep Statement(KStmt statement)
    {
        int number = _statements.Count;
        _statements.Add(statement);
        BeginStatement();
        TouchSums(statement);
        switch (statement)
        {
            case KRoles roles:
                (int, int, SimtStep)[] bodies = [.. roles.Roles.Select(r => (r.FirstWarp, r.EndWarp, Role(r)))];
                return new RolesStep(number, bodies, TakeMasks(bodies.Length));
            case KFor loop:
                return For(loop, number);
            case KWhile loop:
                SimtSlot holds = Value(loop.Condition);
                int own = TakeMasks(holds.IsUniform ? 0 : 1);
                SimtStep[] compute = TakeSteps();
                return new ThreadWhileStep(number, compute, holds, Block(loop.Body), own);
            case KIf choice:
                SimtSlot condition = Value(choice.Condition);
                int masks = TakeMasks(condition.IsUniform ? 0 : 2);
                SimtStep[] before = TakeSteps();
                SimtStep? otherwise = choice.Else is { } block ? Block(block) : null;
                return new IfStep(number, before, condition, Block(choice.Then), otherwise, masks);
            default:
                Plain(statement, number);
                return new SimtStatement(number, TakeSteps());
        }
    }

    // Roles take turns, so what a statement of one is lent must not be what another keeps.
    private SimtStep Role(KRole role)
    {
        _arrays.Separate();
        return Block(role.Body);
    }

    private SimtStep For(KFor loop, int number)
    {
        SimtSlot counter = Bind(loop.Variable);
        SimtSlot begin = counter.IsUniform ? Value(loop.Begin) : ThreadValue(loop.Begin);
        SimtSlot end = Keep(counter.IsUniform ? Value(loop.End) : ThreadValue(loop.End));
        int mask = TakeMasks(counter.IsUniform ? 0 : 1);
        SimtStep[] compute = TakeSteps();
        SimtStep body = Block(loop.Body);
        return counter.IsUniform
            ? new UniformForStep(number, compute, counter, begin, end, loop.Step, body)
            : new ThreadForStep(number, compute, counter, begin, end, loop.Step, body, mask);
    }

    private void Plain(KStmt statement, int number)
    {
        switch (statement)
        {
            case KLet let:
                _variables[let.Variable] = Keep(Value(let.Value));
                break;
            case KDeclare declare:
                SimtSlot register = Allocate(declare.Register.Type, _uniformity.IsUniform(declare.Register));
                _registers[declare.Register] = register;
                TouchSum(declare.Register, "declares");
                Assign(register, declare.Initial);
                break;
            case KAssign assign:
                Assign(_registers[assign.Register], assign.Value);
                break;
            case KStore store:
                Store(store.Buffer, store.Index, store.Value, store.Mask, store.Alignment);
                break;
            case KScatter scatter:
                Store(scatter.Buffer, scatter.Indices, scatter.Value, scatter.Mask, 1);
                break;
            case KPrefetch:
                break;
            case KScratch { Buffer: var buffer }:
                int scratch = Number(buffer);
                if (buffer.Space == KBufferSpace.Scratch)
                {
                    Add(new ScratchStep(scratch));
                }
                break;
            default:
                Together(statement, number);
                break;
        }
    }

    private void Together(KStmt statement, int number)
    {
        switch (statement)
        {
            case KBarrier:
                Add(new BarrierStep());
                break;
            case KWarpBarrier:
                Add(new WarpBarrierStep());
                break;
            case KExchange exchange:
                (SimtSlot given, SimtSlot operand) = (ThreadValue(exchange.Value), ThreadValue(exchange.Operand));
                SimtSlot taken = Bind(exchange.Variable);
                Add(SimtSteps.Exchange(taken, given, operand, exchange.Kind));
                break;
            case KAsyncCopy copy:
                Written.Add(copy.To);
                Add(new AsyncCopyStep(
                    Number(copy.To), ThreadValue(copy.ToIndex), Number(copy.From), ThreadValue(copy.FromIndex), copy.Lanes,
                    copy.Condition is { } c ? ThreadValue(c) : null));
                break;
            case KAsyncCommit:
                Add(new AsyncCommitStep());
                break;
            case KAsyncWait wait:
                Add(new AsyncWaitStep(wait.Pending));
                break;
            case KFragmentDot dot:
                Add(new FragmentDotStep(dot.Shape, _registers[dot.Sum], ThreadValue(dot.Left), ThreadValue(dot.Right)));
                break;
            case KFragmentLoad load:
                SimtSlot index = ThreadValue(load.Index);
                Add(SimtSteps.FragmentLoad(Bind(load.Variable), Number(load.Buffer), index, load.Count, load.IsTransposed));
                break;
            default:
                Bulk(statement, number);
                break;
        }
    }

    private void Assign(SimtSlot register, KExpr value) =>
        Add(SimtSteps.Assign(register, register.IsUniform ? Value(value) : ThreadValue(value)));

    private void Store(KBuffer buffer, KExpr index, KExpr value, KExpr? mask, int alignment)
    {
        Written.Add(buffer);
        Add(SimtSteps.Store(
            Number(buffer), ThreadValue(index), ThreadValue(value), mask is null ? null : ThreadValue(mask), alignment));
    }

    private SimtSlot Bind(KVariable variable)
    {
        SimtSlot slot = Allocate(variable.Type, _uniformity.IsUniform(variable));
        _variables[variable] = slot;
        return slot;
    }

    private int Number(KBuffer buffer)
    {
        int number = _buffers.IndexOf(buffer);
        if (number < 0)
        {
            number = _buffers.Count;
            _buffers.Add(buffer);
        }
        return number;
    }

    private int TakeMasks(int count)
    {
        MaskCount += count;
        return MaskCount - count;
    }
}
