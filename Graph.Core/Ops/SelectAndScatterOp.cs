using System.Collections.Immutable;

namespace Graphene;

/// <summary>
/// For each place of a window, picks one of the elements under it and combines an element of the source into its place: the
/// gradient of a maximum pooling.
/// </summary>
/// <remarks>
/// Operands: the operand, the source (one element per place of the window) and a scalar initial value, of one dtype. Result: the
/// operand's type; every element starts as the initial value. The first element under the window is picked; a later one replaces
/// it when <c>select(picked, later)</c> is false. Places are taken in row-major order; a place with nothing but padding is skipped.
/// Source: StableHLO specification, select_and_scatter; labels are the specification's.
/// </remarks>
/// <param name="Window">One entry per dimension of the operand, without dilation.</param>
/// <param name="Select">Takes two elements; true keeps the first.</param>
/// <param name="Scatter">Combines what is there with an element of the source.</param>
public sealed partial record SelectAndScatterOp(ValueList<WindowDim> Window, Computation Select, Computation Scatter)
    : Op("select_and_scatter")
{
    // Each element of a window looks at all of them.
    private const long MostComparedElements = 16;

    /// <summary>Reads the attributes that <see cref="Write"/> writes.</summary>
    public static Op Parse(AttributeReader a) =>
        new SelectAndScatterOp(WindowDims.Read(a), a.Computation("select"), a.Computation("scatter"));

    /// <inheritdoc/>
    public override bool IsExpensive => true;

    /// <summary>
    /// True for windows that do not overlap: then at most one of them gives something to an element, and any
    /// can be asked alone.
    /// </summary>
    public override bool HasElementForm =>
        Window.All(w => w.Size.IsStatic && w.Size.Value <= w.Stride && w.Low.Range.Min >= 0) &&
        Window.Aggregate(1L, (n, w) => n * w.Size.Value) <= MostComparedElements;

    /// <inheritdoc/>
    public override ImmutableArray<Computation> Computations => [Select, Scatter];

    /// <inheritdoc/>
    public override Op WithComputations(ImmutableArray<Computation> computations) =>
        this with { Select = computations[0], Scatter = computations[1] };

    /// <inheritdoc/>
    public override void Write(AttributeWriter w)
    {
        WindowDims.Write(w, Window);
        w.Add("select", Select);
        w.Add("scatter", Scatter);
    }

    /// <inheritdoc/>
    public override Op SubstituteDims(IReadOnlyDictionary<DimSymbol, Dim> values) =>
        this with { Window = WindowDims.Substitute(Window, values) };

    /// <inheritdoc/>
    protected override TensorType InferType(OpSite site)
    {
        site.RequireOperands(3);
        site.RequireSameDType(0, 1);
        site.RequireSameDType(0, 2);
        TensorType x = site.Operand(0);
        TensorType source = site.Operand(1);
        WindowDims.Require(site, Window, x.Rank); // C4..C8
        site.Require(
            site.Operand(2).Rank == 0, DiagnosticId.RankMismatch, $"the initial value is {site.Operand(2)}, not a scalar"); // C3
        site.Require(
            Window.All(w => w.BaseDilation == 1 && w.Dilation == 1 && !w.Reversed), DiagnosticId.BadWindow,
            $"the window is dilated or reversed");
        site.Require( // C1, C2
            source.Rank == x.Rank && Window.Select((w, i) => site.CanBeEqual(w.OutputSize(x.Shape[i]), source.Shape[i])).All(fits => fits),
            DiagnosticId.BadWindow, $"the source {source} does not have one element per place of the window on {x}");
        TensorType element = TensorType.Scalar(x.DType);
        site.Require( // C9
            Select.ParameterTypes.SequenceEqual([element, element]) &&
            Select.ResultTypes.SequenceEqual([TensorType.Scalar(DType.Bool)]),
            DiagnosticId.BadBody, $"select is {Select}", why: $"it must take two {element} and return a bool");
        site.RequireReductionBody(Scatter, [x.DType]); // C10
        return x with { Layout = null }; // C11
    }

    /// <inheritdoc/>
    protected override Literal Evaluate(IReadOnlyList<Literal> operands, TensorType result)
    {
        Literal x = operands[0];
        Literal source = operands[1];
        long[] window = [.. Window.Select(w => w.Size.Value)];
        LiteralWriter writer = LiteralWriter.CopyOf(Literal.Splat(result, operands[2][0]));
        var position = new long[x.Type.Rank];
        foreach (long[] at in IndexSpace.Of(source.Shape.ToStatic()))
        {
            long picked = -1;
            foreach (long[] element in IndexSpace.Of(window))
            {
                bool inside = true;
                long linear = 0;
                for (int i = 0; i < position.Length; i++)
                {
                    inside &= Window[i].TryGetSource(at[i], element[i], x.Shape[i].Value, out position[i]);
                    linear = (linear * x.Shape[i].Value) + position[i];
                }
                if (inside && (picked < 0 || !Evaluator.ApplyScalars(Select, x[picked], x[linear])[0].AsBool))
                {
                    picked = linear;
                }
            }
            if (picked >= 0)
            {
                writer[picked] = Evaluator.ApplyScalars(Scatter, writer[picked], source[at])[0];
            }
        }
        return writer.ToLiteral();
    }

    /// <inheritdoc/>
    public override Node[]? Vectorize(VectorizeSite site) => site.IsMapped(2)
        ? null
        : [site.Builder.Add(
            this with { Window = [WindowDim.Identity, .. Window] }, site.Mapped(0), site.Mapped(1), site.Operand(2))];
}

/// <summary>Builds select_and_scatter.</summary>
public static class SelectAndScatterBuilder
{
    /// <summary>
    /// Combines <paramref name="source"/> into the picked places of <paramref name="x"/>; see
    /// <see cref="SelectAndScatterOp"/>.
    /// </summary>
    public static Node SelectAndScatter(
        this GraphBuilder b,
        Node x,
        Node source,
        Node initial,
        IReadOnlyList<WindowDim> window,
        Computation select,
        Computation scatter) =>
        b.Add(new SelectAndScatterOp(window.ToValueList(), select, scatter), x, source, initial);
}
