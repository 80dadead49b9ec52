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
            RequireVisible(map.Source, null);
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
        foreach (object used in UsedBy(statement))
        {
            RequireVisible(used, statement);
        }
        if (DeclaredForBlock(statement) is { } local)
        {
            Declare(local, statement);
            declared.Add(local);
        }
        switch (statement)
        {
            case KScratch scratch: // visible to the end of the kernel
                Declare(scratch.Buffer, statement);
                break;
            case KPhaseInit init: // visible to the end of the kernel
                Declare(init.Barriers, statement);
                break;
            case KTiles tiles:
                Tiles(tiles, statement, depth);
                break;
            case KFor loop:
                Declare(loop.Variable, statement);
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

    // What must have been declared before, besides what expressions say.
    private static IReadOnlyList<object> UsedBy(KStmt statement) => statement switch
    {
        KScratch { Buffer.Over: { } below } => [below],
        KAssign assign => [assign.Register],
        KStore store => [store.Buffer],
        KScatter scatter => [scatter.Buffer],
        KPrefetch prefetch => [prefetch.Buffer],
        KTileZero zero => [zero.Tile],
        KTileLoad load => [load.Tile, load.Buffer],
        KTileStore store => [store.Tile, store.Buffer],
        KTileDot dot => [dot.Sum, dot.Left, dot.Right],
        KAsyncCopy copy => [copy.To, copy.From],
        KFragmentDot dot => [dot.Sum],
        KFragmentLoad load => [load.Buffer],
        KPhaseArrive arrive => [arrive.Barriers],
        KPhaseWait wait => [wait.Barriers],
        KBulkCopy copy => [copy.To, copy.From, copy.Barriers],
        KWarpgroupDot dot => [dot.Sum, dot.Left.Buffer, dot.Right.Buffer],
        KWarpgroupWait wait => wait.Sums,
        _ => [],
    };

    // What is visible from here to the end of the block.
    private static object? DeclaredForBlock(KStmt statement) => statement switch
    {
        KLet let => let.Variable,
        KDeclare declare => declare.Register,
        KExchange exchange => exchange.Variable,
        KFragmentLoad load => load.Variable,
        _ => null,
    };

    // There is one set of tile registers.
    private void Tiles(KTiles tiles, KStmt statement, int depth)
    {
        Require(!_visible.OfType<KTile>().Any(), statement, "tiles are declared while others are visible");
        foreach (KTile tile in tiles.Tiles)
        {
            Declare(tile, statement);
        }
        Block(tiles.Body, depth + 1);
        _visible.ExceptWith(tiles.Tiles);
    }

    private void Check(KExpr root, KStmt? statement) =>
        KTraversal.PostOrder(root, _sound.Contains, KTraversal.Operands, e =>
        {
            Refuse(KernelRules.Problem(e) ?? ThreadRules.Problem(e, _kernel.Threads is not null), statement);
            object? used = e switch
            {
                KVariable variable => variable,
                KRead read => read.Register,
                KLoad load => load.Buffer,
                KGather gather => gather.Buffer,
                _ => null,
            };
            if (used is not null)
            {
                RequireVisible(used, statement);
            }
            _sound.Add(e);
        });

    private void Declare(object named, KStmt statement) =>
        Require(_visible.Add(named), statement, $"'{NameOf(named)}' is declared while it is visible already");

    private void RequireVisible(object named, KStmt? statement)
    {
        if (!_visible.Contains(named))
        {
            Refuse($"'{NameOf(named)}' is not visible here", statement);
        }
    }

    private static string NameOf(object named) => named switch
    {
        KVariable variable => variable.Name,
        KRegister register => register.Name,
        KTile tile => tile.Name,
        _ => named.ToString()!, // buffers, maps and barriers are written as their names
    };

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
