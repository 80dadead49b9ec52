using System.Collections.Immutable;

namespace Graphene;

/// <summary>Which dimensions of a scatter's operands mean what; the names are StableHLO's.</summary>
/// <param name="UpdateWindowDims">Dimensions of the updates that move inside a window, ascending.</param>
/// <param name="InsertedWindowDims">Dimensions of the inputs that windows have no dimension for (size 1 in the window), ascending.</param>
/// <param name="InputBatchingDims">Dimensions of the inputs that are paired with dimensions of the indices, ascending.</param>
/// <param name="ScatterIndicesBatchingDims">The dimensions of the indices they are paired with.</param>
/// <param name="ScatterDimsToOperandDims">The input dimension that each entry of an index vector counts along.</param>
/// <param name="IndexVectorDim">The dimension of the indices that holds an index vector; their rank when each index is a scalar.</param>
public sealed record ScatterDimensions(
    Axes UpdateWindowDims,
    Axes InsertedWindowDims,
    Axes InputBatchingDims,
    Axes ScatterIndicesBatchingDims,
    Axes ScatterDimsToOperandDims,
    int IndexVectorDim);

/// <summary>Combines updates into copies of the inputs at places that are given as a tensor of indices.</summary>
/// <remarks>
/// Operands: n inputs of one shape, the indices (any integer type), n updates of one shape. Results: the inputs' types. Updates
/// are applied one after another in row-major order of the updates' elements, so that the result is determined even when places
/// repeat; what falls outside the inputs is skipped, element by element. The body takes the n present elements and the n updates
/// and returns the n new elements. Source: StableHLO specification, scatter; labels are the specification's.
/// </remarks>
/// <param name="Dimensions">Which dimension means what.</param>
/// <param name="UniqueIndices">A promise that no place is written twice, which lets back ends work in parallel.</param>
/// <param name="Body">Combines present elements with updates.</param>
public sealed partial record ScatterOp(ScatterDimensions Dimensions, bool UniqueIndices, Computation Body) : Op("scatter")
{
    /// <summary>Reads the attributes that <see cref="Write"/> writes.</summary>
    public static Op Parse(AttributeReader a) => new ScatterOp(
        new ScatterDimensions(
            a.Axes("update_window_dims"), a.Axes("inserted_window_dims"), a.Axes("input_batching_dims"),
            a.Axes("scatter_indices_batching_dims"), a.Axes("scatter_dims_to_operand_dims"), a.Int("index_vector_dim")),
        a.Bool("unique_indices"),
        a.Computation("body"));

    /// <inheritdoc/>
    public override bool IsExpensive => true;

    /// <inheritdoc/>
    public override ImmutableArray<Computation> Computations => [Body];

    /// <inheritdoc/>
    public override Op WithComputations(ImmutableArray<Computation> computations) => this with { Body = computations[0] };

    /// <inheritdoc/>
    public override void Write(AttributeWriter w)
    {
        w.Add("update_window_dims", Dimensions.UpdateWindowDims);
        w.Add("inserted_window_dims", Dimensions.InsertedWindowDims);
        w.Add("input_batching_dims", Dimensions.InputBatchingDims);
        w.Add("scatter_indices_batching_dims", Dimensions.ScatterIndicesBatchingDims);
        w.Add("scatter_dims_to_operand_dims", Dimensions.ScatterDimsToOperandDims);
        w.Add("index_vector_dim", Dimensions.IndexVectorDim);
        w.Add("unique_indices", UniqueIndices);
        w.Add("body", Body);
    }

    /// <inheritdoc/>
    public override ImmutableArray<TensorType> InferTypes(OpSite site)
    {
        int n = site.OperandCount / 2;
        site.Require(
            n > 0 && site.OperandCount == (2 * n) + 1, DiagnosticId.OperandCount,
            $"takes n inputs, the indices and n updates, not {site.OperandCount} operands");
        for (int i = 0; i < n; i++)
        {
            site.RequireSameShape(0, i); // C1
            site.RequireSameShape(n + 1, n + 1 + i); // C3
            site.RequireSameDType(i, n + 1 + i); // C6
        }
        TensorType input = site.Operand(0);
        TensorType indices = site.RequireDType(n, DTypeSet.Integer);
        RequireDimensions(site, input, indices, site.Operand(n + 1));
        site.RequireReductionBody(Body, [.. Enumerable.Range(0, n).Select(i => site.Operand(i).DType)]); // C23
        return [.. Enumerable.Range(0, n).Select(i => site.Operand(i) with { Layout = null })]; // C24
    }

    /// <summary>The dimensions of the inputs that a window spans, ascending.</summary>
    /// <param name="inputRank">The rank of the inputs.</param>
    public Axes WindowDims(int inputRank) =>
        Axes.From([.. Dimensions.InsertedWindowDims, .. Dimensions.InputBatchingDims]).Complement(inputRank);

    /// <inheritdoc/>
    public override Literal[] EvaluateAll(IReadOnlyList<Literal> operands, ImmutableArray<TensorType> results)
    {
        int n = results.Length;
        Literal indices = operands[n];
        Literal updates = operands[n + 1];
        ScatterDimensions d = Dimensions;
        Axes scatterDims = d.UpdateWindowDims.Complement(updates.Type.Rank);
        Axes windowDims = WindowDims(results[0].Rank);
        long[] extents = results[0].Shape.ToStatic();
        LiteralWriter[] writers = [.. operands.Take(n).Select(LiteralWriter.CopyOf)];
        long update = 0;
        foreach (long[] at in IndexSpace.Of(updates.Shape.ToStatic()))
        {
            var target = new long[extents.Length];
            List<long> place = [.. scatterDims.Select(axis => at[axis])];
            for (int i = 0; i < d.ScatterDimsToOperandDims.Count; i++)
            {
                target[d.ScatterDimsToOperandDims[i]] += IndexAt(indices, place, i);
            }
            for (int i = 0; i < d.InputBatchingDims.Count; i++)
            {
                int axis = d.ScatterIndicesBatchingDims[i];
                target[d.InputBatchingDims[i]] += place[axis < d.IndexVectorDim ? axis : axis - 1];
            }
            for (int i = 0; i < windowDims.Count; i++)
            {
                target[windowDims[i]] += at[d.UpdateWindowDims[i]];
            }
            if (target.Zip(extents).All(p => p.First >= 0 && p.First < p.Second))
            {
                long position = target.Zip(extents).Aggregate(0L, (sum, p) => (sum * p.Second) + p.First);
                Scalar[] combined = Evaluator.ApplyScalars(
                    Body, [.. writers.Select(w => w[position]), .. operands.Skip(n + 1).Select(u => u[update])]);
                for (int i = 0; i < n; i++)
                {
                    writers[i][position] = combined[i];
                }
            }
            update++;
        }
        return [.. writers.Select(w => w.ToLiteral())];
    }

    private long IndexAt(Literal indices, List<long> place, int entry)
    {
        long[] at = Dimensions.IndexVectorDim == indices.Type.Rank
            ? [.. place]
            : [.. place[..Dimensions.IndexVectorDim], entry, .. place[Dimensions.IndexVectorDim..]];
        Int128 value = indices[at].AsInteger;
        return value > long.MaxValue / 2 ? long.MaxValue / 2 : (long)value; // a huge u64 is as far outside as any other
    }

    private void RequireDimensions(OpSite site, TensorType input, TensorType indices, TensorType updates)
    {
        ScatterDimensions d = Dimensions;
        Check( // C2
            input.Rank == d.UpdateWindowDims.Count + d.InsertedWindowDims.Count + d.InputBatchingDims.Count,
            $"the input {input} has {input.Rank} dimensions, windows, inserted and batching dimensions make " +
            $"{d.UpdateWindowDims.Count + d.InsertedWindowDims.Count + d.InputBatchingDims.Count}");
        Check( // C7, C8
            d.UpdateWindowDims.AreUniqueBelow(updates.Rank) && d.UpdateWindowDims.SequenceEqual(d.UpdateWindowDims.Order()),
            $"update_window_dims {d.UpdateWindowDims} are not ascending dimensions of {updates}");
        Check( // C9..C13
            Axes.From([.. d.InsertedWindowDims, .. d.InputBatchingDims]).AreUniqueBelow(input.Rank),
            $"inserted {d.InsertedWindowDims} and batching dimensions {d.InputBatchingDims} are not different dimensions of {input}");
        Check( // C14..C18
            d.IndexVectorDim >= 0 && d.IndexVectorDim <= indices.Rank &&
            d.InputBatchingDims.Count == d.ScatterIndicesBatchingDims.Count &&
            Axes.From([.. d.ScatterIndicesBatchingDims, .. Enumerable.Range(d.IndexVectorDim, 1)]).AreUniqueBelow(indices.Rank + 1),
            $"batching dimensions {d.ScatterIndicesBatchingDims} and index_vector_dim {d.IndexVectorDim} do not fit {indices}");
        Dim entries = d.IndexVectorDim < indices.Rank ? indices.Shape[d.IndexVectorDim] : 1;
        Check( // C19..C21
            site.CanBeEqual(entries, d.ScatterDimsToOperandDims.Count) &&
            Axes.From([.. d.ScatterDimsToOperandDims, .. d.InputBatchingDims]).AreUniqueBelow(input.Rank),
            $"index vectors have {entries} entries, scatter_dims_to_operand_dims is {d.ScatterDimsToOperandDims}");
        Shape places = indices.Shape.Without(Axes.Range(d.IndexVectorDim, d.IndexVectorDim < indices.Rank ? 1 : 0));
        Shape scattered = updates.Shape.Without(d.UpdateWindowDims);
        Check( // C4
            places.Rank == scattered.Rank && places.Zip(scattered).All(p => site.CanBeEqual(p.First, p.Second)),
            $"the indices {indices} are for updates over {places}, the updates {updates} are over {scattered}");
        Axes windowDims = WindowDims(input.Rank);
        for (int i = 0; i < windowDims.Count; i++)
        {
            Dim size = updates.Shape[d.UpdateWindowDims[i]];
            Check( // C4
                site.CanBeAtMost(size, input.Shape[windowDims[i]]),
                $"windows of {updates} have size {size} where the input {input} has {input.Shape[windowDims[i]]}");
        }

        void Check(bool condition, string what) => site.Require(condition, DiagnosticId.BadScatter, $"{what}");
    }

    /// <inheritdoc/>
    public override Node[]? Vectorize(VectorizeSite site)
    {
        ScatterDimensions d = Dimensions;
        var paired = new ScatterDimensions(
            d.UpdateWindowDims.Behind(), d.InsertedWindowDims.Behind(), d.InputBatchingDims.WithFirst(),
            d.ScatterIndicesBatchingDims.WithFirst(), d.ScatterDimsToOperandDims.Behind(), d.IndexVectorDim + 1);
        return site.Builder.Results(site.Builder.Add(this with { Dimensions = paired }, [.. site.AllMapped()]));
    }
}

/// <summary>Builds scatters.</summary>
public static class ScatterBuilder
{
    /// <summary>Combines updates into a copy of <paramref name="input"/>; see <see cref="ScatterOp"/>.</summary>
    public static Node Scatter(
        this GraphBuilder b, Node input, Node indices, Node updates, ScatterDimensions dimensions, Computation body,
        bool uniqueIndices = false) =>
        b.Add(new ScatterOp(dimensions, uniqueIndices, body), input, indices, updates);
}
