namespace Graphene;

/// <summary>How a window slides along one dimension: of a convolution, a pooling or any other <c>reduce_window</c>.</summary>
/// <remarks>
/// The operand (the base) is dilated by holes, then padded; the window is dilated, then moved in steps of the stride. Padding may
/// be negative (it cuts) and may depend on symbolic dims. Names and arithmetic are those of the StableHLO specification.
/// </remarks>
/// <param name="Size">The number of window elements.</param>
/// <param name="Stride">The step between neighbouring results.</param>
/// <param name="Low">Elements added in front; negative to remove.</param>
/// <param name="High">Elements added behind; negative to remove.</param>
/// <param name="BaseDilation">The distance of neighbouring operand elements once holes are put between them.</param>
/// <param name="Dilation">The distance of neighbouring window elements.</param>
/// <param name="Reversed">True when the window is applied back to front.</param>
public readonly record struct WindowDim(
    Dim Size,
    long Stride = 1,
    Dim Low = default,
    Dim High = default,
    long BaseDilation = 1,
    long Dilation = 1,
    bool Reversed = false)
{
    /// <summary>A window of one element that moves in steps of one: the dimension is left as it is.</summary>
    public static WindowDim Identity => new(1);

    /// <summary>True when each result element sees exactly the operand element at its own place.</summary>
    public bool IsIdentity => Size == 1 && Stride == 1 && Low == 0 && High == 0 && BaseDilation == 1;

    /// <summary>
    /// True when windows of known size lie side by side without padding: each operand element is under one of them, or behind the last.
    /// </summary>
    internal bool IsSideBySide =>
        Size.IsStatic && Stride == Size.Value && Low == 0 && High == 0 && Dilation == 1 && BaseDilation == 1 && !Reversed;

    /// <summary>The number of places that the window takes on an operand dimension of a size.</summary>
    public Dim OutputSize(Dim input)
    {
        Dim room = DilatedBase(input) + Low + High - Dilated(Size, Dilation);
        return Dim.Max(Dim.FloorDiv(room, Stride) + 1, 0);
    }

    /// <summary>The operand's size with its holes, without padding.</summary>
    public Dim DilatedBase(Dim input) => Dilated(input, BaseDilation);

    /// <summary>The operand position under a window element; false when that is padding or a hole.</summary>
    /// <param name="at">The place of the window.</param>
    /// <param name="element">The element of the window.</param>
    /// <param name="input">The operand's size.</param>
    /// <param name="position">The position in the operand.</param>
    public bool TryGetSource(long at, long element, long input, out long position)
    {
        long k = Reversed ? Size.Value - 1 - element : element;
        long dilated = (at * Stride) + (k * Dilation) - Low.Value;
        position = dilated / BaseDilation;
        return dilated >= 0 && dilated % BaseDilation == 0 && position < input;
    }

    /// <summary>As <see cref="TryGetSource"/>, in scalar expressions: the condition, and the position when it holds.</summary>
    /// <param name="f">Makes the expressions.</param>
    /// <param name="at">The place of the window.</param>
    /// <param name="element">The element of the window.</param>
    /// <param name="input">The operand's size.</param>
    public (ScalarExpr Inside, ScalarExpr Position) Source(ExprFactory f, ScalarExpr at, ScalarExpr element, Dim input)
    {
        if (IsIdentity)
        {
            return (f.True, at);
        }
        ScalarExpr k = Reversed ? f.Subtract(f.Index(Size - 1), element) : element;
        ScalarExpr dilated = f.Subtract(
            f.Add(f.Multiply(at, f.Index(Stride)), f.Multiply(k, f.Index(Dilation))), f.Index(Low));
        ScalarExpr inside = f.And(f.LessOrEqual(f.Index(0), dilated), f.Less(dilated, f.Index(DilatedBase(input))));
        if (BaseDilation == 1)
        {
            return (inside, dilated);
        }
        ScalarExpr dilation = f.Index(BaseDilation);
        return (f.And(inside, f.Equal(f.Remainder(dilated, dilation), f.Index(0))), f.Divide(dilated, dilation));
    }

    /// <summary>
    /// The window over the results under which, for each operand element, lie those that saw it: stride and base dilation change
    /// places, and the padding is what brings back the operand's size.
    /// </summary>
    /// <param name="input">The operand's size.</param>
    /// <param name="output">The number of places of this window.</param>
    public WindowDim Transposed(Dim input, Dim output)
    {
        Dim reach = Dilated(Size, Dilation);
        Dim low = reach - 1 - Low;
        Dim high = ((input - 1) * BaseDilation) + reach - Dilated(output, Stride) - low;
        return new WindowDim(Size, BaseDilation, low, high, Stride, Dilation);
    }

    private static Dim Dilated(Dim size, long dilation) => dilation == 1 ? size : Dim.Max(((size - 1) * dilation) + 1, 0);
}

/// <summary>What windows have in common, whichever op carries them.</summary>
public static class WindowDims
{
    /// <summary>Reads the attributes that <see cref="Write"/> writes.</summary>
    public static ValueList<WindowDim> Read(AttributeReader a)
    {
        ValueList<Dim> sizes = a.Dims("window_dimensions");
        ValueList<long>? strides = Longs("window_strides");
        ValueList<Dim>? low = Dims("padding_low");
        ValueList<Dim>? high = Dims("padding_high");
        ValueList<long>? baseDilations = Longs("base_dilations");
        ValueList<long>? dilations = Longs("window_dilations");
        ValueList<long>? reversal = Longs("window_reversal");
        return sizes.Select((size, i) => new WindowDim(
            size, At(strides, i, 1), At(low, i, 0), At(high, i, 0), At(baseDilations, i, 1), At(dilations, i, 1),
            At(reversal, i, 0) != 0)).ToValueList();

        ValueList<long>? Longs(string name) => a.Has(name) ? a.Longs(name) : null;

        ValueList<Dim>? Dims(string name) => a.Has(name) ? a.Dims(name) : null;

        // A list that is too short leaves zeros, which no op accepts as a stride or dilation.
        static T At<T>(ValueList<T>? list, int i, T usual)
            where T : struct, IEquatable<T> => list is null ? usual : i < list.Count ? list[i] : default;
    }

    /// <summary>Replaces symbols in sizes and padding.</summary>
    public static ValueList<WindowDim> Substitute(ValueList<WindowDim> window, IReadOnlyDictionary<DimSymbol, Dim> values) =>
        window.Select(w => w with
        {
            Size = w.Size.Substitute(values),
            Low = w.Low.Substitute(values),
            High = w.High.Substitute(values),
        }).ToValueList();

    /// <summary>Writes a window as attributes; what has its usual value is left out.</summary>
    /// <param name="w">Collects the attributes.</param>
    /// <param name="window">One entry per dimension that the window moves along.</param>
    public static void Write(AttributeWriter w, ValueList<WindowDim> window)
    {
        w.Add("window_dimensions", window.Select(d => d.Size).ToValueList());
        if (window.Any(d => d.Stride != 1))
        {
            w.Add("window_strides", window.Select(d => d.Stride).ToValueList());
        }
        if (window.Any(d => d.Low != 0 || d.High != 0))
        {
            w.Add("padding_low", window.Select(d => d.Low).ToValueList());
            w.Add("padding_high", window.Select(d => d.High).ToValueList());
        }
        if (window.Any(d => d.BaseDilation != 1))
        {
            w.Add("base_dilations", window.Select(d => d.BaseDilation).ToValueList());
        }
        if (window.Any(d => d.Dilation != 1))
        {
            w.Add("window_dilations", window.Select(d => d.Dilation).ToValueList());
        }
        if (window.Any(d => d.Reversed))
        {
            w.Add("window_reversal", window.Select(d => d.Reversed ? 1L : 0L).ToValueList());
        }
    }

    /// <summary>Throws unless a window can move along a number of dimensions.</summary>
    /// <param name="site">The op that carries the window.</param>
    /// <param name="window">The window.</param>
    /// <param name="rank">The number of dimensions.</param>
    public static void Require(OpSite site, ValueList<WindowDim> window, int rank)
    {
        site.Require(
            window.Count == rank, DiagnosticId.BadWindow,
            $"the window has {window.Count} dimensions, it must move along {rank}");
        for (int i = 0; i < rank; i++)
        {
            WindowDim d = window[i];
            site.Require(
                d.Stride > 0 && d.BaseDilation > 0 && d.Dilation > 0 && d.Size.Range.Min >= 0, DiagnosticId.BadWindow,
                $"dimension {i} of the window has size {d.Size}, stride {d.Stride}, dilations {d.BaseDilation} and {d.Dilation}",
                why: "strides and dilations are at least 1, sizes at least 0");
        }
    }

    /// <summary>The element positions under a window element, in scalar expressions.</summary>
    /// <param name="f">Makes the expressions.</param>
    /// <param name="window">The window.</param>
    /// <param name="at">The place of the window, one entry per dimension.</param>
    /// <param name="element">The element of the window, one entry per dimension.</param>
    /// <param name="input">The operand's sizes.</param>
    public static (ScalarExpr Inside, ScalarExpr[] Positions) Source(
        ExprFactory f,
        ValueList<WindowDim> window,
        IReadOnlyList<ScalarExpr> at,
        IReadOnlyList<ScalarExpr> element,
        IReadOnlyList<Dim> input)
    {
        ScalarExpr inside = f.True;
        var positions = new ScalarExpr[window.Count];
        for (int i = 0; i < positions.Length; i++)
        {
            (ScalarExpr here, positions[i]) = window[i].Source(f, at[i], element[i], input[i]);
            inside = f.And(inside, here);
        }
        return (inside, positions);
    }
}
