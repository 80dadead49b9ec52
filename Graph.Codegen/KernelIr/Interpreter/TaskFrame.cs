namespace Graphene.Codegen;

/// <summary>One task in progress: its variables, registers and scratch. Values are the bits of their lanes.</summary>
internal sealed partial class TaskFrame(
    IReadOnlyDictionary<KBuffer, KernelMemory> arguments, Func<DimSymbol, long> symbols, bool hasFma)
{
    // What scratch holds before it is written; as a float it is a large number.
    private const byte Undefined = 0xCD;

    private readonly Dictionary<KVariable, ulong[]> _variables = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<KRegister, ulong[]> _registers = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<KBuffer, KernelMemory> _scratch = new(ReferenceEqualityComparer.Instance);

    private readonly Dictionary<KTile, TileContent> _tiles = new(ReferenceEqualityComparer.Instance);

    /// <summary>Binds a counter.</summary>
    public void Bind(KVariable variable, long value) => _variables[variable] = [(ulong)value];

    /// <summary>Binds a variable to the bits of its lanes.</summary>
    public void Bind(KVariable variable, ulong[] lanes) => _variables[variable] = lanes;

    /// <summary>Runs a block.</summary>
    public void Run(KBlock block)
    {
        foreach (KStmt statement in block.Statements)
        {
            Run(statement);
        }
    }

    private void Run(KStmt statement)
    {
        switch (statement)
        {
            case KFor loop:
                long end = Index(loop.End);
                for (long i = Index(loop.Begin); i < end; i = checked(i + loop.Step))
                {
                    Bind(loop.Variable, i);
                    Run(loop.Body);
                }
                break;
            case KWhile loop:
                while (Evaluate(loop.Condition)[0] != 0)
                {
                    Run(loop.Body);
                }
                break;
            case KIf choice:
                if (Evaluate(choice.Condition)[0] != 0)
                {
                    Run(choice.Then);
                }
                else if (choice.Else is { } otherwise)
                {
                    Run(otherwise);
                }
                break;
            case KLet let:
                _variables[let.Variable] = Evaluate(let.Value);
                break;
            case KDeclare declare:
                _registers[declare.Register] = Evaluate(declare.Initial);
                break;
            case KAssign assign:
                _registers[assign.Register] = Evaluate(assign.Value);
                break;
            case KStore store:
                Store(store);
                break;
            case KScatter scatter:
                Scatter(scatter);
                break;
            case KPrefetch prefetch:
                _ = Index(prefetch.Index);
                break;
            case KScratch { Buffer: { Space: KBufferSpace.Scratch } buffer }:
                var bytes = new byte[checked((int)(buffer.Length * buffer.Element.SizeInBytes()))];
                Array.Fill(bytes, Undefined);
                _scratch[buffer] = new KernelMemory(buffer, bytes);
                break;
            case KTiles tiles:
                Tiles(tiles);
                break;
            case KTileZero zero:
                _tiles[zero.Tile].Clear();
                break;
            case KTileLoad load:
                _tiles[load.Tile].Load(Memory(load.Buffer), Index(load.Index), Index(load.Stride));
                break;
            case KTileStore store:
                _tiles[store.Tile].Store(Memory(store.Buffer), Index(store.Index), Index(store.Stride));
                break;
            case KTileDot dot:
                _tiles[dot.Sum].Accumulate(_tiles[dot.Left], _tiles[dot.Right]);
                break;
            default:
                throw new CompilerBugException("Kernel IR interpreter", $"unknown statement {statement.GetType().Name}");
        }
    }

    private void Store(KStore store)
    {
        ulong[] value = Evaluate(store.Value);
        long index = Index(store.Index);
        ulong[]? mask = store.Mask is { } m ? Evaluate(m) : null;
        KernelMemory memory = Memory(store.Buffer);
        for (int lane = 0; lane < value.Length; lane++)
        {
            if (mask is null || mask[lane] != 0)
            {
                memory.Write(index + lane, value[lane]);
            }
        }
    }

    private void Scatter(KScatter scatter)
    {
        ulong[] value = Evaluate(scatter.Value);
        ulong[] indices = Evaluate(scatter.Indices);
        ulong[]? mask = scatter.Mask is { } m ? Evaluate(m) : null;
        KernelMemory memory = Memory(scatter.Buffer);
        for (int lane = 0; lane < value.Length; lane++)
        {
            if (mask is null || mask[lane] != 0)
            {
                memory.Write((long)indices[lane], value[lane]);
            }
        }
    }

    private void Tiles(KTiles tiles)
    {
        for (int i = 0; i < tiles.Tiles.Count; i++)
        {
            _tiles[tiles.Tiles[i]] = new TileContent(tiles.Tiles[i], Index(tiles.Rows[i]));
        }
        Run(tiles.Body);
        _tiles.Clear();
    }

    private long Index(KExpr e) => (long)Evaluate(e)[0];

    private KernelMemory Memory(KBuffer buffer) => buffer.Space == KBufferSpace.Scratch ? _scratch[buffer] : arguments[buffer];
}
