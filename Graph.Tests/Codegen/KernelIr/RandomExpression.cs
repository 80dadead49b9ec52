using Graphene.Codegen;

namespace Graphene.Tests.Codegen.KernelIr;

/// <summary>Makes expressions of a given type.</summary>
/// <remarks>
/// Bits of floating values are looked at only where they are no NaN: which NaN an operation gives is left open by IEEE 754.
/// </remarks>
internal sealed class RandomExpression(Random random, KBuffer[] operands)
{
    public static readonly DType[] Types = [.. Enum.GetValues<DType>().Where(t => !t.IsComplex())];

    private static readonly ScalarOp[] Ops = Enum.GetValues<ScalarOp>();

    private KExpr _at = 0;

    public List<KExpr> Scalars { get; } = [];

    public List<KExpr> Variables { get; } = [];

    public List<KRegister> Registers { get; } = [];

    /// <summary>Begins a loop body; loads are near a counter.</summary>
    public void Enter(KExpr at, int lanes) => _at = at;

    /// <summary>Ends it: what was bound in it is no longer visible.</summary>
    public void Leave()
    {
        _at = 0;
        Variables.Clear();
    }

    public KExpr Make(KType type, int depth)
    {
        if (depth == 0 || random.Next(6) == 0)
        {
            return Leaf(type);
        }
        DType element = type.Element;
        return random.Next(8) switch
        {
            0 => new KSelect(
                Make(type with { Element = DType.Bool }, depth - 1), Make(type, depth - 1), Make(type, depth - 1),
                random.Next(3) == 0),
            1 or 2 => Convert(type, depth),
            3 when type.Lanes > 1 => Rearranged(type, depth),
            4 when element != DType.Bool => Bits(type, depth),
            5 when element == DType.F32 => Lookup(type, depth),
            _ => Call(type, depth),
        };
    }

    public KExpr Constant(KType type) => new KConstant(Scalar.FromBits(type.Element, SampleBits.Next(random, type.Element)), type.Lanes);

    /// <summary>Indices below a bound, many of them equal.</summary>
    public KExpr Places(int lanes, int bound)
    {
        KExpr any = new KConvert(Make(new KType(DType.U8, lanes), 1), DType.I64);
        return KBuilder.Remainder(any, bound);
    }

    private KExpr Leaf(KType type)
    {
        KExpr? known = random.Next(4) switch
        {
            0 => Variables.Find(v => v.Type == type) ?? Scalars.Find(s => s.Type.Element == type.Element),
            1 => Registers.Find(r => r.Type == type) is { } register ? new KRead(register) : null,
            _ => null,
        };
        return known is not null ? KBuilder.Broadcast(known, type.Lanes)
            : random.Next(4) == 0 ? Constant(type)
            : Load(type);
    }

    private KExpr Load(KType type)
    {
        KBuffer buffer = operands[Array.IndexOf(Types, type.Element)];
        KExpr? mask = random.Next(4) == 0 ? Mask(type.Lanes) : null;
        KExpr? otherwise = mask is not null && random.Next(2) == 0 ? Constant(type) : null;
        return random.Next(4) == 0
            ? new KGather(buffer, Places(type.Lanes, RandomKernel.OperandLength), mask, otherwise)
            : new KLoad(
                buffer, KBuilder.Add(_at, random.Next(RandomKernel.OperandLength - RandomKernel.Count - 16)),
                type.Lanes, mask,
                otherwise);
    }

    private KExpr Mask(int lanes) => lanes == 1
        ? KBuilder.Less(_at, random.Next(RandomKernel.Count))
        : KBuilder.Less(new KRamp(_at, random.Next(1, 3), lanes), random.Next(RandomKernel.Count));

    private KExpr Convert(KType type, int depth)
    {
        DType from = Types[random.Next(Types.Length)];
        return new KConvert(Make(type with { Element = from }, depth - 1), type.Element);
    }

    private KExpr Rearranged(KType type, int depth) => random.Next(3) switch
    {
        0 when type.Lanes % 2 == 0 => new KJoin(
            Make(type with { Lanes = type.Lanes / 2 }, depth - 1), Make(type with { Lanes = type.Lanes / 2 }, depth - 1)),
        1 => KBuilder.Broadcast(Make(type with { Lanes = 1 }, depth - 1), type.Lanes),
        _ => new KShuffle(
            Make(type, depth - 1), Enumerable.Range(0, type.Lanes).Select(_ => random.Next(type.Lanes)).ToValueList()),
    };

    private KLookup Lookup(KType type, int depth) => new(
        Enumerable.Range(0, KLookup.Count).Select(_ => Scalar.FromDouble(DType.F32, random.NextDouble() - 0.5)).ToValueList(),
        Make(type with { Element = DType.I32 }, depth - 1));

    private KExpr Bits(KType type, int depth)
    {
        DType[] same = [.. Types.Where(t => t != DType.Bool && t.SizeInBits() == type.Element.SizeInBits())];
        DType from = same[random.Next(same.Length)];
        KExpr value = Make(type with { Element = from }, depth - 1);
        KExpr bits = new KBitcast(value, type.Element);
        if (!from.IsFloating() || type.Element == from)
        {
            return bits;
        }
        KExpr wide = from is DType.F16 or DType.BF16 ? new KConvert(value, DType.F32) : value;
        return new KSelect(KBuilder.Call(ScalarOp.Equal, wide, wide), bits, Constant(type));
    }

    private KExpr Call(KType type, int depth)
    {
        if (type == new KType(DType.Bool) && random.Next(4) == 0)
        {
            return new KAny(Make(type with { Lanes = 1 << random.Next(4) }, depth - 1));
        }
        if (type.Element == DType.Bool && random.Next(2) == 0)
        {
            DType[] compared = [DType.F32, DType.F64, DType.I8, DType.U8, DType.I32, DType.U32, DType.I64, DType.U64];
            ScalarOp[] ops = [ScalarOp.Equal, ScalarOp.NotEqual, ScalarOp.Less, ScalarOp.LessOrEqual];
            KType operand = type with { Element = compared[random.Next(compared.Length)] };
            return KBuilder.Call(ops[random.Next(4)], Make(operand, depth - 1), Make(operand, depth - 1));
        }
        ScalarOp[] possible = [.. Ops.Where(op => IsClosed(op) && KernelRules.Accepts(op, type.Element))];
        if (possible.Length == 0)
        {
            return Leaf(type);
        }
        ScalarOp op = possible[random.Next(possible.Length)];
        return KBuilder.Call(op, [.. Enumerable.Range(0, KernelRules.Arity(op)).Select(_ => Make(type, depth - 1))]);
    }

    private static bool IsClosed(ScalarOp op) =>
        op is not (ScalarOp.Equal or ScalarOp.NotEqual or ScalarOp.Less or ScalarOp.LessOrEqual or ScalarOp.IsFinite);
}
