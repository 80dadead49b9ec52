namespace Graphene;

/// <summary>How a tensor lies in memory: its dimensions from the fastest varying to the slowest.</summary>
/// <param name="MinorToMajor">A permutation of the axes; row-major is rank-1, ..., 0.</param>
public sealed record Layout(Axes MinorToMajor)
{
    /// <summary>The row-major order of a rank.</summary>
    public static Layout RowMajor(int rank) => new(Axes.From(Enumerable.Range(0, rank).Reverse()));

    /// <summary>As in IR text: <c>{1,0}</c>.</summary>
    public override string ToString() => $"{{{string.Join(",", MinorToMajor)}}}";
}

/// <summary>The type of a value in the IR: element type, logical shape and, once assigned, a physical layout.</summary>
/// <param name="DType">The element type.</param>
/// <param name="Shape">The logical shape.</param>
/// <param name="Layout">The physical order; null means row-major.</param>
public sealed record TensorType(DType DType, Shape Shape, Layout? Layout = null)
{
    /// <summary>The number of dimensions.</summary>
    public int Rank => Shape.Rank;

    /// <summary>The layout, row-major when none was assigned.</summary>
    public Layout PhysicalLayout => Layout ?? Layout.RowMajor(Rank);

    /// <summary>True when no layout was assigned or the assigned one is row-major.</summary>
    public bool IsRowMajor => Layout is null || Layout == Layout.RowMajor(Rank);

    /// <summary>Bytes that the tensor occupies.</summary>
    public Dim SizeInBytes => Shape.ElementCount * DType.SizeInBytes();

    /// <summary>A scalar type.</summary>
    public static TensorType Scalar(DType type) => new(type, Shape.Scalar);

    /// <summary>Element strides of each logical axis in the physical layout.</summary>
    public Dim[] Strides()
    {
        var strides = new Dim[Rank];
        Dim stride = 1;
        foreach (int axis in PhysicalLayout.MinorToMajor)
        {
            strides[axis] = stride;
            stride *= Shape[axis];
        }
        return strides;
    }

    /// <summary>Replaces symbols by their values.</summary>
    public TensorType Substitute(IReadOnlyDictionary<DimSymbol, Dim> values) => this with { Shape = Shape.Substitute(values) };

    /// <summary>As in IR text: <c>f32[batch,8]</c>, with <c>{0,1}</c> behind it when a layout other than row-major is assigned.</summary>
    public override string ToString() => $"{DType.Name()}{Shape}{(IsRowMajor ? "" : Layout!.ToString())}";
}
