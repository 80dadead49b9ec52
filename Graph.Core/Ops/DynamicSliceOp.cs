using System.Collections.Immutable;

namespace Graphene;

/// <summary>Takes a box of given size at a place that is computed at run time.</summary>
/// <remarks>
/// Operands: a tensor of rank n, any dtype; n start indices, scalars of one integer type. Starts are moved to the nearest ones with
/// which the box lies inside. Exact. Source: StableHLO specification, dynamic_slice; labels are the specification's.
/// </remarks>
/// <param name="Sizes">The size of the box.</param>
public sealed record DynamicSliceOp(ValueList<Dim> Sizes) : Op("dynamic_slice")
{
    /// <summary>Reads the attributes that <see cref="Write"/> writes.</summary>
    public static Op Parse(AttributeReader a) => new DynamicSliceOp(a.Dims("slice_sizes"));

    /// <inheritdoc/>
    public override bool MovesDataOnly => true;

    /// <inheritdoc/>
    public override bool HasElementForm => true;

    /// <inheritdoc/>
    public override Op SubstituteDims(IReadOnlyDictionary<DimSymbol, Dim> values) =>
        this with { Sizes = Sizes.Substitute(values) };

    /// <inheritdoc/>
    public override void Write(AttributeWriter w) => w.Add("slice_sizes", Sizes);

    /// <inheritdoc/>
    protected override TensorType InferType(OpSite site)
    {
        site.Require(site.OperandCount > 0, DiagnosticId.OperandCount, $"takes a tensor and start indices");
        TensorType x = site.Operand(0);
        StartIndices.Require(site, 1, x); // C2, C3
        site.Require( // C2
            Sizes.Count == x.Rank, DiagnosticId.RankMismatch, $"{Sizes.Count} slice sizes are given for {x}");
        for (int i = 0; i < x.Rank; i++)
        {
            site.Require( // C4
                site.CanBeAtMost(0, Sizes[i]) && site.CanBeAtMost(Sizes[i], x.Shape[i]), DiagnosticId.OutOfBounds,
                $"a slice of size {Sizes[i]} does not fit into dimension {i} of {x}");
        }
        return new TensorType(x.DType, Shape.From(Sizes)); // C1, C5
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
                source[i] = at[i] + StartIndices.Clamp(operands[1 + i][0], x.Shape[i].Value, Sizes[i].Value);
            }
            return x[source];
        });
    }

    /// <inheritdoc/>
    public override ScalarExpr Element(ElementBuilder e, IndexVector at, int result) => e.Operand(0, IndexVector.From(
        at.Select((index, i) => e.Add(
            index, StartIndices.Clamp(e, e.Operand(1 + i), e.OperandType(0).Shape[i], Sizes[i])))));

    /// <inheritdoc/>
    public override GradientRule Gradient => GradientRule.Defined;

    /// <inheritdoc/>
    protected override Node?[] Vjp(GraphBuilder b, Node self, Node cotangent) =>
    [
        b.DynamicUpdateSlice(b.Like(self.Operands[0], 0), cotangent, [.. self.Operands.Skip(1)]),
        .. new Node?[self.Operands.Length - 1],
    ];

    /// <inheritdoc/>
    protected override Node? Jvp(GraphBuilder b, Node self, ImmutableArray<Node?> tangents) =>
        b.ThroughLinear(self, tangents[0]);

    /// <inheritdoc/>
    public override Node[]? Vectorize(VectorizeSite site)
    {
        GraphBuilder b = site.Builder;
        int rank = Sizes.Count;
        Node[] starts = [.. Enumerable.Range(1, rank).Select(site.Operand)];
        if (rank == 0)
        {
            return [site.Operand(0)];
        }
        if (!Enumerable.Range(1, rank).Any(site.IsMapped))
        {
            return [b.DynamicSlice(site.Operand(0), [b.Like(starts[0], 0), .. starts], [site.Size, .. Sizes])];
        }
        Node indices = b.Stack(site.AllMapped(first: 1), axis: 1);
        Axes all = Axes.Range(rank);
        return site.IsMapped(0)
            ? [b.Gather(site.Operand(0), indices, new GatherDimensions(all.Behind(), [], [0], [0], all.Behind(), 1), [1, .. Sizes])]
            : [b.Gather(site.Operand(0), indices, new GatherDimensions(all.Behind(), [], [], [], all, 1), Sizes)];
    }
}

/// <summary>Builds dynamic slices.</summary>
public static class DynamicSliceBuilder
{
    /// <summary>A box of <paramref name="sizes"/> that begins at run-time positions, one scalar per dimension.</summary>
    public static Node DynamicSlice(this GraphBuilder b, Node x, IReadOnlyList<Node> starts, ValueList<Dim> sizes) =>
        b.Add(new DynamicSliceOp(sizes), [x, .. starts]);
}
