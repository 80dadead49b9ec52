namespace Graphene.Codegen.Llvm;

/// <content>Addresses as a part that varies, and a known distance from there.</content>
/// <remarks>
/// <code>
/// row.3 = row + 3;  out[row.3 * 384 + column]      =>   p = &amp;out[row * 384 + column];  p + 3 * 384 * 4 bytes
/// </code>
/// Instructions take the distance as it is, so the rows of a register tile need one address in common. LLVM does not find that by itself:
/// addresses that are used before a loop and behind it would be computed one by one and wait on the stack.
/// </remarks>
internal abstract partial class LlvmBodyPrinter
{
    private readonly Dictionary<KVariable, KExpr> _definitions = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<KExpr, IndexParts> _parts = new(ReferenceEqualityComparer.Instance);

    /// <summary>Whether addresses are taken apart.</summary>
    protected virtual bool SplitsAddresses => false;

    // What of an index has to be computed for the address of an element.
    private KExpr Varying(KExpr index) => SplitsAddresses ? PartsOf(index).Varying : index;

    // The address of an element whose varying part is known.
    private string PlaceOf(KBuffer buffer, KExpr index, string inbounds)
    {
        (KExpr varying, long offset) = SplitsAddresses ? PartsOf(index) : new IndexParts(index, 0);
        if (offset == 0)
        {
            return Element(buffer, _known[varying], inbounds);
        }
        string from = Element(buffer, _known[varying], ""); // which need not be an element
        LlvmValue distance = LlvmTypes.Integer(KType.Index, (Int128)offset * buffer.Element.SizeInBytes());
        return Out.Add(KType.Index, $"getelementptr i8, {PointerType(buffer)} {from}, {distance}").Name;
    }

    private IndexParts PartsOf(KExpr e)
    {
        if (!_parts.TryGetValue(e, out IndexParts parts))
        {
            parts = FindParts(e);
            parts = parts.Offset == 0 ? new IndexParts(e, 0) : parts;
            _parts.Add(e, parts);
        }
        return parts;
    }

    private IndexParts FindParts(KExpr e)
    {
        switch (e)
        {
            case KConstant { Lanes: 1 } constant:
                return new IndexParts(0, (long)constant.Value.AsInteger);
            case KVariable variable when _definitions.TryGetValue(variable, out KExpr? definition):
                return PartsOf(definition);
            case KCall { Type: { IsScalar: true, Element: DType.I64 }, Op: ScalarOp.Add, Arguments: [var a, var b] }:
                return new IndexParts(KBuilder.Add(PartsOf(a).Varying, PartsOf(b).Varying), PartsOf(a).Offset + PartsOf(b).Offset);
            case KCall { Type: { IsScalar: true, Element: DType.I64 }, Op: ScalarOp.Multiply, Arguments: [var a, KConstant times] }:
                long factor = (long)times.Value.AsInteger;
                return new IndexParts(KBuilder.Multiply(PartsOf(a).Varying, factor), PartsOf(a).Offset * factor);
            default:
                return new IndexParts(e, 0);
        }
    }

    // Remembers what an index is made of, if that is the same wherever the index is used.
    private void Define(KVariable variable, KExpr value)
    {
        if (SplitsAddresses && variable.Type == KType.Index && IsFixed(value))
        {
            _definitions[variable] = value;
        }
    }

    private static bool IsFixed(KExpr e) => e switch
    {
        KConstant or KVariable or KSymbol => true,
        KCall { Op: ScalarOp.Add or ScalarOp.Multiply } call => call.Arguments.All(IsFixed),
        _ => false,
    };

    private readonly record struct IndexParts(KExpr Varying, long Offset);
}
