namespace Graphene.Codegen;

/// <summary>Checks that a kernel is well-formed: types, lanes, masks, scopes, and constant places in scratch.</summary>
public sealed class KernelVerifier
{
    // Blocks nest by recursion here and in every printer.
    private const int DeepestNesting = 200;

    private readonly Kernel _kernel;
    private readonly HashSet<object> _visible = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<KExpr> _sound = new(ReferenceEqualityComparer.Instance);

    private KernelVerifier(Kernel kernel) => _kernel = kernel;

    /// <summary>Checks a kernel.</summary>
    /// <exception cref="CompilerBugException">It is malformed; the message shows the statement and says why.</exception>
    public static void Verify(Kernel kernel) => new KernelVerifier(kernel).Verify();

    private void Verify()
    {
        for (int i = 0; i < _kernel.Arguments.Count; i++)
        {
            KBuffer buffer = _kernel.Arguments[i];
            Require(buffer.Argument == i, null, $"argument {i} is '{buffer}', which says that it is argument {buffer.Argument}");
            _visible.Add(buffer);
        }
        foreach (KTensorMap map in _kernel.Maps)
        {
            Refuse(BulkRules.Problem(map), null);
            RequireVisible(map.Source, map.Source.Name, null);
            foreach (KExpr number in KTraversal.Operands(map))
            {
                Check(number, null);
            }
            Require(_visible.Add(map), null, $"the map '{map}' is there twice");
        }
        Require(_kernel.Task.Type == KType.Index, null, $"the task is {_kernel.Task.Type}, not i64");
        Require(_kernel.TaskCount.Type == KType.Index, null, $"the number of tasks is {_kernel.TaskCount.Type}, not i64");
        Check(_kernel.TaskCount, null);
        _visible.Add(_kernel.Task);
        if (_kernel.Threads is { } threads)
        {
            Refuse(ThreadRules.Problem(threads), null);
            Require(_visible.Add(threads.Thread), null, "the thread is the task");
        }
        Require(
            _kernel.Members == 1 || (_kernel.Members > 1 && _kernel.Threads is not null), null,
            $"a start does {_kernel.Members} calls; it does at least 1, and several only where a task is many threads");
        Block(_kernel.Body, 0);
    }

    private void Block(KBlock block, int depth)
    {
        Require(depth <= DeepestNesting, null, $"blocks are nested more than {DeepestNesting} deep");
        var declared = new List<object>();
        foreach (KStmt statement in block.Statements)
        {
            // Registers make a value known to be sound here unsound in another scope.
            _sound.Clear();
            foreach (KExpr operand in KTraversal.Operands(statement))
            {
                Check(operand, statement);
            }
            Refuse(
                KernelRules.Problem(statement) ?? ThreadRules.Problem(statement, _kernel.Threads is not null)
                ?? BulkRules.Problem(statement, _kernel.Threads?.Count ?? 0), statement);
            Statement(statement, declared, depth);
        }
        _visible.ExceptWith(declared);
    }

    private void Statement(KStmt statement, List<object> declared, int depth)
    {
        switch (statement)
        {
            case KLet let:
                Declare(let.Variable, let.Variable.Name, statement);
                declared.Add(let.Variable);
                break;
            case KDeclare declare:
                Declare(declare.Register, declare.Register.Name, statement);
                declared.Add(declare.Register);
                break;
            case KScratch scratch: // visible to the end of the kernel
                if (scratch.Buffer.Over is { } below)
                {
                    RequireVisible(below, below.Name, statement);
                }
                Declare(scratch.Buffer, scratch.Buffer.Name, statement);
                break;
            case KAssign assign:
                RequireVisible(assign.Register, assign.Register.Name, statement);
                break;
            case KStore store:
                RequireVisible(store.Buffer, store.Buffer.Name, statement);
                break;
            case KScatter scatter:
                RequireVisible(scatter.Buffer, scatter.Buffer.Name, statement);
                break;
            case KPrefetch prefetch:
                RequireVisible(prefetch.Buffer, prefetch.Buffer.Name, statement);
                break;
            case KTiles tiles:
                Tiles(tiles, statement, depth);
                break;
            case KTileZero zero:
                RequireVisible(zero.Tile, zero.Tile.Name, statement);
                break;
            case KTileLoad load:
                RequireVisible(load.Tile, load.Tile.Name, statement);
                RequireVisible(load.Buffer, load.Buffer.Name, statement);
                break;
            case KTileStore store:
                RequireVisible(store.Tile, store.Tile.Name, statement);
                RequireVisible(store.Buffer, store.Buffer.Name, statement);
                break;
            case KTileDot dot:
                RequireVisible(dot.Sum, dot.Sum.Name, statement);
                RequireVisible(dot.Left, dot.Left.Name, statement);
                RequireVisible(dot.Right, dot.Right.Name, statement);
                break;
            case KExchange exchange:
                Declare(exchange.Variable, exchange.Variable.Name, statement);
                declared.Add(exchange.Variable);
                break;
            case KAsyncCopy copy:
                RequireVisible(copy.To, copy.To.Name, statement);
                RequireVisible(copy.From, copy.From.Name, statement);
                break;
            case KFragmentDot dot:
                RequireVisible(dot.Sum, dot.Sum.Name, statement);
                break;
            case KFragmentLoad load:
                RequireVisible(load.Buffer, load.Buffer.Name, statement);
                Declare(load.Variable, load.Variable.Name, statement);
                declared.Add(load.Variable);
                break;
            case KPhaseInit init: // visible to the end of the kernel
                Declare(init.Barriers, init.Barriers.Name, statement);
                break;
            case KPhaseArrive arrive:
                RequireVisible(arrive.Barriers, arrive.Barriers.Name, statement);
                break;
            case KPhaseWait wait:
                RequireVisible(wait.Barriers, wait.Barriers.Name, statement);
                break;
            case KBulkCopy copy:
                RequireVisible(copy.To, copy.To.Name, statement);
                RequireVisible(copy.From, copy.From.Name, statement);
                RequireVisible(copy.Barriers, copy.Barriers.Name, statement);
                break;
            case KWarpgroupDot dot:
                RequireVisible(dot.Sum, dot.Sum.Name, statement);
                RequireVisible(dot.Left.Buffer, dot.Left.Buffer.Name, statement);
                RequireVisible(dot.Right.Buffer, dot.Right.Buffer.Name, statement);
                break;
            case KWarpgroupWait wait:
                foreach (KRegister sum in wait.Sums)
                {
                    RequireVisible(sum, sum.Name, statement);
                }
                break;
            case KFor loop:
                Declare(loop.Variable, loop.Variable.Name, statement);
                Block(loop.Body, depth + 1);
                _visible.Remove(loop.Variable);
                break;
            default:
                foreach (KBlock inner in KTraversal.Blocks(statement))
                {
                    Block(inner, depth + 1);
                }
                break;
        }
    }

    // There is one set of tile registers.
    private void Tiles(KTiles tiles, KStmt statement, int depth)
    {
        Require(!_visible.OfType<KTile>().Any(), statement, "tiles are declared while others are visible");
        foreach (KTile tile in tiles.Tiles)
        {
            Declare(tile, tile.Name, statement);
        }
        Block(tiles.Body, depth + 1);
        _visible.ExceptWith(tiles.Tiles);
    }

    private void Check(KExpr root, KStmt? statement) =>
        KTraversal.PostOrder(root, _sound.Contains, KTraversal.Operands, e =>
        {
            Refuse(KernelRules.Problem(e) ?? ThreadRules.Problem(e, _kernel.Threads is not null), statement);
            switch (e)
            {
                case KVariable variable:
                    RequireVisible(variable, variable.Name, statement);
                    break;
                case KRead read:
                    RequireVisible(read.Register, read.Register.Name, statement);
                    break;
                case KLoad load:
                    RequireVisible(load.Buffer, load.Buffer.Name, statement);
                    break;
                case KGather gather:
                    RequireVisible(gather.Buffer, gather.Buffer.Name, statement);
                    break;
            }
            _sound.Add(e);
        });

    private void Declare(object named, string name, KStmt statement) =>
        Require(_visible.Add(named), statement, $"'{name}' is declared while it is visible already");

    private void RequireVisible(object named, string name, KStmt? statement) =>
        Require(_visible.Contains(named), statement, $"'{name}' is not visible here");

    private void Require(bool condition, KStmt? statement, string what) => Refuse(condition ? null : what, statement);

    private void Refuse(string? problem, KStmt? statement)
    {
        if (problem is not null)
        {
            string where = statement is null ? "" : $" in {KernelPrinter.PrintHead(_kernel, statement)}";
            throw new CompilerBugException("Kernel IR verifier", $"kernel '{_kernel.Name}': {problem}{where}");
        }
    }
}
