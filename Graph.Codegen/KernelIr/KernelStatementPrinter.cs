using System.Globalization;
using System.Text;

namespace Graphene.Codegen;

/// <summary>Writes statements and the expressions in them.</summary>
internal sealed class KernelStatementPrinter(StringBuilder text, KernelNames names)
{
    // Lines stay short, and reading one back needs little stack.
    private const int DeepestNesting = 6;

    private readonly Dictionary<KExpr, string> _texts = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<KExpr, int> _heights = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<KExpr, int> _uses = new(ReferenceEqualityComparer.Instance);
    private int _shared;
    private int _depth;

    public void Task(KVariable task, KExpr count)
    {
        Prepare([count]);
        Line($"task {names[task]} of {_texts[count]}");
    }

    public void Map(KTensorMap map)
    {
        Prepare(KTraversal.Operands(map));
        string sizes = string.Join(", ", map.Sizes.Select(s => _texts[s]));
        string strides = string.Join(", ", map.Strides.Select(s => _texts[s]));
        string box = string.Join(", ", map.Box.Select(b => Number(b)));
        string options = (map.IsSwizzled ? " swizzled" : "") + (map.RoundsToTensorFloat32 ? " rounded" : "");
        Line(
            $"map {names[map]} of {names[map.Source]}: sizes [{sizes}] strides [{strides}] from {_texts[map.Offset]} "
            + $"box [{box}]{options}");
    }

    public void Block(KBlock block, int depth)
    {
        _depth = depth;
        Line("{");
        foreach (KStmt statement in block.Statements)
        {
            _depth = depth + 1;
            Statement(statement);
        }
        _depth = depth;
        Line("}");
    }

    public void Statement(KStmt statement)
    {
        Prepare(KTraversal.Operands(statement));
        int depth = _depth;
        switch (statement)
        {
            case KFor loop:
                string unroll = loop.Unroll > 0 ? $" unroll {Number(loop.Unroll)}" : "";
                string bounds = $"from {_texts[loop.Begin]} to {_texts[loop.End]} step {Number(loop.Step)}";
                Line($"for {names[loop.Variable]} {bounds}{unroll}");
                Block(loop.Body, depth);
                break;
            case KWhile loop:
                Line($"while {_texts[loop.Condition]}");
                Block(loop.Body, depth);
                break;
            case KIf choice:
                Line($"if {_texts[choice.Condition]}");
                Block(choice.Then, depth);
                if (choice.Else is { } otherwise)
                {
                    Line("else");
                    Block(otherwise, depth);
                }
                break;
            case KLet let:
                Line($"let {names[let.Variable]}: {let.Variable.Type} = {_texts[let.Value]}");
                break;
            case KDeclare declare:
                Line($"register {names[declare.Register]}: {declare.Register.Type} = {_texts[declare.Initial]}");
                break;
            case KAssign assign:
                Line($"{names[assign.Register]} := {_texts[assign.Value]}");
                break;
            case KStore store:
                string word = store.IsStreaming ? "stream" : "store";
                string alignment = store.Alignment == 1 ? "" : $"[{Number(store.Alignment)}]";
                Line(Access(word + alignment, store.Buffer, store.Index, store.Value, store.Mask));
                break;
            case KScatter scatter:
                Line(Access("scatter", scatter.Buffer, scatter.Indices, scatter.Value, scatter.Mask));
                break;
            case KPrefetch prefetch:
                Line($"prefetch{(prefetch.IsSoon ? "_soon" : "")}({names[prefetch.Buffer]}, {_texts[prefetch.Index]})");
                break;
            case KScratch { Buffer: var buffer }:
                string over = buffer.Over is { } below ? $" over {names[below]}" : "";
                string kind = buffer.Space == KBufferSpace.Shared ? "shared" : "scratch";
                string aligned = buffer.Alignment == SharedMemoryLayout.Alignment ? "" : $" aligned {Number(buffer.Alignment)}";
                Line($"{kind} {names[buffer]}: {buffer.Element.Name()}[{Number(buffer.Length)}]{over}{aligned}");
                break;
            case KTiles tiles:
                Line("tiles " + string.Join(", ", tiles.Tiles.Select((t, i) =>
                    $"{names[t]}: {t.Element.Name()}[{_texts[tiles.Rows[i]]}, {Number(t.Columns)}]")));
                Block(tiles.Body, depth);
                break;
            case KRoles roles:
                Line("roles");
                foreach (KRole role in roles.Roles)
                {
                    _depth = depth;
                    Line($"warps {Number(role.FirstWarp)} to {Number(role.EndWarp)}");
                    Block(role.Body, depth);
                }
                break;
            case KTileZero zero:
                Line($"zero_tile({names[zero.Tile]})");
                break;
            case KTileLoad load:
                Line($"load_tile({names[load.Tile]}, {names[load.Buffer]}, {_texts[load.Index]}, {_texts[load.Stride]})");
                break;
            case KTileStore store:
                Line($"store_tile({names[store.Tile]}, {names[store.Buffer]}, {_texts[store.Index]}, {_texts[store.Stride]})");
                break;
            case KTileDot dot:
                Line($"dot_tiles({names[dot.Sum]}, {names[dot.Left]}, {names[dot.Right]})");
                break;
            default:
                Line(Together(statement));
                break;
        }
    }

    // What threads do together.
    private string Together(KStmt statement) => statement switch
    {
        KBarrier => "barrier",
        KWarpBarrier => "warp_barrier",
        KExchange exchange => $"exchange {names[exchange.Variable]}: {exchange.Variable.Type} = "
            + $"{exchange.Kind.ToString().ToLowerInvariant()}({_texts[exchange.Value]}, {_texts[exchange.Operand]})",
        KAsyncCopy copy => $"async_copy[{Number(copy.Lanes)}]({names[copy.To]}, {_texts[copy.ToIndex]}, {names[copy.From]}, "
            + $"{_texts[copy.FromIndex]}{(copy.Condition is null ? "" : ", " + _texts[copy.Condition])})",
        KAsyncCommit => "async_commit",
        KAsyncWait wait => $"async_wait {Number(wait.Pending)}",
        KFragmentDot { Shape: var s } dot => $"fragment_dot[{Number(s.Rows)}, {Number(s.Columns)}, {Number(s.Depth)}, {s.Left.Name()}, "
            + $"{s.Right.Name()}, {s.Sum.Name()}]({names[dot.Sum]}, {_texts[dot.Left]}, {_texts[dot.Right]})",
        KFragmentLoad load => $"fragment_load {names[load.Variable]}: {load.Variable.Type} = "
            + $"{(load.IsTransposed ? "columns" : "rows")}[{Number(load.Count)}]({names[load.Buffer]}, {_texts[load.Index]})",
        KPhaseInit { Barriers: var b } => $"phases {names[b]}: {Number(b.Count)} of {Number(b.Arrivals)}",
        KPhaseArrive arrive => $"phase_arrive{(arrive.Bytes == 0 ? "" : $"[{Number(arrive.Bytes)}]")}"
            + $"({names[arrive.Barriers]}, {_texts[arrive.Index]})",
        KPhaseWait wait => $"phase_wait({names[wait.Barriers]}, {_texts[wait.Index]}, {_texts[wait.Parity]})",
        KBulkCopy copy => $"bulk_copy({names[copy.To]}, {_texts[copy.ToIndex]}, {names[copy.From]}, "
            + $"[{string.Join(", ", copy.At.Select(a => _texts[a]))}], {names[copy.Barriers]}, {_texts[copy.Barrier]})",
        KWarpgroupDot { Shape: var s } dot => $"warpgroup_dot[{Number(s.Columns)}, {Number(s.Depth)}, {s.Left.Name()}, {s.Right.Name()}, "
            + $"{s.Sum.Name()}]({names[dot.Sum]}, {Matrix(dot.Left)}, {Matrix(dot.Right)})",
        KWarpgroupFence => "warpgroup_fence",
        KWarpgroupCommit => "warpgroup_commit",
        KWarpgroupWait wait => $"warpgroup_wait {Number(wait.Pending)} [{string.Join(", ", wait.Sums.Select(r => names[r]))}]",
        _ => throw new CompilerBugException("Kernel IR printer", $"unknown statement {statement.GetType().Name}"),
    };

    private string Matrix(KSharedMatrix matrix) => $"{(matrix.IsAlongDepth ? "along" : "across")}"
        + $"[{Number(matrix.LeadingBytes)}, {Number(matrix.StrideBytes)}]({names[matrix.Buffer]}, {_texts[matrix.Index]})";

    private string Access(string word, KBuffer buffer, KExpr index, KExpr value, KExpr? mask) =>
        $"{word}({names[buffer]}, {_texts[index]}, {_texts[value]}{(mask is null ? "" : ", " + _texts[mask])})";

    // Gives the text of every expression of a statement, after lines for those that need a name.
    private void Prepare(IReadOnlyList<KExpr> roots)
    {
        _texts.Clear();
        _heights.Clear();
        _uses.Clear();
        _shared = 0;
        CountUses(roots);
        foreach (KExpr root in roots)
        {
            KTraversal.PostOrder(root, _texts.ContainsKey, KTraversal.Operands, Name);
        }
    }

    private void CountUses(IReadOnlyList<KExpr> roots)
    {
        foreach (KExpr root in roots)
        {
            CountUse(root);
            KTraversal.PostOrder(root, _heights.ContainsKey, KTraversal.Operands, e =>
            {
                _heights.Add(e, 0);
                foreach (KExpr operand in KTraversal.Operands(e))
                {
                    CountUse(operand);
                }
            });
        }
        _heights.Clear();
    }

    private void CountUse(KExpr e) => _uses[e] = _uses.GetValueOrDefault(e) + 1;

    private void Name(KExpr e)
    {
        IReadOnlyList<KExpr> operands = KTraversal.Operands(e);
        int height = operands.Count == 0 ? 0 : operands.Max(o => _heights[o]) + 1;
        string own = KernelExpressionText.Write(e, names, o => _texts[o]);
        bool isLeaf = operands.Count == 0 && e is not KConstant { Lanes: > 1 };
        if (!isLeaf && (_uses[e] > 1 || height >= DeepestNesting))
        {
            string name = $"%{Number(_shared++)}";
            Line($"{name} = {own}");
            (own, height) = (name, 0);
        }
        _texts.Add(e, own);
        _heights.Add(e, height);
    }

    private void Line(string line) => text.Append(' ', 2 * _depth).Append(line).Append('\n');

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
