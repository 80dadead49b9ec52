using System.Collections.Immutable;

namespace Graphene;

/// <summary>Puts a value around and between the elements, or cuts elements off the edges.</summary>
/// <remarks>
/// Operands: a tensor, any dtype; the padding value, a scalar of that dtype. First <c>Interior[i]</c> copies of the value go between
/// neighbours in dimension i, then <c>Low[i]</c> in front and <c>High[i]</c> behind; negative amounts cut off. Exact. Source:
/// StableHLO specification, pad; labels are the specification's.
/// </remarks>
/// <param name="Low">Amounts in front of each dimension.</param>
/// <param name="High">Amounts behind each dimension.</param>
/// <param name="Interior">Amounts between neighbours, 0 or more.</param>
public sealed record PadOp(ValueList<Dim> Low, ValueList<Dim> High, ValueList<long> Interior) : Op("pad")
{
    /// <summary>Reads the attributes that <see cref="Write"/> writes.</summary>
    public static Op Parse(AttributeReader a) => new PadOp(a.Dims("low"), a.Dims("high"), a.Longs("interior"));

    /// <summary>True when it only puts a border around its operand: nothing between neighbours, and nothing is cut off.</summary>
    public bool IsBorder => Interior.All(n => n == 0) && Low.Concat(High).All(n => n.Range.Min >= 0);

    /// <inheritdoc/>
    public override bool MovesDataOnly => true;

    /// <inheritdoc/>
    public override bool HasElementForm => true;

    /// <inheritdoc/>
    public override Op SubstituteDims(IReadOnlyDictionary<DimSymbol, Dim> values) =>
        this with { Low = Low.Substitute(values), High = High.Substitute(values) };

    /// <inheritdoc/>
    public override void Write(AttributeWriter w)
    {
        w.Add("low", Low);
        w.Add("high", High);
        w.Add("interior", Interior);
    }

    /// <inheritdoc/>
    protected override TensorType InferType(OpSite site)
    {
        site.RequireOperands(2);
        TensorType x = site.Operand(0);
        site.RequireSameDType(0, 1); // C1
        site.Require(
            site.Operand(1).Rank == 0, DiagnosticId.RankMismatch, $"the padding value is {site.Operand(1)}, not a scalar");
        site.Require( // C2
            Low.Count == x.Rank && High.Count == x.Rank && Interior.Count == x.Rank, DiagnosticId.RankMismatch,
            $"{Low.Count} low, {High.Count} high and {Interior.Count} interior amounts are given for {x}",
            fix: $"give {x.Rank} of each");
        var dims = new Dim[x.Rank];
        for (int i = 0; i < dims.Length; i++)
        {
            site.Require( // C3
                Interior[i] >= 0, DiagnosticId.BadAttribute, $"interior padding {Interior[i]} of dimension {i} is negative");
            dims[i] = Low[i] + x.Shape[i] + (Dim.Max(x.Shape[i] - 1, 0) * Interior[i]) + High[i]; // C4
            site.Require(
                site.CanBeAtMost(0, dims[i]), DiagnosticId.OutOfBounds,
                $"low {Low[i]} and high {High[i]} cut more off dimension {i} of {x} than there is");
        }
        return new TensorType(x.DType, Shape.From(dims));
    }

    /// <inheritdoc/>
    protected override Literal Evaluate(IReadOnlyList<Literal> operands, TensorType result)
    {
        Literal x = operands[0];
        var source = new long[result.Rank];
        return Literal.Generate(result, at =>
        {
            for (int i = 0; i < source.Length; i++)
            {
                long position = at[i] - Low[i].Value;
                long step = Interior[i] + 1;
                source[i] = position / step;
                if (position < 0 || position % step != 0 || source[i] >= x.Shape[i].Value)
                {
                    return operands[1][0];
                }
            }
            return x[source];
        });
    }

    /// <inheritdoc/>
    public override ScalarExpr Element(ElementBuilder e, IndexVector at, int result)
    {
        Shape extents = e.OperandType(0).Shape;
        ScalarExpr isElement = e.True;
        var source = new ScalarExpr[extents.Rank];
        for (int i = 0; i < source.Length; i++)
        {
            ScalarExpr position = e.Subtract(at[i], e.Index(Low[i]));
            ScalarExpr step = e.Index(Interior[i] + 1);
            source[i] = e.Divide(position, step);
            isElement = e.And(isElement, e.LessOrEqual(e.Index(0), position));
            isElement = e.And(isElement, e.Equal(e.Remainder(position, step), e.Index(0)));
            isElement = e.And(isElement, e.Less(source[i], e.Index(extents[i])));
        }
        return e.Guard(isElement, e.Operand(0, IndexVector.From(source)), e.Operand(1));
    }

    /// <inheritdoc/>
    public override GradientRule Gradient => GradientRule.Defined;

    /// <inheritdoc/>
    protected override Node?[] Vjp(GraphBuilder b, Node self, Node cotangent)
    {
        Node x = self.Operands[0];
        Node zero = b.Constant(cotangent.DType, 0);
        ValueList<Dim> low = Low.Select(d => 0 - d).ToValueList();
        ValueList<Dim> high = High.Select(d => 0 - d).ToValueList();
        Node uncovered = b.Pad(cotangent, zero, low, high);
        Node elements = b.Slice(
            uncovered, ValueList.Repeat<Dim>(0, x.Rank), [.. uncovered.Shape], Interior.Select(n => n + 1).ToValueList());
        Node isPadding = b.Pad(b.Splat(DType.Bool, x.Shape, 0), b.Constant(DType.Bool, 1), Low, High, Interior);
        return [b.WithShapeOf(elements, x.Type), b.Total(b.Masked(isPadding, cotangent))];
    }

    /// <inheritdoc/>
    protected override Node? Jvp(GraphBuilder b, Node self, ImmutableArray<Node?> tangents) =>
        b.Add(this, tangents[0] ?? b.Like(self.Operands[0], 0), tangents[1] ?? b.Like(self.Operands[1], 0));

    /// <inheritdoc/>
    public override Node[]? Vectorize(VectorizeSite site)
    {
        GraphBuilder b = site.Builder;
        Node x = site.Mapped(0);
        ValueList<Dim> low = [0, .. Low];
        ValueList<Dim> high = [0, .. High];
        ValueList<long> interior = [0, .. Interior];
        if (!site.IsMapped(1))
        {
            return [b.Pad(x, site.Operand(1), low, high, interior)];
        }
        Node padded = b.Pad(x, b.Constant(Scalar.Zero(x.DType)), low, high, interior);
        Node isPadding = b.Pad(b.Splat(DType.Bool, x.Shape, 0), b.Constant(DType.Bool, 1), low, high, interior);
        return [b.Select(isPadding, b.BroadcastInDim(site.Operand(1), padded.Shape, [0]), padded)];
    }
}

/// <summary>Builds padding.</summary>
public static class PadBuilder
{
    /// <summary>Puts <paramref name="value"/> around (and, with interior amounts, between) the elements of <paramref name="x"/>.</summary>
    public static Node Pad(
        this GraphBuilder b, Node x, Node value, ValueList<Dim> low, ValueList<Dim> high, ValueList<long>? interior = null)
    {
        interior ??= ValueList.Repeat(0L, low.Count);
        bool changesNothing = low.All(d => d == 0) && high.All(d => d == 0) && interior.All(n => n == 0);
        return changesNothing && low.Count == x.Rank ? x : b.Add(new PadOp(low, high, interior), x, value);
    }
}
