using System.Collections.Immutable;

namespace Graphene;

/// <summary>Sorts along a dimension, several tensors together, by a comparator.</summary>
/// <remarks>
/// Operands and results: n tensors of one shape. The comparator takes 2n scalars (left and right of operand 0, left and right of
/// operand 1, ...) and returns true when left must stand before right. Always stable: equal elements keep their order. A
/// comparator that is no strict weak order gives some permutation, never an error. Source: StableHLO specification, sort.
/// </remarks>
/// <param name="Dimension">The dimension that is sorted.</param>
/// <param name="Comparator">True when its left arguments must stand before its right ones.</param>
public sealed record SortOp(int Dimension, Computation Comparator) : Op("sort")
{
    /// <summary>Reads the attributes that <see cref="Write"/> writes.</summary>
    public static Op Parse(AttributeReader a) => new SortOp(a.Int("dimension"), a.Computation("comparator"));

    /// <inheritdoc/>
    public override bool IsExpensive => true;

    /// <inheritdoc/>
    public override ImmutableArray<Computation> Computations => [Comparator];

    /// <inheritdoc/>
    public override Op WithComputations(ImmutableArray<Computation> computations) =>
        this with { Comparator = computations[0] };

    /// <inheritdoc/>
    public override void Write(AttributeWriter w)
    {
        w.Add("dimension", Dimension);
        w.Add("comparator", Comparator);
    }

    /// <inheritdoc/>
    public override ImmutableArray<TensorType> InferTypes(OpSite site)
    {
        site.Require(site.OperandCount > 0, DiagnosticId.OperandCount, $"takes at least one operand"); // C1
        for (int i = 1; i < site.OperandCount; i++)
        {
            site.RequireSameShape(0, i); // C3
        }
        int rank = site.Operand(0).Rank;
        site.Require( // C4
            Dimension >= 0 && Dimension < rank, DiagnosticId.BadAxis,
            $"dimension {Dimension} is not one of {site.Operand(0)}");
        IEnumerable<TensorType> pairs = site.OperandTypes.SelectMany(
            t => new[] { TensorType.Scalar(t.DType), TensorType.Scalar(t.DType) });
        site.Require( // C5
            Comparator.ParameterTypes.SequenceEqual(pairs) &&
            Comparator.ResultTypes.SequenceEqual([TensorType.Scalar(DType.Bool)]),
            DiagnosticId.BadBody, $"the comparator is {Comparator}",
            why: "it must take two scalars of each operand, left and right, and return a bool");
        return [.. site.OperandTypes.Select(t => t with { Layout = null })]; // C2
    }

    /// <inheritdoc/>
    public override Literal[] EvaluateAll(IReadOnlyList<Literal> operands, ImmutableArray<TensorType> results)
    {
        long[] extents = results[0].Shape.ToStatic();
        long length = extents[Dimension];
        long stride = results[0].Strides()[Dimension].Value;
        LiteralWriter[] writers = [.. results.Select(r => new LiteralWriter(r))];
        long[] lines = [.. extents];
        lines[Dimension] = Math.Min(1, length);
        foreach (long[] at in IndexSpace.Of(lines))
        {
            long first = at.Zip(extents).Aggregate(0L, (sum, p) => (sum * p.Second) + p.First);
            long[] order = [.. Enumerable.Range(0, (int)length).Select(i => first + (i * stride))];
            MergeSort(order, new long[order.Length], 0, order.Length, (left, right) => Evaluator.ApplyScalars(
                Comparator, [.. operands.SelectMany(o => new[] { o[left], o[right] })])[0].AsBool);
            for (int i = 0; i < order.Length; i++)
            {
                for (int o = 0; o < writers.Length; o++)
                {
                    writers[o][first + (i * stride)] = operands[o][order[i]];
                }
            }
        }
        return [.. writers.Select(w => w.ToLiteral())];
    }

    // Halving keeps the depth at 31 at most.
    private static void MergeSort(long[] items, long[] scratch, int begin, int end, Func<long, long, bool> before)
    {
        if (end - begin < 2)
        {
            return;
        }
        int middle = begin + ((end - begin) / 2);
        MergeSort(items, scratch, begin, middle, before);
        MergeSort(items, scratch, middle, end, before);
        int left = begin;
        int right = middle;
        for (int i = begin; i < end; i++)
        {
            bool takeRight = left == middle || (right < end && before(items[right], items[left]));
            scratch[i] = takeRight ? items[right++] : items[left++];
        }
        Array.Copy(scratch, begin, items, begin, end - begin);
    }

    /// <inheritdoc/>
    public override GradientRule Gradient => GradientRule.DefinedBut("elements keep their derivatives when they move; order has none");

    /// <inheritdoc/>
    public override Node?[] VjpAll(VjpSite site)
    {
        GraphBuilder b = site.Builder;
        Node positions = Positions(b, site.Node);
        return [.. site.Cotangents.Select(d => d is null ? null : PutAlong(b, d, positions))];
    }

    /// <inheritdoc/>
    public override Node?[] JvpAll(JvpSite site)
    {
        GraphBuilder b = site.Builder;
        Node positions = Positions(b, site.Node);
        return [.. site.Tangents.Select(t => t is null ? null : TakeAlong(b, t, positions))];
    }

    // Where each element of the results stood before: the same sort with positions beside the operands.
    private Node Positions(GraphBuilder b, Node self)
    {
        Node[] sorted = [.. self.Operands, b.Iota(new TensorType(DType.I64, self.Operands[0].Shape), Dimension)];
        var wider = new GraphBuilder(b.Provenance);
        Node[] parameters = [.. sorted.SelectMany(s => new[] { s, s }).Select(
            (s, i) => wider.Parameter(i, TensorType.Scalar(s.DType)))];
        Computation comparator = wider.Build(
            Comparator.Name, ComputationCloner.Inline(Comparator, wider, parameters[..^2]).Results);
        return b.Sort(sorted, Dimension, comparator)[^1];
    }

    private Node TakeAlong(GraphBuilder b, Node x, Node positions)
    {
        Axes others = Axes.From(Enumerable.Range(0, x.Rank).Where(axis => axis != Dimension));
        var dimensions = new GatherDimensions([], [Dimension], others, others, [Dimension], x.Rank);
        return b.Gather(x, positions, dimensions, ValueList.Repeat<Dim>(1, x.Rank));
    }

    private Node PutAlong(GraphBuilder b, Node x, Node positions)
    {
        Axes others = Axes.From(Enumerable.Range(0, x.Rank).Where(axis => axis != Dimension));
        var dimensions = new ScatterDimensions([], [Dimension], others, others, [Dimension], x.Rank);
        Computation add = ReductionBody.Of(ElementwiseTable.Add, x.DType);
        return b.Scatter(b.Like(x, 0), positions, x, dimensions, add, uniqueIndices: true);
    }

    /// <inheritdoc/>
    public override Node[]? Vectorize(VectorizeSite site) => site.Builder.Sort(site.AllMapped(), Dimension + 1, Comparator);
}

/// <summary>Builds sorts.</summary>
public static class SortBuilder
{
    /// <summary>Sorts tensors of one shape together along a dimension; see <see cref="SortOp"/>.</summary>
    /// <returns>The sorted tensors.</returns>
    public static Node[] Sort(this GraphBuilder b, IReadOnlyList<Node> operands, int dimension, Computation comparator) =>
        b.Results(b.Add(new SortOp(dimension, comparator), [.. operands]));
}
