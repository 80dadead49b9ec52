namespace Graphene;

/// <summary>A gradient that is zero but for some rows: the numbers of the rows, and what stands in them.</summary>
/// <remarks>A row may occur several times; then its parts add up. An embedding has such gradients.</remarks>
public sealed class IndexedSlices
{
    internal IndexedSlices(Graph graph, Tensor indices, Tensor values, TensorType type)
    {
        Graph = graph;
        Indices = indices;
        Values = values;
        Type = type;
    }

    /// <summary>The graph it belongs to.</summary>
    public Graph Graph { get; }

    /// <summary>The numbers of the rows: [n], integers within the rows.</summary>
    public Tensor Indices { get; }

    /// <summary>The rows: [n, shape of a row..].</summary>
    public Tensor Values { get; }

    /// <summary>The type of the whole gradient.</summary>
    public TensorType Type { get; }

    /// <summary>The whole gradient.</summary>
    public Tensor ToDense() => Graph.Wrap(AddTo(Graph.Enter(default), Graph.Current.Builder.Zeros(Type)));

    /// <summary>The same rows with other values, for example scaled ones.</summary>
    public IndexedSlices WithValues(Tensor values) => new(Graph, Indices, values, Type);

    /// <summary>
    /// The same gradient with every row named once, for optimizers that are not linear in it. As many rows as before: places that
    /// become free name a row behind the last one and hold zeros. Scatters skip them, gathers take the last row for them.
    /// </summary>
    public IndexedSlices Combined()
    {
        GraphBuilder b = Graph.Enter(default);
        Node indices = Graph.Current.Import(Indices);
        Node values = Graph.Current.Import(Values);

        // Equal numbers stand together once sorted; each run of them gets the number of its place among the runs.
        (Node sorted, Node positions) = b.SortWithPositions(indices, 0);
        Node previous = b.Pad(sorted, b.Constant(DType.I64, -1), [1], [-1]);
        Node isNew = b.Convert(b.NotEqual(sorted, previous), DType.I64);
        Node run = b.Subtract(b.CumSum(isNew, 0), b.Like(isNew, 1));
        var places = new ScatterDimensions([], [0], [], [], [0], 1);
        Node free = b.BroadcastTo(b.DimValue(Type.Shape[0]), sorted.Shape);
        Node numbers = b.Scatter(free, run, sorted, places, ReductionBody.Of(ElementwiseTable.Minimum, DType.I64));
        var rows = new ScatterDimensions(Axes.Range(1, values.Rank - 1), [0], [], [], [0], 1);
        Node sums = b.Scatter(
            b.Like(values, 0), run, b.Take(values, positions, 0), rows, ReductionBody.Of(ElementwiseTable.Add, values.DType));
        return new IndexedSlices(Graph, Graph.Wrap(numbers), Graph.Wrap(sums), Type);
    }

    /// <summary>The rows added to a tensor.</summary>
    internal Node AddTo(GraphBuilder b, Node x)
    {
        Axes rest = Axes.Range(1, x.Rank - 1);
        var dimensions = new ScatterDimensions(rest, [0], [], [], [0], 1);
        Computation add = ReductionBody.Of(ElementwiseTable.Add, x.DType);
        return b.Scatter(x, Graph.Current.Import(Indices), Graph.Current.Import(Values), dimensions, add);
    }

    /// <summary>The rows of a gradient that consists of sums into rows of zeros; null for any other.</summary>
    internal static (Node Indices, Node Values)? Find(GraphBuilder b, Node gradient)
    {
        var indices = new List<Node>();
        var values = new List<Node>();
        Node at = gradient;
        while (at is { Op: ScatterOp scatter, Types.Length: 1 } && AddsRows(scatter, at))
        {
            Node rows = at.Operands[1];
            Dim count = rows.Shape.ElementCount;
            indices.Add(b.Convert(b.Reshape(rows, [count]), DType.I64));
            values.Add(b.Reshape(at.Operands[2], [count, .. at.Shape.Skip(1)]));
            at = at.Operands[0];
        }
        return indices.Count > 0 && Cotangents.IsZero(at) ? (b.Concatenate(indices, 0), b.Concatenate(values, 0)) : null;
    }

    private static bool AddsRows(ScatterOp scatter, Node node)
    {
        ScatterDimensions d = scatter.Dimensions;
        int places = node.Operands[1].Rank;
        return ReductionBody.FunctionOf(scatter.Body) == ElementwiseTable.Add && d.IndexVectorDim == places &&
            d.InsertedWindowDims.SequenceEqual([0]) && d.ScatterDimsToOperandDims.SequenceEqual([0]) &&
            d.InputBatchingDims.Count == 0 && d.UpdateWindowDims.SequenceEqual(Enumerable.Range(places, node.Rank - 1));
    }
}
