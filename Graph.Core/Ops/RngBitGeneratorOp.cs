using System.Collections.Immutable;

namespace Graphene;

/// <summary>How random bits are made.</summary>
public enum RngAlgorithm
{
    /// <summary>Philox 4x32 with 10 rounds.</summary>
    Philox,
}

/// <summary>Random bits from a counter: each element depends on the state and its own position only.</summary>
/// <remarks>
/// Operand: the state, u64[2]: a key and a counter. Results: the next state, with the counter advanced by the blocks used, and the
/// bits, of any integer type. Block n is Philox4x32-10 of counter + n (its low and high 32 bits in words 0 and 1, words 2 and 3
/// zero) under the key's low and high 32 bits. Elements in row-major order take the block's words in order: one word each, two
/// (low one first) for 64-bit types, the low bits of one for 8- and 16-bit types. The bits are the same on every back end, for any
/// number of threads. Source: StableHLO specification, rng_bit_generator, which leaves the bits to the implementation; Salmon,
/// Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
/// </remarks>
/// <param name="Algorithm">How the bits are made.</param>
/// <param name="Type">The type of the bits.</param>
public sealed record RngBitGeneratorOp(RngAlgorithm Algorithm, TensorType Type) : Op("rng_bit_generator")
{
    private static readonly TensorType StateType = new(DType.U64, Shape.Of(2));

    /// <summary>Reads the attributes that <see cref="Write"/> writes.</summary>
    public static Op Parse(AttributeReader a) => new RngBitGeneratorOp(
        a.Choice<RngAlgorithm>("algorithm"), a.ResultTypes.Length == 2 ? a.ResultTypes[1] : a.ResultType);

    /// <inheritdoc/>
    public override bool IsExpensive => true;

    /// <inheritdoc/>
    public override bool HasElementForm => true;

    private int ElementsPerBlock => Type.DType.SizeInBits() == 64 ? 2 : 4;

    /// <inheritdoc/>
    public override Op SubstituteDims(IReadOnlyDictionary<DimSymbol, Dim> values) =>
        this with { Type = Type.Substitute(values) };

    /// <inheritdoc/>
    public override void Write(AttributeWriter w) => w.AddWord("algorithm", Algorithm.ToString().ToLowerInvariant());

    /// <inheritdoc/>
    public override ImmutableArray<TensorType> InferTypes(OpSite site)
    {
        site.RequireOperands(1);
        site.Require( // C1, C2
            site.Operand(0).DType == DType.U64 && site.Operand(0).Shape.Equals(StateType.Shape), DiagnosticId.DTypeMismatch,
            $"the state is {site.Operand(0)}", why: $"the state is a key and a counter: {StateType}");
        site.Require(
            Type.DType.IsInteger(), DiagnosticId.DTypeNotAccepted, $"cannot make bits of type {Type.DType.Name()}",
            fix: "make u32 and convert");
        return [StateType, Type];
    }

    /// <inheritdoc/>
    public override Literal[] EvaluateAll(IReadOnlyList<Literal> operands, ImmutableArray<TensorType> results)
    {
        ulong key = operands[0][0].Bits;
        ulong counter = operands[0][1].Bits;
        long position = 0;
        Literal bits = Literal.Generate(Type, _ =>
        {
            uint[] block = Philox.Block(key, unchecked(counter + (ulong)(position / ElementsPerBlock)));
            int element = (int)(position++ % ElementsPerBlock);
            ulong value = ElementsPerBlock == 4
                ? block[element]
                : block[2 * element] | ((ulong)block[(2 * element) + 1] << 32);
            return Scalar.FromBits(Type.DType, value);
        });
        ulong blocks = (ulong)DimMath.CeilDiv(position, ElementsPerBlock);
        return [Literal.From<ulong>([key, unchecked(counter + blocks)], 2), bits];
    }

    /// <inheritdoc/>
    public override ScalarExpr Element(ElementBuilder e, IndexVector at, int result)
    {
        ScalarExpr key = e.Operand(0, IndexVector.From([e.Index(0)]));
        ScalarExpr counter = e.Operand(0, IndexVector.From([e.Index(1)]));
        if (result == 0)
        {
            Dim blocks = Dim.CeilDiv(Type.Shape.ElementCount, ElementsPerBlock);
            ScalarExpr advanced = e.Add(counter, e.Convert(e.Index(blocks), DType.U64));
            return e.Select(e.Equal(at[0], e.Index(0)), key, advanced);
        }
        ScalarExpr position = e.Index(0);
        for (int axis = 0; axis < at.Count; axis++)
        {
            position = e.Add(e.Multiply(position, e.Index(Type.Shape[axis])), at[axis]);
        }
        ScalarExpr perBlock = e.Index(ElementsPerBlock);
        ScalarExpr block = e.Convert(e.Divide(position, perBlock), DType.U64);
        ScalarExpr[] words = PhiloxElement.Block(e, key, e.Add(counter, block));
        ScalarExpr element = e.Remainder(position, perBlock);
        if (ElementsPerBlock == 4)
        {
            return e.Bitcast(e.Convert(Pick(words), Unsigned(Type.DType)), Type.DType);
        }
        ScalarExpr low = e.Convert(Pick([words[0], words[2]]), DType.U64);
        ScalarExpr high = e.Convert(Pick([words[1], words[3]]), DType.U64);
        ScalarExpr joined = e.Call(ScalarOp.Or, low, e.Call(ScalarOp.ShiftLeft, high, e.Constant(DType.U64, 32)));
        return e.Bitcast(joined, Type.DType);

        ScalarExpr Pick(ScalarExpr[] choices)
        {
            ScalarExpr picked = choices[^1];
            for (int i = choices.Length - 2; i >= 0; i--)
            {
                picked = e.Select(e.Equal(element, e.Index(i)), choices[i], picked);
            }
            return picked;
        }
    }

    private static DType Unsigned(DType type) => type.SizeInBits() switch { 8 => DType.U8, 16 => DType.U16, _ => DType.U32 };

    /// <inheritdoc/>
    public override GradientRule Gradient => GradientRule.Zero("bits have no derivative");
}

/// <summary>Builds random bits.</summary>
public static class RngBitGeneratorBuilder
{
    /// <summary>Random bits of an integer type from a state u64[2]; see <see cref="RngBitGeneratorOp"/>.</summary>
    /// <returns>The state to go on with, and the bits.</returns>
    public static (Node State, Node Bits) RngBitGenerator(this GraphBuilder b, Node state, TensorType type)
    {
        Node node = b.Add(new RngBitGeneratorOp(RngAlgorithm.Philox, type), state);
        return (b.GetTupleElement(node, 0), b.GetTupleElement(node, 1));
    }
}
