namespace Graphene;

/// <summary>Slides a kernel over an input and contracts features: convolutions of any rank, grouped, dilated or transposed.</summary>
/// <remarks>
/// Operands: input and kernel, numeric, of one dtype. Each result element is the sum, over the kernel's spatial positions in
/// row-major order and for each over its input features in ascending order, of products; outside the input stands 0. Floating
/// types accumulate with fused multiply-add in <see cref="AccumulationType"/> and round once to the result type; integers wrap
/// in the result type. A transposed convolution is one whose window has a base dilation.
/// Source: StableHLO specification, convolution; labels are the specification's.
/// </remarks>
/// <param name="Dimensions">Which dimension means what.</param>
/// <param name="Window">One entry per spatial dimension; its sizes are the kernel's.</param>
/// <param name="FeatureGroups">Input and output features are cut into so many groups; each output group sees its input group.</param>
/// <param name="BatchGroups">The batch and the output features are cut into so many groups, paired.</param>
/// <param name="ResultType">The element type of the result: the operands', or a wider one (i32 for i8, f32 for f16 and bf16).</param>
public sealed partial record ConvolutionOp(
    ConvolutionDimensions Dimensions,
    ValueList<WindowDim> Window,
    long FeatureGroups,
    long BatchGroups,
    DType ResultType) : Op("convolution")
{
    /// <summary>Reads the attributes that <see cref="Write"/> writes.</summary>
    public static Op Parse(AttributeReader a) => new ConvolutionOp(
        a.Custom("dim_numbers", ConvolutionDimensions.TryParse, "dimension numbers such as [b, f, 0, 1]x[o, i, 0, 1]->[b, f, 0, 1]"),
        WindowDims.Read(a),
        a.Has("feature_group_count") ? a.Long("feature_group_count") : 1,
        a.Has("batch_group_count") ? a.Long("batch_group_count") : 1,
        a.DType("result_type"));

    /// <inheritdoc/>
    public override bool IsExpensive => true;

    /// <inheritdoc/>
    public override bool HasElementForm => true;

    /// <summary>The type that sums are kept in: f32 for f16, bf16 and f32; the result type otherwise.</summary>
    public DType AccumulationType => ResultType is DType.F16 or DType.BF16 ? DType.F32 : ResultType;

    /// <summary>True when each feature has a kernel of its own: as many groups as input and as output features.</summary>
    /// <param name="kernel">The kernel's type.</param>
    public bool IsDepthwise(TensorType kernel) =>
        FeatureGroups > 1 && kernel.Shape[Dimensions.RhsInputFeature] == 1 &&
        kernel.Shape[Dimensions.RhsOutputFeature] == FeatureGroups;

    /// <inheritdoc/>
    public override void Write(AttributeWriter w)
    {
        w.AddWord("dim_numbers", Dimensions.ToString());
        WindowDims.Write(w, Window);
        if (FeatureGroups != 1)
        {
            w.Add("feature_group_count", FeatureGroups);
        }
        if (BatchGroups != 1)
        {
            w.Add("batch_group_count", BatchGroups);
        }
        w.Add("result_type", ResultType);
    }

    /// <inheritdoc/>
    public override Op SubstituteDims(IReadOnlyDictionary<DimSymbol, Dim> values) =>
        this with { Window = WindowDims.Substitute(Window, values) };

    /// <inheritdoc/>
    protected override TensorType InferType(OpSite site)
    {
        site.RequireOperands(2);
        TensorType lhs = site.RequireDType(0, DTypeSet.Numeric);
        TensorType rhs = site.RequireDType(1, DTypeSet.Numeric);
        site.RequireSameDType(0, 1);
        ConvolutionDimensions d = Dimensions;
        RequireDimensions(site, lhs, "input", d.LhsBatch, d.LhsFeature, d.LhsSpatial); // C1, C12, C13
        RequireDimensions(site, rhs, "kernel", d.RhsInputFeature, d.RhsOutputFeature, d.RhsSpatial); // C17, C18
        RequireDimensions(site, null, "result", d.ResultBatch, d.ResultFeature, d.ResultSpatial); // C19, C20
        WindowDims.Require(site, Window, d.SpatialRank); // C2..C9
        RequireGroups(site, lhs, rhs);
        var dims = new Dim[d.SpatialRank + 2];
        dims[d.ResultBatch] = BatchGroups == 1 ? lhs.Shape[d.LhsBatch] : Dim.FloorDiv(lhs.Shape[d.LhsBatch], BatchGroups);
        dims[d.ResultFeature] = rhs.Shape[d.RhsOutputFeature];
        for (int i = 0; i < d.SpatialRank; i++)
        {
            site.Require(
                Window[i].Size.ProvablyEquals(rhs.Shape[d.RhsSpatial[i]]), DiagnosticId.BadConvolution,
                $"the window has size {Window[i].Size} where the kernel {rhs} has {rhs.Shape[d.RhsSpatial[i]]}");
            dims[d.ResultSpatial[i]] = Window[i].OutputSize(lhs.Shape[d.LhsSpatial[i]]);
        }
        return new TensorType(ResultType, Shape.From(dims)); // C25, C26
    }

    /// <inheritdoc/>
    protected override Literal Evaluate(IReadOnlyList<Literal> operands, TensorType result)
    {
        Literal lhs = operands[0];
        Literal rhs = operands[1];
        ConvolutionDimensions d = Dimensions;
        long features = rhs.Shape[d.RhsInputFeature].Value;
        long featuresPerGroup = Math.Max(1, rhs.Shape[d.RhsOutputFeature].Value / (FeatureGroups * BatchGroups));
        long[] window = [.. Window.Select(w => w.Size.Value)];
        double[]? x = ResultType.IsFloating() ? lhs.ToDoubles() : null;
        double[]? y = ResultType.IsFloating() ? rhs.ToDoubles() : null;
        long[] lhsStrides = [.. lhs.Type.Strides().Select(s => s.Value)];
        long[] rhsStrides = [.. rhs.Type.Strides().Select(s => s.Value)];
        return Literal.Generate(result, at =>
        {
            long group = at[d.ResultFeature] / featuresPerGroup;
            long batch = at[d.ResultBatch] + (BatchGroups == 1 ? 0 : group * result.Shape[d.ResultBatch].Value);
            long firstFeature = FeatureGroups == 1 ? 0 : group * features;
            double floating = 0;
            long integer = 0;
            foreach (long[] k in IndexSpace.Of(window))
            {
                long left = (batch * lhsStrides[d.LhsBatch]) + (firstFeature * lhsStrides[d.LhsFeature]);
                long right = at[d.ResultFeature] * rhsStrides[d.RhsOutputFeature];
                bool inside = true;
                for (int i = 0; i < k.Length; i++)
                {
                    inside &= Window[i].TryGetSource(
                        at[d.ResultSpatial[i]], k[i], lhs.Shape[d.LhsSpatial[i]].Value, out long position);
                    left += position * lhsStrides[d.LhsSpatial[i]];
                    right += k[i] * rhsStrides[d.RhsSpatial[i]];
                }
                for (long f = 0; f < features; f++)
                {
                    if (x is not null)
                    {
                        floating += (inside ? x[left] : 0) * y![right];
                    }
                    else if (inside)
                    {
                        // Modulo 2^64 is enough: every integer type wraps at a power of two that divides it.
                        integer = unchecked(integer + ((long)lhs[left].AsInteger * (long)rhs[right].AsInteger));
                    }
                    left += lhsStrides[d.LhsFeature];
                    right += rhsStrides[d.RhsInputFeature];
                }
            }
            return x is not null ? Scalar.FromDouble(ResultType, floating) : Scalar.FromInteger(ResultType, integer);
        });
    }

    /// <inheritdoc/>
    public override ScalarExpr Element(ElementBuilder e, IndexVector at, int result)
    {
        TensorType lhs = e.OperandType(0);
        TensorType rhs = e.OperandType(1);
        ConvolutionDimensions d = Dimensions;
        Dim features = rhs.Shape[d.RhsInputFeature];
        ScalarExpr batch = at[d.ResultBatch];
        ScalarExpr? firstFeature = null;
        if (FeatureGroups * BatchGroups > 1)
        {
            Dim featuresPerGroup = Dim.FloorDiv(rhs.Shape[d.RhsOutputFeature], FeatureGroups * BatchGroups);
            ScalarExpr group = e.Divide(at[d.ResultFeature], e.Index(featuresPerGroup));
            batch = BatchGroups == 1 ? batch : e.Add(batch, e.Multiply(group, e.Index(e.ResultTypes[0].Shape[d.ResultBatch])));
            firstFeature = FeatureGroups == 1 ? null : e.Multiply(group, e.Index(features));
        }
        ScalarExpr[] place = [.. d.ResultSpatial.Select(axis => at[axis])];
        Dim[] sizes = [.. d.LhsSpatial.Select(axis => lhs.Shape[axis])];
        ScalarExpr[] sum = e.Loop(
            [.. d.RhsSpatial.Select(axis => rhs.Shape[axis]), features],
            [e.Constant(Scalar.Zero(AccumulationType))],
            (k, carried) =>
            {
                ScalarExpr feature = firstFeature is null ? k[^1] : e.Add(firstFeature, k[^1]);
                (ScalarExpr inside, ScalarExpr[] positions) = WindowDims.Source(e, Window, place, k[..^1], sizes);
                ScalarExpr x = e.Guard(
                    inside,
                    e.Operand(0, Index(lhs.Rank, d.LhsBatch, batch, d.LhsFeature, feature, d.LhsSpatial, positions)),
                    e.Constant(Scalar.Zero(lhs.DType)));
                ScalarExpr y = e.Operand(1, Index(
                    rhs.Rank, d.RhsInputFeature, k[^1], d.RhsOutputFeature, at[d.ResultFeature], d.RhsSpatial, k[..^1]));
                return [Accumulate(e, e.Convert(x, AccumulationType), e.Convert(y, AccumulationType), carried[0])];
            });
        return e.Convert(sum[0], ResultType);
    }

    private static ScalarExpr Accumulate(ElementBuilder e, ScalarExpr x, ScalarExpr y, ScalarExpr sum) =>
        sum.DType.IsFloating() ? e.Call(ScalarOp.FusedMultiplyAdd, x, y, sum) : e.Add(e.Multiply(x, y), sum);

    private static IndexVector Index(
        int rank, int firstAxis, ScalarExpr first, int secondAxis, ScalarExpr second, Axes spatial, ScalarExpr[] positions) =>
        IndexVector.From(Enumerable.Range(0, rank).Select(
            axis => axis == firstAxis ? first : axis == secondAxis ? second : positions[spatial.IndexOf(axis)]));

    private void RequireDimensions(OpSite site, TensorType? type, string side, int first, int second, Axes spatial)
    {
        site.Require(
            spatial.Count == Dimensions.SpatialRank && Axes.From([first, second, .. spatial]).IsPermutationOf(spatial.Count + 2),
            DiagnosticId.BadConvolution, $"dimension numbers {Dimensions} do not name each dimension of the {side} once");
        if (type is not null)
        {
            site.Require(
                type.Rank == spatial.Count + 2, DiagnosticId.RankMismatch,
                $"the {side} {type} has {type.Rank} dimensions, {Dimensions} names {spatial.Count + 2}");
        }
    }

    private void RequireGroups(OpSite site, TensorType lhs, TensorType rhs)
    {
        ConvolutionDimensions d = Dimensions;
        site.Require( // C21, C22, C23
            FeatureGroups > 0 && BatchGroups > 0 && (FeatureGroups == 1 || BatchGroups == 1), DiagnosticId.BadConvolution,
            $"feature_group_count {FeatureGroups} and batch_group_count {BatchGroups}",
            why: "both are at least 1, and only one of them may be larger");
        Dim inputFeatures = lhs.Shape[d.LhsFeature];
        Dim kernelFeatures = rhs.Shape[d.RhsInputFeature];
        site.Require( // C11, C14
            site.CanBeEqual(inputFeatures, kernelFeatures * FeatureGroups), DiagnosticId.BadConvolution,
            $"the input {lhs} has {inputFeatures} features, the kernel {rhs} takes {kernelFeatures} in each of {FeatureGroups} groups",
            why: "input features = kernel input features * groups",
            fix: "check the dimension numbers and the number of groups");
        Dim outputFeatures = rhs.Shape[d.RhsOutputFeature];
        site.Require( // C15, C16
            !(outputFeatures.IsStatic && outputFeatures.Value % (FeatureGroups * BatchGroups) != 0), DiagnosticId.BadConvolution,
            $"the kernel {rhs} has {outputFeatures} output features, not a multiple of {FeatureGroups * BatchGroups} groups");
        Dim batch = lhs.Shape[d.LhsBatch];
        site.Require( // C10
            !(batch.IsStatic && batch.Value % BatchGroups != 0), DiagnosticId.BadConvolution,
            $"the batch of {lhs} is {batch}, not a multiple of {BatchGroups} groups");
    }

    /// <inheritdoc/>
    public override Node[]? Vectorize(VectorizeSite site)
    {
        GraphBuilder b = site.Builder;
        ConvolutionDimensions n = Dimensions;
        if (BatchGroups != 1)
        {
            return null;
        }
        if (!site.IsMapped(1))
        {
            Node batches = b.MergeFirst(site.Operand(0), n.LhsBatch);
            return [b.SplitFirst(b.Add(this, batches, site.Operand(1)), n.ResultBatch, site.Size)];
        }
        if (!site.IsMapped(0) && FeatureGroups == 1)
        {
            Node features = b.MergeFirst(site.Operand(1), n.RhsOutputFeature);
            return [b.SplitFirst(b.Add(this, site.Operand(0), features), n.ResultFeature, site.Size)];
        }
        if (!site.Size.IsStatic)
        {
            return null; // the number of groups is a number
        }
        Node input = b.MergeFirst(site.Mapped(0), n.LhsFeature);
        Node kernel = b.MergeFirst(site.Mapped(1), n.RhsOutputFeature);
        Op grouped = this with { FeatureGroups = FeatureGroups * site.Size.Value };
        return [b.SplitFirst(b.Add(grouped, input, kernel), n.ResultFeature, site.Size)];
    }
}

/// <summary>Builds convolutions.</summary>
public static class ConvolutionBuilder
{
    /// <summary>Slides a kernel over an input; see <see cref="ConvolutionOp"/>.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="lhs">The input.</param>
    /// <param name="rhs">The kernel.</param>
    /// <param name="dimensions">Which dimension means what.</param>
    /// <param name="window">One entry per spatial dimension; sizes are taken from the kernel.</param>
    /// <param name="featureGroups">The number of feature groups.</param>
    /// <param name="batchGroups">The number of batch groups.</param>
    /// <param name="resultType">The element type of the result; the input's by default.</param>
    public static Node Convolution(
        this GraphBuilder b,
        Node lhs,
        Node rhs,
        ConvolutionDimensions dimensions,
        IReadOnlyList<WindowDim> window,
        long featureGroups = 1,
        long batchGroups = 1,
        DType? resultType = null)
    {
        ValueList<WindowDim> sized = window.Select((w, i) => i < dimensions.SpatialRank && dimensions.RhsSpatial[i] < rhs.Rank
            ? w with { Size = rhs.Shape[dimensions.RhsSpatial[i]] }
            : w).ToValueList();
        return b.Add(new ConvolutionOp(dimensions, sized, featureGroups, batchGroups, resultType ?? lhs.DType), lhs, rhs);
    }
}
