namespace Graphene.Codegen;

/// <summary>
/// A dot or convolution as matrix products C[row, column] = sum over k of A[row, k] * B[k, column], batched, as a GPU's schedules see
/// it: operands may be any expressions, and rows, columns and k are numbered through.
/// </summary>
internal sealed class GpuProduct
{
    /// <summary>Prepares a product.</summary>
    /// <param name="fusion">The fusion that it and its epilogue are taken from.</param>
    /// <param name="space">Its counters.</param>
    /// <param name="accumulation">The type that sums are kept in.</param>
    /// <param name="result">The type that they are rounded to.</param>
    public GpuProduct(HeroFusion fusion, ProductSpace space, DType accumulation, DType result)
    {
        Fusion = fusion;
        Accumulation = accumulation;
        Result = result;
        Grouped = space.Grouped;
        ExprFactory f = fusion.Source.Factory;
        ScalarExpr left = fusion.Source.Element(fusion.Hero.Operands[0], space.Lhs);
        Left = new ProductOperand(
            fusion, space.LhsInside is null ? left : f.Guard(space.LhsInside, left, f.Constant(Scalar.Zero(left.DType))));
        Right = new ProductOperand(fusion, fusion.Source.Element(fusion.Hero.Operands[1], space.Rhs));
        var merging = new LoopMerging(
            Analysis, [Left.Element, Right.Element, .. fusion.Roots.Select(r => r.Element)], fusion.Roots.Select(r => r.Store));
        Batch = new ProductAxis(merging.Merge(space.Batch));
        Rows = new ProductAxis(merging.Merge(space.Rows));
        Columns = new ProductAxis(merging.Merge(space.Columns));
        Depth = new ProductAxis(merging.Merge(space.Depth));
    }

    /// <summary>The fusion.</summary>
    public HeroFusion Fusion { get; }

    /// <summary>Facts about its expressions.</summary>
    public ExprAnalysis Analysis { get; } = new();

    /// <summary>The type that sums are kept in.</summary>
    public DType Accumulation { get; }

    /// <summary>The type that they are rounded to.</summary>
    public DType Result { get; }

    /// <summary>A.</summary>
    public ProductOperand Left { get; }

    /// <summary>B.</summary>
    public ProductOperand Right { get; }

    /// <summary>The numbers of the products.</summary>
    public ProductAxis Batch { get; }

    /// <summary>The rows of A and of the results.</summary>
    public ProductAxis Rows { get; }

    /// <summary>The columns of B and of the results.</summary>
    public ProductAxis Columns { get; }

    /// <summary>The terms of the sums, in order.</summary>
    public ProductAxis Depth { get; }

    /// <summary>See <see cref="ProductSpace.Grouped"/>.</summary>
    public (IndexVariable Group, IndexVariable Feature)? Grouped { get; }

    /// <summary>The work and the memory traffic at the least.</summary>
    public KernelCost Cost => new(
        Fusion.Hero.Shape.ElementCount * Depth.Count * 2,
        Fusion.Source.Body.Parameters.Select(p => p.Type).Concat(Fusion.Source.Body.Results.Select(r => r.Type))
            .Aggregate((Dim)0, (sum, t) => sum + t.SizeInBytes));
}

/// <summary>One operand of a product.</summary>
internal sealed class ProductOperand
{
    /// <summary>Looks at an operand.</summary>
    public ProductOperand(HeroFusion fusion, ScalarExpr element)
    {
        Element = element;
        (ScalarExpr value, Inside) = element is GuardExpr { Otherwise: ConstantExpr { Value: var outside } } guard && IsZero(outside)
            ? (guard.Value, guard.Condition)
            : (element, null);
        if (value is LoadExpr load && AffineIndex.Of(load) is var index &&
            ExprAnalysis.All(index.Opaque.Select(t => t.Term)).All(IsArithmetic))
        {
            Buffer = fusion.Source.Source(load.Source);
            Index = index;
        }
    }

    /// <summary>An element in terms of the counters.</summary>
    public ScalarExpr Element { get; }

    /// <summary>Where an element lies, when it is read where it lies; null when it is computed.</summary>
    public AffineIndex? Index { get; }

    /// <summary>Whether the place is a sum of what a row or column and what k adds; else both are needed to compute it.</summary>
    public bool IsLinear => Index is { Opaque.Count: 0 };

    /// <summary>Where there is an element; elsewhere stands 0. Null for everywhere.</summary>
    public ScalarExpr? Inside { get; }

    /// <summary>The memory behind <see cref="Index"/>.</summary>
    public KBuffer? Buffer { get; }

    /// <summary>A power of two, at most <paramref name="most"/>, that divides a dim whatever the values of its symbols.</summary>
    public static int Alignment(Dim dim, int most) => new KIndexMultiples().AlignmentOf(KBuilder.Value(dim), most);

    /// <summary>
    /// How many elements, a power of two, can be read at once along the fastest counter of a space; 1
    /// where they are apart.
    /// </summary>
    /// <param name="along">The space.</param>
    /// <param name="others">The other spaces that the place depends on.</param>
    /// <param name="most">The most that are of use.</param>
    /// <param name="analysis">Facts about expressions.</param>
    public int Width(ProductAxis along, IEnumerable<ProductAxis> others, int most, ExprAnalysis analysis)
    {
        if (Index is null || along.Fastest is not { } fastest || Index[fastest.Last] != 1 ||
            (Inside is not null && analysis.DependsOn(Inside, [fastest.Last])) ||
            Index.Opaque.Any(t => analysis.DependsOn(t.Term, [fastest.Last])))
        {
            return 1;
        }
        IEnumerable<Dim> distances = along.Groups.SkipLast(1).Concat(others.SelectMany(o => o.Groups)).Select(g => Index[g.Last]);
        return distances.Concat(Index.Opaque.Select(t => t.Factor)).Append(fastest.Extent).Append(Index.Constant)
            .Aggregate(most, (width, dim) => Alignment(dim, width));
    }

    // What may be computed for elements that do not exist: it reads nothing.
    private static bool IsArithmetic(ScalarExpr e) =>
        e is ConstantExpr or DimExpr or IndexVariable or CallExpr or SelectExpr or ConvertExpr;

    // Not -0, which is no zero of a sum's beginning.
    private static bool IsZero(Scalar value) => value == Scalar.Zero(value.DType);
}
