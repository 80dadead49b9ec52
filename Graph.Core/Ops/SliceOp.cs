using System.Collections.Immutable;

namespace Graphene;

/// <summary>Takes the elements of a range of each dimension, all of them or every second, third and so on.</summary>
/// <remarks>
/// Result dimension i is <c>ceil((Limits[i] - Starts[i]) / Strides[i])</c>; element j of it is operand element
/// <c>Starts[i] + j * Strides[i]</c>. Any dtype, exact. Starts and limits may be expressions over symbols.
/// Source: StableHLO specification, slice; labels are the specification's.
/// </remarks>
/// <param name="Starts">The first element of each dimension, 0 or more.</param>
/// <param name="Limits">One past the last element considered, from the start up to the dimension.</param>
/// <param name="Strides">The distance between elements taken, 1 or more.</param>
public sealed record SliceOp(ValueList<Dim> Starts, ValueList<Dim> Limits, ValueList<long> Strides) : Op("slice")
{
    /// <summary>Reads the attributes that <see cref="Write"/> writes.</summary>
    public static Op Parse(AttributeReader a) => new SliceOp(a.Dims("starts"), a.Dims("limits"), a.Longs("strides"));

    /// <inheritdoc/>
    public override bool MovesDataOnly => true;

    /// <inheritdoc/>
    public override bool HasElementForm => true;

    /// <inheritdoc/>
    public override Op SubstituteDims(IReadOnlyDictionary<DimSymbol, Dim> values) =>
        this with { Starts = Starts.Substitute(values), Limits = Limits.Substitute(values) };

    /// <inheritdoc/>
    public override void Write(AttributeWriter w)
    {
        w.Add("starts", Starts);
        w.Add("limits", Limits);
        w.Add("strides", Strides);
    }

    /// <inheritdoc/>
    protected override TensorType InferType(OpSite site)
    {
        site.RequireOperands(1);
        TensorType x = site.Operand(0);
        site.Require( // C2
            Starts.Count == x.Rank && Limits.Count == x.Rank && Strides.Count == x.Rank, DiagnosticId.RankMismatch,
            $"{Starts.Count} starts, {Limits.Count} limits and {Strides.Count} strides are given for {x}",
            fix: $"give {x.Rank} of each");
        for (int i = 0; i < x.Rank; i++)
        {
            site.Require( // C3
                site.CanBeAtMost(0, Starts[i]) && site.CanBeAtMost(Starts[i], Limits[i]) &&
                site.CanBeAtMost(Limits[i], x.Shape[i]),
                DiagnosticId.OutOfBounds, $"the range {Starts[i]}..{Limits[i]} is not inside dimension {i} of {x}",
                why: "0 <= start <= limit <= size of the dimension");
            site.Require( // C4
                Strides[i] > 0, DiagnosticId.BadAttribute, $"stride {Strides[i]} of dimension {i} is not positive",
                fix: "reverse the dimension first to walk backwards");
        }
        return new TensorType(x.DType, Shape.From(Enumerable.Range(0, x.Rank).Select( // C5
            i => Dim.CeilDiv(Limits[i] - Starts[i], Strides[i]))));
    }

    /// <inheritdoc/>
    protected override Literal Evaluate(IReadOnlyList<Literal> operands, TensorType result)
    {
        var source = new long[result.Rank];
        return Literal.Generate(result, at =>
        {
            for (int i = 0; i < source.Length; i++)
            {
                source[i] = Starts[i].Value + (at[i] * Strides[i]);
            }
            return operands[0][source];
        });
    }

    /// <inheritdoc/>
    public override ScalarExpr Element(ElementBuilder e, IndexVector at, int result) => e.Operand(0, IndexVector.From(
        at.Select((index, i) => e.Add(e.Multiply(index, e.Index(Strides[i])), e.Index(Starts[i])))));

    /// <inheritdoc/>
    public override GradientRule Gradient => GradientRule.Defined;

    /// <inheritdoc/>
    protected override Node?[] Vjp(GraphBuilder b, Node self, Node cotangent)
    {
        Shape from = self.Operands[0].Shape;
        ValueList<Dim> high = Strides.Select((stride, i) =>
        {
            Dim taken = self.Shape[i]; // reaches over this many elements, holes included
            Dim reach = taken + (Dim.Max(taken - 1, 0) * (stride - 1));
            return from[i] - Starts[i] - reach;
        }).ToValueList();
        return [b.Pad(cotangent, b.Constant(cotangent.DType, 0), Starts, high, Strides.Select(s => s - 1).ToValueList())];
    }

    /// <inheritdoc/>
    protected override Node? Jvp(GraphBuilder b, Node self, ImmutableArray<Node?> tangents) =>
        b.ThroughLinear(self, tangents[0]);

    /// <inheritdoc/>
    public override Node[]? Vectorize(VectorizeSite site) =>
        [site.Builder.Slice(site.Operand(0), [0, .. Starts], [site.Size, .. Limits], [1, .. Strides])];
}

/// <summary>Builds slices.</summary>
public static class SliceBuilder
{
    /// <summary>Elements start, start + stride, ... below the limit of each dimension; strides are 1 by default.</summary>
    public static Node Slice(
        this GraphBuilder b, Node x, ValueList<Dim> starts, ValueList<Dim> limits, ValueList<long>? strides = null)
    {
        strides ??= ValueList.Repeat(1L, starts.Count);
        bool isWhole = starts.All(d => d == 0) && strides.All(s => s == 1) && limits.SequenceEqual(x.Shape);
        return isWhole && limits.Count == x.Rank ? x : b.Add(new SliceOp(starts, limits, strides), x);
    }

    /// <summary>Elements start to limit - 1 of one dimension.</summary>
    public static Node SliceDimension(this GraphBuilder b, Node x, int dimension, Dim start, Dim limit, long stride = 1)
    {
        Dim[] starts = new Dim[x.Rank];
        Dim[] limits = [.. x.Shape];
        var strides = new long[x.Rank];
        Array.Fill(strides, 1);
        starts[dimension] = start;
        limits[dimension] = limit;
        strides[dimension] = stride;
        return b.Slice(x, [.. starts], [.. limits], [.. strides]);
    }
}
