namespace Graphene.Codegen;

/// <content>Statements on tiles.</content>
internal sealed partial class KernelStatementParser
{
    private KTiles Tiles()
    {
        var tiles = new List<KTile>();
        var rows = new List<KExpr>();
        do
        {
            cursor.SkipBlanks();
            int at = cursor.Position;
            string name = KernelScope.ReadName(cursor);
            cursor.Expect(':');
            DType type = TypeText.ReadDType(cursor);
            cursor.Expect('[');
            rows.Add(expressions.Read());
            cursor.Expect(',');
            var tile = new KTile(name, type, (int)Math.Clamp(cursor.Integer(), 0, int.MaxValue));
            cursor.Expect(']');
            scope.Declare(cursor, at, name, tile);
            tiles.Add(tile);
        }
        while (cursor.TryTake(','));
        KBlock body = Block();
        tiles.ForEach(tile => scope.Remove(tile.Name));
        return new KTiles(tiles, rows, body);
    }

    private KStmt TileStep(string word)
    {
        cursor.Expect('(');
        KTile tile = Named<KTile>("tile");
        KStmt step;
        switch (word)
        {
            case "zero_tile":
                step = new KTileZero(tile);
                break;
            case "dot_tiles":
                cursor.Expect(',');
                KTile left = Named<KTile>("tile");
                cursor.Expect(',');
                step = new KTileDot(tile, left, Named<KTile>("tile"));
                break;
            default:
                cursor.Expect(',');
                KBuffer buffer = Named<KBuffer>("buffer");
                cursor.Expect(',');
                KExpr index = expressions.Read();
                cursor.Expect(',');
                KExpr stride = expressions.Read();
                step = word == "load_tile" ? new KTileLoad(tile, buffer, index, stride) : new KTileStore(tile, buffer, index, stride);
                break;
        }
        cursor.Expect(')');
        return step;
    }

    private T Named<T>(string kind)
        where T : class
    {
        cursor.SkipBlanks();
        int at = cursor.Position;
        return scope.Find<T>(cursor, at, KernelScope.ReadName(cursor), kind);
    }
}
