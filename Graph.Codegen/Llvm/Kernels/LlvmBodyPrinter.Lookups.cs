namespace Graphene.Codegen.Llvm;

/// <content>Tables of eight numbers: an instruction that moves a register's lanes where the machine has one, else loads.</content>
internal abstract partial class LlvmBodyPrinter
{
    private LlvmValue Lookup(KLookup lookup, LlvmValue index)
    {
        int lanes = index.Type.Lanes;
        int whole = LookupLanes(lanes);
        if (whole == 0)
        {
            return LoadedLookup(lookup, index);
        }
        if (whole <= lanes)
        {
            return InParts(whole, parts => PermutedLookup(lookup, parts[0]), index);
        }
        LlvmValue widened = Shuffle(index, Enumerable.Range(0, whole).Select(i => Math.Min(i, lanes - 1)).ToValueList());
        return Shuffle(PermutedLookup(lookup, widened), Enumerable.Range(0, lanes).ToValueList());
    }

    // The lanes of one instruction; 0 where there is none.
    private int LookupLanes(int lanes) => target.Architecture switch
    {
        _ when !int.IsPow2(lanes) => 0,
        LlvmArchitecture.X64 when target.VectorBits >= 512 && target.HasFeature("avx512f") && lanes > KLookup.Count => 2 * KLookup.Count,
        LlvmArchitecture.X64 when target.HasFeature("avx2") => KLookup.Count,
        LlvmArchitecture.Arm64 => KLookup.Count / 2,
        _ => 0,
    };

    // x86 looks at as many low bits of an index as the table needs. Sixteen lanes hold it twice.
    private LlvmValue PermutedLookup(KLookup lookup, LlvmValue index)
    {
        KType type = index.Type with { Element = DType.F32 };
        LlvmValue table = LlvmTypes.List([.. lookup.Entries, .. lookup.Entries.Take(type.Lanes - KLookup.Count)]);
        return type.Lanes < KLookup.Count ? LookupOfBytes(table, index)
            : Out.Add(type, Call(type, type.Lanes > KLookup.Count ? "x86.avx512.permvar.sf.512" : "x86.avx2.permps", table, index));
    }

    // ARM chooses bytes of two registers: 4 i, 4 i + 1, 4 i + 2, 4 i + 3.
    private LlvmValue LookupOfBytes(LlvmValue table, LlvmValue index)
    {
        LlvmValue entry = Binary("and", index, LlvmTypes.Integer(index.Type, KLookup.Count - 1));
        LlvmValue four = Binary("mul", entry, LlvmTypes.Integer(index.Type, 0x04040404));
        LlvmValue places = Binary("add", four, LlvmTypes.Integer(index.Type, 0x03020100));
        LlvmValue low = Bytes(Shuffle(table, Enumerable.Range(0, KLookup.Count / 2).ToValueList()));
        LlvmValue high = Bytes(Shuffle(table, Enumerable.Range(KLookup.Count / 2, KLookup.Count / 2).ToValueList()));
        LlvmValue chosen = Out.Add(low.Type, Call(low.Type, "aarch64.neon.tbl2.v16i8", low, high, Bytes(places)));
        KType type = index.Type with { Element = DType.F32 };
        return Out.Add(type, $"bitcast {chosen} to {LlvmTypes.Register(type)}");

        LlvmValue Bytes(LlvmValue value)
        {
            KType bytes = new(DType.U8, value.Type.Lanes * 4);
            return Out.Add(bytes, $"bitcast {value} to {LlvmTypes.Register(bytes)}");
        }
    }

    private LlvmValue LoadedLookup(KLookup lookup, LlvmValue index)
    {
        (string pointer, string table) = TableOf(lookup);
        KType one = new(DType.F32);
        LlvmValue entries = Binary("and", index, LlvmTypes.Integer(index.Type, KLookup.Count - 1));
        LlvmValue[] found = [.. Enumerable.Range(0, index.Type.Lanes).Select(lane =>
        {
            string place = Out.Add(KType.Index, $"getelementptr float, {pointer} {table}, {Extract(entries, lane)}").Name;
            return Out.Add(one, $"load float, {pointer} {place}, align 4{LlvmMetadata.Invariant}");
        })];
        KType type = index.Type with { Element = DType.F32 };
        return type.IsScalar
            ? found[0]
            : found.Select((value, lane) => (value, lane)).Aggregate(
                new LlvmValue("poison", type), (vector, next) => Insert(vector, next.value, next.lane));
    }

    /// <summary>The constants in memory: the type of pointers to them, and the global's name.</summary>
    protected virtual (string Pointer, string Global) TableOf(KLookup lookup) => ("ptr", $"@{LlvmLookupTable.Name(lookup)}");
}
