using Graphene.Runtime;

namespace Graphene.Codegen;

/// <summary>
/// An operand that bulk copies can bring to shared memory and warpgroups can multiply there: a matrix that
/// lies as it is.
/// </summary>
/// <remarks>
/// <code>
/// along k:   lines of 128 bytes are parts of rows (or columns) of the operand      one box of (128 bytes of k) x rows
/// across k:  lines of 128 bytes are 64 rows (or columns) of one k                  boxes of 64 x (k of a tile), one for each 64 rows
/// </code>
/// Across k only elements of two bytes can be multiplied. Numbers of the batch are further dimensions of the tensor.
/// </remarks>
internal sealed class WarpgroupOperand
{
    private readonly ProductOperand _operand;
    private readonly LoopGroup _axis;
    private readonly LoopGroup _depth;
    private readonly Dimension[] _dimensions;

    private WarpgroupOperand(ProductOperand operand, LoopGroup axis, LoopGroup depth, bool isAlongDepth, Dimension[] dimensions)
    {
        (_operand, _axis, _depth, IsAlongDepth, _dimensions) = (operand, axis, depth, isAlongDepth, dimensions);
    }

    /// <summary>Whether lines are in order of k.</summary>
    public bool IsAlongDepth { get; }

    /// <summary>The element type.</summary>
    public DType Element => _operand.Element.DType;

    /// <summary>How many elements a line has.</summary>
    private int PerLine => KSharedMatrix.LineBytes / Element.SizeInBytes();

    /// <summary>Looks at an operand.</summary>
    /// <param name="product">The product.</param>
    /// <param name="operand">One of its operands.</param>
    /// <param name="axis">The operand's rows or columns.</param>
    /// <returns>Null where memory is not as copies need it.</returns>
    public static WarpgroupOperand? Of(GpuProduct product, ProductOperand operand, ProductAxis axis)
    {
        if (product.Grouped is not null || operand is not { IsLinear: true, Inside: null, Buffer.IsReadOnly: true, Index: { } index } ||
            axis.Groups is not [var own] || product.Depth.Groups is not [var depth])
        {
            return null;
        }
        int size = operand.Element.DType.SizeInBytes();
        bool isAlongDepth = index[depth.Last] == 1;
        if (!isAlongDepth && (index[own.Last] != 1 || size != 2))
        {
            return null;
        }
        (LoopGroup fast, LoopGroup slow) = isAlongDepth ? (depth, own) : (own, depth);
        IEnumerable<Dimension> others = product.Batch.Groups.Reverse().Prepend(slow)
            .Select(g => new Dimension(g, index[g.Last])).Where(d => ReferenceEquals(d.Group, slow) || d.Stride != 0);
        Dimension[] dimensions = [new Dimension(fast, 1), .. Ordered([.. others])];
        bool isMap = dimensions.Length <= GpuTensorMap.MostDimensions && IsAligned(index.Constant, size)
            && dimensions.Skip(1).All(d => IsDistance(d.Stride) && IsAligned(d.Stride, size))
            && dimensions.Skip(1).Zip(dimensions.Skip(2)).All(d => Dim.Mod(d.Second.Stride, d.First.Stride) == 0);
        return isMap ? new WarpgroupOperand(operand, own, depth, isAlongDepth, dimensions) : null;
    }

    /// <summary>The map of which boxes for a tile are taken.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="length">Rows or columns of the tile.</param>
    /// <param name="terms">Its k.</param>
    /// <param name="rounds">Whether f32 is rounded to TF32.</param>
    public KTensorMap Map(string name, int length, int terms, bool rounds) => new(name, _operand.Buffer!)
    {
        Sizes = [.. _dimensions.Select(d => KBuilder.Value(d.Group.Extent))],
        Strides = [.. _dimensions.Skip(1).Select(d => KBuilder.Value(d.Stride))],
        Offset = KBuilder.Value(_operand.Index!.Constant),
        Box = [.. _dimensions.Select(d => ReferenceEquals(d.Group, _depth) ? terms
            : !ReferenceEquals(d.Group, _axis) ? 1
            : IsAlongDepth ? length : PerLine)],
        IsSwizzled = true,
        RoundsToTensorFloat32 = rounds,
    };

    /// <summary>Begins the copies of a tile.</summary>
    /// <param name="b">Where statements go.</param>
    /// <param name="map">What <see cref="Map"/> gave.</param>
    /// <param name="to">The ring.</param>
    /// <param name="place">Where the tile begins in it.</param>
    /// <param name="first">Its first row or column.</param>
    /// <param name="length">How many it has.</param>
    /// <param name="term">Its first k.</param>
    /// <param name="batch">The counters of the batch.</param>
    /// <param name="barriers">The barriers that count.</param>
    /// <param name="barrier">Which of them.</param>
    public void Copy(
        KBuilder b, KTensorMap map, KBuffer to, KExpr place, KExpr first, int length, KExpr term,
        IReadOnlyDictionary<LoopGroup, KExpr> batch, KPhaseBarriers barriers, KExpr barrier)
    {
        int step = IsAlongDepth ? length : PerLine;
        for (int from = 0; from < length; from += step)
        {
            KExpr[] at = [.. _dimensions.Select(d => ReferenceEquals(d.Group, _depth) ? term
                : ReferenceEquals(d.Group, _axis) ? KBuilder.Add(first, from)
                : batch[d.Group])];
            b.Add(new KBulkCopy(
                to, KBuilder.Add(place, (long)from / step * map.BoxElements), map, at.ToValueList(), barriers, barrier));
        }
    }

    /// <summary>The operand of an instruction in a tile.</summary>
    /// <param name="ring">The ring.</param>
    /// <param name="place">Where the tile begins in it.</param>
    /// <param name="from">The first row or column, a number of whole patterns: a multiple of 8, or of a line's elements across k.</param>
    /// <param name="step">Which 32 bytes of k.</param>
    /// <param name="terms">The tile's k.</param>
    public KSharedMatrix Matrix(KBuffer ring, KExpr place, KExpr from, int step, int terms)
    {
        const int Lines = 8;
        int stepElements = KWarpgroupShape.DepthBytes / Element.SizeInBytes();
        KExpr start = IsAlongDepth
            ? KBuilder.Add(KBuilder.Multiply(from, PerLine), (long)step * stepElements)
            : KBuilder.Add(KBuilder.Multiply(from, terms), (long)step * stepElements * PerLine);
        return new KSharedMatrix(
            ring, KBuilder.Add(place, start), IsAlongDepth, IsAlongDepth ? 0 : terms * KSharedMatrix.LineBytes,
            Lines * KSharedMatrix.LineBytes);
    }

    // A driver wants each stride to be a multiple of the one before. Symbolic ones stay in the order of the loops.
    private static Dimension[] Ordered(Dimension[] dimensions) =>
        Array.TrueForAll(dimensions, d => d.Stride.IsStatic) ? [.. dimensions.OrderBy(d => d.Stride.Value)] : dimensions;

    // One of symbols is 0 only where a size is, and then nothing is copied.
    private static bool IsDistance(Dim stride) => stride.IsStatic ? stride.Value > 0 : stride.Range.Min >= 0;

    private static bool IsAligned(Dim elements, int size) =>
        ProductOperand.Alignment(elements, GpuTensorMap.Granule / size) == GpuTensorMap.Granule / size;

    private sealed record Dimension(LoopGroup Group, Dim Stride);
}
