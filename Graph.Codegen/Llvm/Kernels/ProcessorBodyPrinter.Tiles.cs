namespace Graphene.Codegen.Llvm;

/// <content>Tiles, by the instructions of AMX: schedules ask for them on targets that have those.</content>
internal sealed partial class ProcessorBodyPrinter
{
    // The memory operand of LDTILECFG: palette, bytes per row of each tile as i16, rows of each as i8 (Intel SDM volume 2).
    private const int SizeOfTileConfiguration = 64;
    private const int PlaceOfBytesPerRow = 16;
    private const int PlaceOfRows = 48;

    private readonly Dictionary<KTile, int> _tiles = new(ReferenceEqualityComparer.Instance);

    /// <inheritdoc/>
    protected override void MachineStatement(KStmt statement)
    {
        switch (statement)
        {
            case KTiles tiles:
                Tiles(tiles);
                break;
            case KTileZero or KTileLoad or KTileStore or KTileDot:
                TileStep(statement);
                break;
            default:
                base.MachineStatement(statement);
                break;
        }
    }

    private void Tiles(KTiles tiles)
    {
        if (!Target.HasFeature("amx-tile"))
        {
            throw Bug($"{Target} has no tiles");
        }
        string configuration = Alloca($"[{SizeOfTileConfiguration} x i8]", ", align 64");
        Out.Do($"store <{SizeOfTileConfiguration} x i8> zeroinitializer, ptr {configuration}, align 64");
        Out.Do($"store i8 1, ptr {configuration}, align 1");
        for (int i = 0; i < tiles.Tiles.Count; i++)
        {
            KTile tile = tiles.Tiles[i];
            _tiles[tile] = i;
            Out.Do($"store i16 {tile.Columns * tile.Element.SizeInBytes()}, ptr {Part(PlaceOfBytesPerRow + (2 * i))}, align 2");
            LlvmValue rows = Cast("trunc", Evaluate(tiles.Rows[i]), DType.U8);
            Out.Do($"store {rows}, ptr {Part(PlaceOfRows + i)}, align 1");
        }
        Out.Do($"call void @llvm.x86.ldtilecfg(ptr {configuration})");
        Block(tiles.Body);
        Out.Do("call void @llvm.x86.tilerelease()");

        string Part(int offset) => Out.Add(KType.Index, $"getelementptr inbounds i8, ptr {configuration}, i64 {offset}").Name;
    }

    private void TileStep(KStmt step)
    {
        switch (step)
        {
            case KTileZero zero:
                Out.Do($"call void @llvm.x86.tilezero(i8 {_tiles[zero.Tile]})");
                break;
            case KTileLoad load:
                TileAccess("tileloadd64", load.Tile, load.Buffer, load.Index, load.Stride);
                break;
            case KTileStore store:
                TileAccess("tilestored64", store.Tile, store.Buffer, store.Index, store.Stride);
                break;
            case KTileDot dot:
                Out.Do(
                    $"call void @llvm.x86.{TileInstruction(dot.Left.Element, dot.Right.Element)}"
                    + $"(i8 {_tiles[dot.Sum]}, i8 {_tiles[dot.Left]}, i8 {_tiles[dot.Right]})");
                break;
        }
    }

    private void TileAccess(string instruction, KTile tile, KBuffer buffer, KExpr index, KExpr stride)
    {
        string place = Element(buffer, Evaluate(index), "inbounds ");
        LlvmValue distance = Binary("mul", EvaluateAlso(stride), Number(KType.Index, tile.Element.SizeInBytes()));
        Out.Do($"call void @llvm.x86.{instruction}(i8 {_tiles[tile]}, ptr {place}, {distance})");
    }

    private static string TileInstruction(DType left, DType right) => (left, right) switch
    {
        (DType.BF16, _) => "tdpbf16ps",
        (DType.I8, DType.I8) => "tdpbssd",
        (DType.I8, _) => "tdpbsud",
        (_, DType.I8) => "tdpbusd",
        _ => "tdpbuud",
    };
}
