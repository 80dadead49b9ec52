namespace Graphene.Codegen;

/// <summary>
/// The dimensions of a scatter, sorted into what owners of results need: places, of which each updates one row, and columns, which are the
/// same in updates and results.
/// </summary>
/// <remarks>
/// <code>
/// updates [tokens, width] into [vocabulary, width]     places: tokens                  rows: vocabulary    columns: width
/// updates [n, 3, 3]       into [height, width]         places: n, 3, 3                 rows: height, width
/// </code>
/// A dimension of windows is a column where no index moves it and it has the size of the result; the elements of all others count as
/// places.
/// </remarks>
internal sealed class GpuScatterForm
{
    private GpuScatterForm(int[] places, int[] rows, int[] columns, int[] updateColumns) =>
        (Places, Rows, Columns, UpdateColumns) = (places, rows, columns, updateColumns);

    /// <summary>Dimensions of the updates that are places, in the order in which they are gone through.</summary>
    public int[] Places { get; }

    /// <summary>Dimensions of the results that are rows.</summary>
    public int[] Rows { get; }

    /// <summary>Dimensions of the results that are columns.</summary>
    public int[] Columns { get; }

    /// <summary>The dimensions of the updates that are these columns.</summary>
    public int[] UpdateColumns { get; }

    /// <summary>
    /// Takes a scatter apart; null where updates of one element would not be met in their order by going through the places: where
    /// windows move along a dimension that stands before one of the places.
    /// </summary>
    public static GpuScatterForm? Of(ScatterOp op, Node node)
    {
        ScatterDimensions d = op.Dimensions;
        Shape result = node.Types[0].Shape;
        Shape updates = node.Operands[node.Types.Length + 1].Shape;
        Axes windows = op.WindowDims(result.Rank);
        bool[] isColumn = [.. windows.Select((axis, i) =>
            !d.ScatterDimsToOperandDims.Contains(axis) && updates[d.UpdateWindowDims[i]] == result[axis])];
        int[] scattered = [.. d.UpdateWindowDims.Complement(updates.Rank)];
        int[] inside = [.. d.UpdateWindowDims.Where((_, i) => !isColumn[i])];
        int last = scattered.Where(axis => updates[axis] != 1).DefaultIfEmpty(-1).Max();
        bool isInOrder = d.UpdateWindowDims.Select((axis, i) => (axis, To: windows[i]))
            .All(w => w.axis > last || updates[w.axis] == 1 || !d.ScatterDimsToOperandDims.Contains(w.To));
        int[] columns = [.. windows.Where((_, i) => isColumn[i])];
        return !isInOrder ? null : new GpuScatterForm(
            [.. scattered, .. inside], [.. Enumerable.Range(0, result.Rank).Except(columns)], columns,
            [.. d.UpdateWindowDims.Where((_, i) => isColumn[i])]);
    }
}
