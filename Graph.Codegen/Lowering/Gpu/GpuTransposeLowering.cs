namespace Graphene.Codegen;

/// <summary>
/// Lowers loop fusions that read an operand along memory where they write results across it: tiles
/// through shared memory.
/// </summary>
/// <remarks>
/// <code>
/// task: a tile of 32 g by 32 g of operand[v][u], result[u][v]; g elements fill 4 bytes
///   rows v of the tile, four warps' worth on the way at once:  tile[v][u] = operand[v0 + v][u0 + u]      along u
///   barrier
///   for words of u by warps:  square[j] = tile[g lane + j][word]     g words, transposed in registers
///                             result[u0 + ..][v0 + g lane ..] = f(column of square, ...)                 along v
/// </code>
/// Bound: memory, each operand and result once. Reads and writes both are whole lines of 128 bytes. The word at column c of row v lies
/// at c xor (v / g) of its row: then rows are written, and columns read, by 32 lanes in 32 banks. A tile of f32 takes 4 KiB and
/// a block of 256 threads moves it with 4 accesses of a warp in each direction: 21 bytes a cycle from memory need 1 of 6 of the
/// accesses that a multiprocessor can do.
/// </remarks>
internal sealed class GpuTransposeLowering
{
    /// <summary>The threads of a block.</summary>
    public const int Threads = 256;

    private const int WordInBytes = 4;
    private const int Words = KThreads.WarpSize;
    private const int Warps = Threads / Words;
    private const int Fewest = 16;

    // The body is repeated for each element of a word.
    private const int MostExpressions = 256;

    private readonly FusionSource _source;
    private readonly KBuilder _b = new() { Multiples = new KIndexMultiples() };
    private readonly ExprAnalysis _analysis = new();
    private readonly ExprEmitter _emitter;
    private readonly LoopNest _nest;
    private readonly KVariable _task = new("task", KType.Index);
    private readonly KVariable _thread = new("thread", KType.Index);

    private GpuTransposeLowering(Node fusion, KernelTarget target, Func<int, bool> isOverwritten, PackedLookups lookups)
    {
        _source = new FusionSource(fusion, new KernelArguments(), isOverwritten, lookups: lookups);
        _emitter = new ExprEmitter(_b, _analysis, _source.Source) { Target = target };
        _nest = new LoopNest(_source, UpdatedBox.TryFind(_source, isOverwritten), _analysis);
    }

    /// <summary>The kernel, or null when nothing is read across.</summary>
    /// <param name="name">The kernel's name.</param>
    /// <param name="fusion">A node whose op is a <see cref="FusionOp"/>.</param>
    /// <param name="target">The machine, with its GPU.</param>
    /// <param name="isOverwritten">Tells which operands share memory with a result.</param>
    /// <param name="lookups">Operands that are there in panels only.</param>
    public static LoweredKernel? TryLower(
        string name, Node fusion, KernelTarget target, Func<int, bool> isOverwritten, PackedLookups lookups) =>
        new GpuTransposeLowering(fusion, target, isOverwritten, lookups).TryRun(name, fusion);

    /// <summary>Where an element of a tile lies in shared memory.</summary>
    /// <param name="row">v, in the tile.</param>
    /// <param name="word">u / g.</param>
    /// <param name="group">g, the elements of a word.</param>
    public static KExpr Place(KExpr row, KExpr word, int group) => KBuilder.Add(
        KBuilder.Multiply(row, Words * group),
        KBuilder.Multiply(KBuilder.Call(ScalarOp.Xor, word, KBuilder.Divide(row, group)), group));

    private LoweredKernel? TryRun(string name, Node fusion)
    {
        LoopPlan plan = _nest.Plan();
        if (plan.Inner is not { } v || plan.Serial.Count > 0 || _nest.Box is not null || IsShort(v.Extent) || !IsTileBody(1))
        {
            return null;
        }
        foreach (LoopGroup u in plan.Outer.Where(g => !IsShort(g.Extent)))
        {
            LoadExpr[] across = [.. _nest.Loads.Where(load => IsAcross(AffineIndex.Of(load), u, v))];
            if (across.Length == 0)
            {
                continue;
            }
            int group = Group(u, v, across);
            var tile = new Tile(u, v, across, IsTileBody(group) ? group : 1);
            KExpr count = Emit(tile, [.. plan.Outer.Where(g => g != u)]);
            var kernel = new Kernel(name, _source.Arguments.Buffers, _task, count, _b.ToBlock(), _nest.Cost(fusion))
            {
                Threads = new KThreads(_thread, Threads),
            };
            return new LoweredKernel(kernel, _source.Arguments.Operands);
        }
        return null;
    }

    private static bool IsShort(Dim extent) => extent.IsStatic && extent.Value < Fewest;

    private static bool IsAcross(AffineIndex index, LoopGroup u, LoopGroup v) =>
        index.Opaque.Count == 0 && index[u.Last] == 1 && index[v.Last] != 0 && index[v.Last] != 1;

    // What is guarded may not be read before its guard, and nothing large or dear is worth repeating.
    private bool IsTileBody(int group)
    {
        ScalarExpr[] all = [.. _nest.Expressions];
        return all.Length * group <= MostExpressions && !all.Any(e => e is GuardExpr or LoopResultExpr);
    }

    // As many elements as fill a word, where words of operands and results are aligned.
    private int Group(LoopGroup u, LoopGroup v, LoadExpr[] across)
    {
        int size = Math.Max(across.Max(l => l.DType.SizeInBytes()), _nest.Roots.Max(r => r.Output.Element.SizeInBytes()));
        int group = Math.Max(1, WordInBytes / size);
        bool isAligned = LaneForms.MultipleOf(u.Extent) >= group && LaneForms.MultipleOf(v.Extent) >= group
            && across.All(l => IsAligned(AffineIndex.Of(l), u)) && _nest.Roots.All(r => IsAligned(r.Store, v));
        return isAligned ? group : 1;

        bool IsAligned(AffineIndex index, LoopGroup along) =>
            new LaneForms(_analysis, along.Last, group).Alignment(index, c => IsZero(c, u) || IsZero(c, v)) == group;

        static bool IsZero(IndexVariable counter, LoopGroup g) => counter != g.Last && g.Members.Contains(counter);
    }

    private KExpr Emit(Tile tile, IReadOnlyList<LoopGroup> rest)
    {
        int side = Words * tile.Group;
        KExpr uTiles = KBuilder.CeilDiv(KBuilder.Value(tile.U.Extent), side);
        KExpr vTiles = KBuilder.CeilDiv(KBuilder.Value(tile.V.Extent), side);
        KExpr place = _b.Let("place", KBuilder.Divide(_task, vTiles));
        KExpr u0 = _b.Let("u0", KBuilder.Multiply(KBuilder.Remainder(place, uTiles), side));
        KExpr v0 = _b.Let("v0", KBuilder.Multiply(KBuilder.Remainder(_task, vTiles), side));
        KExpr lane = _b.Let("lane", KBuilder.Remainder(_thread, Words));
        KExpr warp = _b.Let("warp", KBuilder.Divide(_thread, Words));
        KBuffer[] shared = [.. tile.Loads.Select(l =>
        {
            KBuffer buffer = KBuffer.Shared("tile", l.DType, (long)side * side);
            _b.Add(new KScratch(buffer));
            return buffer;
        })];
        _emitter.InScope(() =>
        {
            if (rest.Count > 0)
            {
                _emitter.BindRow(rest, _b.Let("row", KBuilder.Divide(place, uTiles)));
            }
            _emitter.Hoist(_nest.Elements, [.. tile.U.Members, .. tile.V.Members]);
            bool isAlwaysWhole = IsMultiple(tile.U.Extent, side) && IsMultiple(tile.V.Extent, side);
            KExpr? isWhole = isAlwaysWhole ? null : _b.Let("is_whole", KBuilder.Call(
                ScalarOp.And, Fits(u0, side, tile.U), Fits(v0, side, tile.V)));
            Either(isWhole, () => Read(tile, shared, u0, v0, lane, warp), () => ReadPart(tile, shared, u0, v0, lane, warp));
            _b.Add(new KBarrier());
            Either(isWhole, () => Write(tile, shared, u0, v0, lane, warp, false), () => Write(tile, shared, u0, v0, lane, warp, true));
        });
        KExpr rows = KBuilder.Value(rest.Aggregate((Dim)1, (n, g) => n * g.Extent));
        return KBuilder.Multiply(KBuilder.Multiply(rows, uTiles), vTiles);
    }

    private static bool IsMultiple(Dim extent, long side) => Dim.TryDivideExact(extent, side, out _);

    private static KExpr Fits(KExpr begin, long side, LoopGroup group) =>
        KBuilder.Call(ScalarOp.LessOrEqual, KBuilder.Add(begin, side), KBuilder.Value(group.Extent));

    private void Either(KExpr? condition, Action then, Action otherwise)
    {
        if (condition is null)
        {
            _emitter.InScope(then);
        }
        else
        {
            _b.If(condition, () => _emitter.InScope(then), () => _emitter.InScope(otherwise));
        }
    }

    // All of a thread's words are on their way before the first is put down.
    private void Read(Tile tile, KBuffer[] shared, KExpr u0, KExpr v0, KExpr lane, KExpr warp)
    {
        int rows = Words * tile.Group / Warps;
        KExpr[] at = [.. Enumerable.Range(0, rows).Select(k => KBuilder.Add(warp, k * Warps))];
        KExpr[][] words = [.. at.Select(row => Load(tile, u0, v0, lane, row))];
        for (int k = 0; k < rows; k++)
        {
            Put(tile, shared, words[k], lane, at[k]);
        }
    }

    private void ReadPart(Tile tile, KBuffer[] shared, KExpr u0, KExpr v0, KExpr lane, KExpr warp)
    {
        KExpr end = _b.Let("end", KBuilder.Minimum(Words * tile.Group, KBuilder.Subtract(KBuilder.Value(tile.V.Extent), v0)));
        _b.If(
            KBuilder.Less(KBuilder.Add(u0, KBuilder.Multiply(lane, tile.Group)), KBuilder.Value(tile.U.Extent)),
            () => _b.For("v", warp, end, Warps, row => _emitter.InScope(
                () => Put(tile, shared, Load(tile, u0, v0, lane, row), lane, row))));
    }

    private KExpr[] Load(Tile tile, KExpr u0, KExpr v0, KExpr lane, KExpr row)
    {
        KExpr[] words = [];
        _emitter.InScope(() =>
        {
            _emitter.BindGroup(tile.V, _b.Let("v", KBuilder.Add(v0, row)));
            Along(tile.U, _b.Let("u", KBuilder.Add(u0, KBuilder.Multiply(lane, tile.Group))), tile.Group,
                () => words = [.. tile.Loads.Select(_emitter.EmitLanes)]);
        });
        return words;
    }

    private void Put(Tile tile, KBuffer[] shared, KExpr[] words, KExpr lane, KExpr row)
    {
        KExpr place = _b.Let("place", Place(row, lane, tile.Group));
        for (int i = 0; i < words.Length; i++)
        {
            _b.Add(new KStore(shared[i], place, words[i], Alignment: tile.Group));
        }
    }

    private void Write(Tile tile, KBuffer[] shared, KExpr u0, KExpr v0, KExpr lane, KExpr warp, bool isPart)
    {
        KExpr v = _b.Let("v", KBuilder.Add(v0, KBuilder.Multiply(lane, tile.Group)));
        KExpr end = !isPart ? Words : _b.Let("end", KBuilder.Minimum(Words, KBuilder.Divide(
            KBuilder.Subtract(KBuilder.Value(tile.U.Extent), u0), tile.Group)));
        void EmitWords() => _b.For("word", warp, end, Warps, word => _emitter.InScope(
            () => WriteWord(tile, shared, u0, v, lane, word)), unroll: 4);
        if (isPart)
        {
            _b.If(KBuilder.Less(v, KBuilder.Value(tile.V.Extent)), EmitWords);
        }
        else
        {
            EmitWords();
        }
    }

    private void WriteWord(Tile tile, KBuffer[] shared, KExpr u0, KExpr v, KExpr lane, KExpr word)
    {
        int group = tile.Group;
        KExpr[][] columns = [.. shared.Select(buffer => VectorTranspose.Emit(_b,
        [
            .. Enumerable.Range(0, group).Select(j => _b.Let("word", new KLoad(
                buffer, Place(KBuilder.Add(KBuilder.Multiply(lane, group), j), word, group), group, Alignment: group))),
        ]))];
        for (int i = 0; i < group; i++)
        {
            int number = i;
            _emitter.InScope(() =>
            {
                KExpr u = _b.Let("u", KBuilder.Add(KBuilder.Add(u0, KBuilder.Multiply(word, group)), number));
                _emitter.BindGroup(tile.U, u);
                Along(tile.V, v, group, () =>
                {
                    for (int l = 0; l < columns.Length; l++)
                    {
                        _emitter.Bind(tile.Loads[l], columns[l][number]);
                    }
                    KExpr[] values = [.. _nest.Roots.Select(r => _emitter.EmitLanes(r.Element))];
                    for (int r = 0; r < values.Length; r++)
                    {
                        _emitter.Store(_nest.Roots[r].Output, _nest.Roots[r].Store, values[r]);
                    }
                });
            });
        }
    }

    private void Along(LoopGroup group, KExpr first, int lanes, Action action)
    {
        foreach (IndexVariable member in group.Members.SkipLast(1))
        {
            _emitter.Bind(member, 0);
        }
        LaneForms? forms = lanes == 1 ? null : new LaneForms(_analysis, group.Last, lanes);
        _emitter.WithVector(group.Last, first, lanes, null, action, forms: forms);
    }

    private sealed record Tile(LoopGroup U, LoopGroup V, LoadExpr[] Loads, int Group);
}
