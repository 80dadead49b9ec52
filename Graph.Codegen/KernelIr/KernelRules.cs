namespace Graphene.Codegen;

/// <summary>What one expression or statement must fulfil, given that its operands are sound.</summary>
internal static class KernelRules
{
    /// <summary>More lanes than any schedule asks for.</summary>
    public const int MostLanes = 1024;

    /// <summary>How many arguments an instruction takes.</summary>
    public static int Arity(ScalarOp op) => op switch
    {
        ScalarOp.FusedMultiplyAdd => 3,
        ScalarOp.Add or ScalarOp.Subtract or ScalarOp.Multiply or ScalarOp.Divide or ScalarOp.Remainder
            or ScalarOp.Maximum or ScalarOp.Minimum or ScalarOp.And or ScalarOp.Or or ScalarOp.Xor
            or ScalarOp.ShiftLeft or ScalarOp.ShiftRightLogical or ScalarOp.ShiftRightArithmetic
            or ScalarOp.Equal or ScalarOp.NotEqual or ScalarOp.Less or ScalarOp.LessOrEqual
            or ScalarOp.Power or ScalarOp.ArcTangent2 => 2,
        _ => 1,
    };

    /// <summary>Whether an instruction has a meaning for an element type.</summary>
    public static bool Accepts(ScalarOp op, DType type) => op switch
    {
        ScalarOp.Equal or ScalarOp.NotEqual or ScalarOp.Less or ScalarOp.LessOrEqual or ScalarOp.Maximum
            or ScalarOp.Minimum => type == DType.Bool || IsArithmetic(type),
        ScalarOp.And or ScalarOp.Or or ScalarOp.Xor or ScalarOp.Not => type == DType.Bool || type.IsInteger(),
        ScalarOp.ShiftLeft or ScalarOp.ShiftRightLogical or ScalarOp.ShiftRightArithmetic or ScalarOp.PopulationCount
            or ScalarOp.CountLeadingZeros => type.IsInteger(),
        ScalarOp.Add or ScalarOp.Subtract or ScalarOp.Multiply or ScalarOp.Divide or ScalarOp.Remainder
            or ScalarOp.Negate or ScalarOp.Abs or ScalarOp.Sign or ScalarOp.FusedMultiplyAdd => IsArithmetic(type),
        _ => type is DType.F32 or DType.F64,
    };

    /// <summary>What is wrong with an expression, or null.</summary>
    public static string? Problem(KExpr e) => e.Type.Lanes is < 1 or > MostLanes
        ? $"a value has 1 to {MostLanes} lanes, not {e.Type.Lanes}"
        : e.Type.Element.IsComplex() ? "complex values are not supported"
        : e switch
        {
            KCall call => Problem(call),
            KLoad load => Access(load.Buffer, load.Index, load.Lanes, load.Mask)
                ?? ThreadRules.Alignment(load.Buffer, load.Index, load.Alignment)
                ?? Same(load.Otherwise, load.Type, "the value of lanes that are off"),
            KGather gather => Indices(gather.Indices, gather.Mask)
                ?? Same(gather.Otherwise, gather.Type, "the value of lanes that are off"),
            KSelect select => Same(select.Condition, new KType(DType.Bool, select.Type.Lanes), "the condition")
                ?? Same(select.WhenFalse, select.Type, "the other value"),
            KScale scale => scale.Type.Element is not (DType.F32 or DType.F64) ? $"there are no powers of two of {scale.Type}"
                : Same(scale.Exponent, scale.Type, "the exponent") ?? Same(scale.Product, scale.Type, "the product"),
            KLookup lookup => lookup.Entries.Count != KLookup.Count || lookup.Entries.Any(c => c.DType != DType.F32)
                ? $"a table has {KLookup.Count} entries of f32"
                : Same(lookup.Index, new KType(DType.I32, lookup.Type.Lanes), "the index"),
            KConvert convert => convert.To.IsComplex() ? "complex values are not supported" : null,
            KBitcast bitcast => Problem(bitcast),
            KBroadcast broadcast => broadcast.Value.Type.IsScalar ? null : $"a scalar is broadcast, not {broadcast.Value.Type}",
            KRamp ramp => Same(ramp.Base, KType.Index, "the base") ?? Same(ramp.Stride, KType.Index, "the stride"),
            KShuffle shuffle => shuffle.Lanes.Any(l => l < 0 || l >= shuffle.Value.Type.Lanes)
                ? $"lanes {shuffle.Lanes} are not all in {shuffle.Value.Type}"
                : null,
            KJoin join => Same(join.High, join.Low.Type, "the upper half"),
            KAny any => Same(any.Flags, new KType(DType.Bool, any.Flags.Type.Lanes), "what is asked"),
            KDot dot => Problem(dot),
            _ => null,
        };

    /// <summary>What is wrong with a statement itself, or null.</summary>
    public static string? Problem(KStmt s) => s switch
    {
        KFor loop => Same(loop.Variable, KType.Index, "the counter") ?? Same(loop.Begin, KType.Index, "the first value")
            ?? Same(loop.End, KType.Index, "the bound")
            ?? (loop.Step < 1 ? $"the step is {loop.Step}; it must be positive" : null)
            ?? (loop.Unroll < 0 ? "a loop cannot be unrolled a negative number of times" : null),
        KWhile loop => Same(loop.Condition, new KType(DType.Bool), "the condition"),
        KIf choice => Same(choice.Condition, new KType(DType.Bool), "the condition"),
        KLet let => Same(let.Value, let.Variable.Type, "the value"),
        KDeclare declare => Same(declare.Initial, declare.Register.Type, "the value"),
        KAssign assign => Same(assign.Value, assign.Register.Type, "the value"),
        KStore store => IsWritable(store.Buffer)
            ?? Access(store.Buffer, store.Index, store.Value.Type.Lanes, store.Mask)
            ?? ThreadRules.Alignment(store.Buffer, store.Index, store.Alignment)
            ?? Same(store.Value, new KType(store.Buffer.Element, store.Value.Type.Lanes), "the stored value")
            ?? (store.IsStreaming && store.Mask is not null ? "a streaming store has no mask" : null)
            ?? (store.IsStreaming && store.Buffer.IsScratch ? $"{store.Buffer} is scratch, which is read soon" : null),
        KScatter scatter => IsWritable(scatter.Buffer) ?? Indices(scatter.Indices, scatter.Mask)
            ?? Same(scatter.Value, new KType(scatter.Buffer.Element, scatter.Indices.Type.Lanes), "the stored value"),
        KPrefetch prefetch => Same(prefetch.Index, KType.Index, "the index"),
        KScratch { Buffer: var buffer } => !buffer.IsScratch || buffer.Length <= 0 ? $"scratch {buffer} has no length"
            : buffer.Over is { Space: not KBufferSpace.Shared } below ? $"{buffer} lies in the place of {below}, which is not shared"
            : buffer.Alignment is not (128 or 256 or 512 or 1024)
                ? $"a place is aligned to 128, 256, 512 or 1024 bytes, not {buffer.Alignment}"
            : null,
        KTiles tiles => Problem(tiles),
        KTileLoad load => Problem(load.Tile, load.Buffer, load.Index, load.Stride),
        KTileStore store => IsWritable(store.Buffer) ?? Problem(store.Tile, store.Buffer, store.Index, store.Stride),
        KTileDot dot => Problem(dot),
        _ => ThreadRules.Problem(s),
    };

    private static string? Problem(KCall call)
    {
        if (call.Arguments.Count != Arity(call.Op))
        {
            return $"{call.Op} takes {Arity(call.Op)} arguments, not {call.Arguments.Count}";
        }
        KType type = call.Arguments[0].Type;
        return call.Arguments.Any(a => a.Type != type)
            ? $"the arguments of {call.Op} are of different types: {string.Join(", ", call.Arguments.Select(a => a.Type))}"
            : Accepts(call.Op, type.Element) ? null
            : $"{call.Op} has no meaning for {type.Element.Name()}";
    }

    private static string? Problem(KBitcast bitcast)
    {
        DType from = bitcast.Value.Type.Element;
        return from == DType.Bool || bitcast.To == DType.Bool ? "bool has no bits to reinterpret"
            : from.SizeInBits() == bitcast.To.SizeInBits() ? null
            : $"{from.Name()} and {bitcast.To.Name()} are not of one width";
    }

    private static string? Problem(KDot dot)
    {
        (DType left, DType right) = (dot.Left.Type.Element, dot.Right.Type.Element);
        int group = KDot.Group(left);
        bool isPair = left == right || (group == 4 && KDot.Group(right) == 4);
        DType sum = left == DType.BF16 ? DType.F32 : DType.I32;
        return group == 0 || !isPair ? $"no products of {left.Name()} and {right.Name()} are added up"
            : Same(dot.Sum, new KType(sum, dot.Sum.Type.Lanes), "the sum")
            ?? Same(dot.Left, new KType(left, group * dot.Sum.Type.Lanes), "the left operand")
            ?? Same(dot.Right, new KType(right, group * dot.Sum.Type.Lanes), "the right operand");
    }

    private static string? Problem(KTiles tiles)
    {
        if (tiles.Tiles.Count is 0 or > KTile.MostTiles || tiles.Rows.Count != tiles.Tiles.Count)
        {
            return $"there are 1 to {KTile.MostTiles} tiles, not {tiles.Tiles.Count}";
        }
        foreach (KTile tile in tiles.Tiles)
        {
            long bytes = (long)tile.Columns * tile.Element.SizeInBytes();
            if (bytes is < 4 or > KTile.MostBytesPerRow || bytes % 4 != 0)
            {
                return $"a row of '{tile.Name}' takes {bytes} bytes; it must be a multiple of 4, at most {KTile.MostBytesPerRow}";
            }
        }
        return tiles.Rows.Select(r => Same(r, KType.Index, "the number of rows")
            ?? (r is KConstant { Value: var n } && (n.AsInteger < 1 || n.AsInteger > KTile.MostRows)
                ? $"a tile has 1 to {KTile.MostRows} rows, not {n.AsInteger}"
                : null)).FirstOrDefault(problem => problem is not null);
    }

    private static string? Problem(KTile tile, KBuffer buffer, KExpr index, KExpr stride) =>
        Same(index, KType.Index, "the index") ?? Same(stride, KType.Index, "the stride")
        ?? (buffer.Element == tile.Element ? null : $"{buffer} holds {buffer.Element.Name()}, '{tile.Name}' {tile.Element.Name()}");

    private static string? Problem(KTileDot dot)
    {
        (DType left, DType right) = (dot.Left.Element, dot.Right.Element);
        int group = KDot.Group(left);
        bool isPair = (left == DType.BF16 && right == DType.BF16) || (group == 4 && KDot.Group(right) == 4);
        DType sum = left == DType.BF16 ? DType.F32 : DType.I32;
        return !isPair ? $"no products of {left.Name()} and {right.Name()} are added up in tiles"
            : dot.Sum.Element != sum ? $"the sum is {dot.Sum.Element.Name()}, not {sum.Name()}"
            : dot.Right.Columns != group * dot.Sum.Columns
                ? $"the right tile has {dot.Right.Columns} columns, not {group * dot.Sum.Columns}"
            : null;
    }

    private static string? Access(KBuffer buffer, KExpr index, int lanes, KExpr? mask)
    {
        bool leavesScratch = buffer.IsScratch && mask is null && index is KConstant { Value: var at }
            && (at.AsInteger < 0 || at.AsInteger + lanes > buffer.Length);
        return Same(index, KType.Index, "the index")
            ?? Same(mask, new KType(DType.Bool, lanes), "the mask")
            ?? (leavesScratch ? $"elements {index} and {lanes - 1} more are not all in {buffer}[{buffer.Length}]" : null);
    }

    private static string? Indices(KExpr indices, KExpr? mask) =>
        Same(indices, new KType(DType.I64, indices.Type.Lanes), "an index")
        ?? Same(mask, new KType(DType.Bool, indices.Type.Lanes), "the mask");

    private static string? IsWritable(KBuffer buffer) => buffer.IsReadOnly ? $"{buffer} is read-only" : null;

    private static string? Same(KExpr? e, KType type, string what) =>
        e is null || e.Type == type ? null : $"{what} is {e.Type}, not {type}";

    private static bool IsArithmetic(DType type) => type.IsInteger() || type is DType.F32 or DType.F64;
}
