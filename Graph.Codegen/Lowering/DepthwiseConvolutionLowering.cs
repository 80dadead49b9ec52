namespace Graphene.Codegen;

/// <summary>
/// Lowers a depthwise convolution (each feature has a kernel of its own) whose features are the fastest dimension: vector lanes are
/// features.
/// </summary>
/// <remarks>
/// <code>
/// task = rows of output positions
///   for row
///     positions, 4 at once:
///                          for features: sums = 0; for ky: load each input under the 4 windows once; sums += x * w; epilogue
///     edge positions of a row whose length is fed:
///                          for features: sum = 0; for the kernel positions inside of the input: sum += x * w; epilogue
/// </code>
/// Where the length of a row is known, the tiles at its ends are code of their own, without the products that lie outside.
/// Padding is left out of the sums instead of being stored; that is exact when all weights are finite, so it is asked for.
/// </remarks>
internal sealed partial class DepthwiseConvolutionLowering
{
    private const int PositionsPerTile = 4;
    private const long FlopsPerTask = 1 << 18;
    private const long MostUnrolledPositions = 16;
    private const int MostEdgeTiles = 4;

    private readonly HeroFusion _fusion;
    private readonly ConvolutionOp _op;
    private readonly KBuilder _b;
    private readonly ExprEmitter _emitter;
    private readonly ScalarExpr _input;
    private readonly ScalarExpr _weight;
    private readonly IndexVariable[] _source; // places in the input, bound before the input is read
    private readonly IndexVariable[] _kernel;
    private readonly IndexVariable _feature;
    private readonly WindowDim _x;
    private readonly Dim _inputWidth;
    private readonly Dim _width;
    private int _lanes;

    private DepthwiseConvolutionLowering(
        HeroFusion fusion, KernelTarget target, ScalarExpr input, ScalarExpr weight, IndexVariable[] source, IndexVariable[] kernel)
    {
        _fusion = fusion;
        _op = (ConvolutionOp)fusion.Hero.Op;
        _b = new KBuilder { Multiples = target.Gpu is null ? null : new KIndexMultiples() };
        _emitter = new ExprEmitter(_b, new ExprAnalysis(), fusion.Source.Source);
        _input = input;
        _weight = weight;
        _source = source;
        _kernel = kernel;
        _feature = fusion.At[^1];
        _x = _op.Window[^1];
        _inputWidth = fusion.Hero.Operands[0].Shape[_op.Dimensions.LhsSpatial[^1]];
        _width = fusion.Hero.Shape[_op.Dimensions.ResultSpatial[^1]];
        _lanes = target.Lanes(_op.AccumulationType, _feature.Extent);
    }

    private int XAxis => _op.Dimensions.ResultSpatial[^1];

    private IndexVariable X => _fusion.At[XAxis];

    /// <summary>Lowers a depthwise convolution fusion, or returns null when it is none or needs another schedule.</summary>
    public static LoweredKernel? TryLower(string name, Node fusion, HeroFusion hero, KernelTarget target)
    {
        var op = (ConvolutionOp)hero.Hero.Op;
        ConvolutionDimensions d = op.Dimensions;
        TensorType kernel = hero.Hero.Operands[1].Type;
        bool fits = op.IsDepthwise(kernel) && IsInOrder(d.ResultBatch, d.ResultSpatial, d.ResultFeature) && op.Window[^1].Size.IsStatic &&
            op.Window.All(w => w.BaseDilation == 1 && !w.Reversed);
        if (!fits)
        {
            return null;
        }
        ExprFactory f = hero.Source.Factory;
        TensorType input = hero.Hero.Operands[0].Type;
        IndexVariable[] source = [.. d.LhsSpatial.Select((axis, i) => f.Variable($"s{i}", input.Shape[axis]))];
        IndexVariable[] positions = [.. d.RhsSpatial.Select((axis, i) => f.Variable($"k{i}", kernel.Shape[axis]))];
        IndexVector lhsAt = IndexVector.From(Enumerable.Range(0, input.Rank).Select(axis =>
            axis == d.LhsBatch ? hero.At[0] : axis == d.LhsFeature ? hero.At[^1] : source[d.LhsSpatial.IndexOf(axis)]));
        IndexVector rhsAt = IndexVector.From(Enumerable.Range(0, kernel.Rank).Select(axis =>
            axis == d.RhsInputFeature ? f.Index(0) : axis == d.RhsOutputFeature ? hero.At[^1] : positions[d.RhsSpatial.IndexOf(axis)]));
        if (hero.OperandAccess(0, lhsAt) is not { } lhs || hero.OperandAccess(1, rhsAt) is not { } rhs ||
            lhs.Index[hero.At[^1]] != 1 || rhs.Index[hero.At[^1]] != 1 ||
            !(op.Window.All(HasNoPadding) || IsFinite(fusion, hero, rhs.Load)))
        {
            return null;
        }
        var lowering = new DepthwiseConvolutionLowering(hero, target, lhs.Load, rhs.Load, source, positions);
        return target.Gpu is null ? lowering.Run(name, fusion) : lowering.RunThreads(name, fusion);

        static bool IsInOrder(int batch, Axes spatial, int feature) =>
            batch == 0 && feature == spatial.Count + 1 && spatial.SequenceEqual(Enumerable.Range(1, spatial.Count));

        static bool HasNoPadding(WindowDim w) => w.Low.Range.Max <= 0 && w.High.Range.Max <= 0;
    }

    private static bool IsFinite(Node fusion, HeroFusion hero, LoadExpr weights) =>
        weights.Source < hero.Source.Body.Parameters.Length &&
        fusion.Operands[weights.Source].Op is ConstantOp constant && constant.Value.IsFinite();

    private LoweredKernel Run(string name, Node fusion)
    {
        Dim[] outer = [.. _fusion.Hero.Shape.Take(_fusion.Hero.Rank - 2)];
        Dim rows = outer.Aggregate((Dim)1, (count, extent) => count * extent);
        Dim taps = _op.Window.Aggregate((Dim)1, (count, w) => count * w.Size);
        Dim flopsPerRow = 2 * taps * _width * _feature.Extent;
        long rowsPerTask = flopsPerRow.IsStatic ? Math.Max(1, FlopsPerTask / Math.Max(1, flopsPerRow.Value)) : 1;
        var task = new KVariable("task", KType.Index);
        KExpr first = _b.Let("row0", KBuilder.Multiply(task, rowsPerTask));
        KExpr last = _b.Let("row1", KBuilder.Minimum(KBuilder.Add(first, rowsPerTask), KBuilder.Value(rows)));
        _b.For("row", first, last, 1, row => _emitter.InScope(() => EmitRow(row, outer)));
        return ToKernel(name, fusion, task, KBuilder.CeilDiv(KBuilder.Value(rows), rowsPerTask));
    }

    private LoweredKernel ToKernel(string name, Node fusion, KVariable task, KExpr taskCount)
    {
        Dim taps = _op.Window.Aggregate((Dim)1, (count, w) => count * w.Size);
        var cost = new KernelCost(
            _fusion.Hero.Shape.ElementCount * taps * 2,
            fusion.Operands.Select(o => o.Type).Concat(fusion.Types).Aggregate((Dim)0, (sum, t) => sum + t.SizeInBytes));
        KernelArguments arguments = _fusion.Source.Arguments;
        return new LoweredKernel(new Kernel(name, arguments.Buffers, task, taskCount, _b.ToBlock(), cost), arguments.Operands);
    }

    private void BindRow(KExpr row, Dim[] outer)
    {
        for (int axis = outer.Length - 1; axis >= 0; axis--)
        {
            KExpr extent = KBuilder.Value(outer[axis]);
            _emitter.Bind(_fusion.At[axis], axis == 0 ? row : _b.Let("i", KBuilder.Remainder(row, extent)));
            row = axis == 0 ? row : _b.Let("rest", KBuilder.Divide(row, extent));
        }
    }

    // Between the two the whole window lies inside of the input.
    private (Dim Begin, Dim End) Inner
    {
        get
        {
            Dim reach = (_x.Size - 1) * _x.Dilation;
            Dim begin = Dim.Min(Dim.CeilDiv(Dim.Max(_x.Low, 0), _x.Stride), _width);
            Dim end = Dim.Min(Dim.FloorDiv(Dim.Max(_inputWidth - 1 + _x.Low - reach + _x.Stride, 0), _x.Stride), _width);
            return (begin, Dim.Max(end, begin));
        }
    }

    private void EmitRow(KExpr row, Dim[] outer)
    {
        BindRow(row, outer);
        if (_x.Size.Value > MostUnrolledPositions)
        {
            EmitSingles(0, KBuilder.Value(_width));
            return;
        }
        if (WholeTiles is { } whole)
        {
            EmitKnownRow(whole.Begin, whole.End);
        }
        else
        {
            EmitFedRow();
        }
    }

    // The tiles of a row of known length that lie inside of the input with all their windows; null where too many others would be code.
    private (long Begin, long End)? WholeTiles
    {
        get
        {
            if (!_width.IsStatic || !_inputWidth.IsStatic || !_x.Low.IsStatic)
            {
                return null;
            }
            long begin = DimMath.CeilDiv(Inner.Begin.Value, PositionsPerTile);
            long end = Math.Max(begin, Inner.End.Value / PositionsPerTile);
            return DimMath.CeilDiv(_width.Value, PositionsPerTile) - (end - begin) <= MostEdgeTiles ? (begin, end) : null;
        }
    }

    private void EmitKnownRow(long firstWhole, long endWhole)
    {
        EmitEdge(0, Math.Min(firstWhole * PositionsPerTile, _width.Value));
        _b.For(
            "x", firstWhole * PositionsPerTile, endWhole * PositionsPerTile, PositionsPerTile,
            x => _emitter.InScope(() => ForFeatures(() => EmitTile(x))));
        EmitEdge(endWhole * PositionsPerTile, _width.Value);
    }

    private void EmitEdge(long begin, long end)
    {
        for (long x = begin; x < end; x += PositionsPerTile)
        {
            (long first, int count) = (x, (int)Math.Min(PositionsPerTile, end - x));
            _emitter.InScope(() => ForFeatures(() => EmitTile(
                first, count, offset => (first * _x.Stride) - _x.Low.Value + offset is >= 0 and var at && at < _inputWidth.Value)));
        }
    }

    private void EmitFedRow()
    {
        KExpr begin = KBuilder.Value(Inner.Begin);
        KExpr end = KBuilder.Value(Inner.End);
        EmitSingles(0, begin);
        KExpr tiles = KBuilder.Multiply(KBuilder.Divide(KBuilder.Subtract(end, begin), PositionsPerTile), PositionsPerTile);
        KExpr whole = _b.Let("whole", KBuilder.Add(begin, tiles));
        _b.For("x", begin, whole, PositionsPerTile, x => _emitter.InScope(() => ForFeatures(() => EmitTile(x))));
        EmitSingles(whole, KBuilder.Value(_width));
    }

    private void EmitSingles(KExpr begin, KExpr end) =>
        _b.For("x", begin, end, 1, x => _emitter.InScope(() => ForFeatures(() => EmitSingle(x))));

    private void ForFeatures(Action body)
    {
        KExpr extent = KBuilder.Value(_feature.Extent);
        KExpr whole = _b.Let("features", KBuilder.Multiply(KBuilder.Divide(extent, _lanes), _lanes));
        _b.For("c", 0, whole, _lanes, c => _emitter.WithVector(_feature, c, _lanes, null, body));
        _emitter.EmitTail(extent, whole, _lanes, mask => _emitter.WithVector(_feature, whole, _lanes, mask, body));
    }

    private void EmitSingle(KExpr x)
    {
        KRegister sum = DeclareSum();
        ForWindow(
            0, _kernel.Length, PlacesAt(x),
            () => Accumulate(sum, Widen(_emitter.EmitLanes(_input)), Widen(_emitter.EmitLanes(_weight))));
        Finish(sum, x);
    }

    // Neighbouring positions, without the products for which there is no input so far behind the first one's.
    private void EmitTile(KExpr x, int positions = PositionsPerTile, Func<long, bool>? isInside = null)
    {
        KRegister[] sums = [.. Enumerable.Range(0, positions).Select(_ => DeclareSum())];
        KExpr firstSource = _b.Let("s", KBuilder.Subtract(KBuilder.Multiply(x, _x.Stride), KBuilder.Value(_x.Low)));
        ForWindow(0, _kernel.Length - 1, PlacesAt(x), () =>
        {
            var inputs = new Dictionary<long, KExpr>();
            for (long kx = 0; kx < _x.Size.Value; kx++)
            {
                KExpr weight = Read(_weight, _kernel[^1], kx);
                for (int t = 0; t < sums.Length; t++)
                {
                    long offset = (t * _x.Stride) + (kx * _x.Dilation);
                    if (isInside?.Invoke(offset) == false)
                    {
                        continue;
                    }
                    if (!inputs.TryGetValue(offset, out KExpr? input))
                    {
                        input = Read(_input, _source[^1], KBuilder.Add(firstSource, offset));
                        inputs.Add(offset, input);
                    }
                    Accumulate(sums[t], input, weight);
                }
            }
        });
        for (int t = 0; t < sums.Length; t++)
        {
            Finish(sums[t], KBuilder.Add(x, t));
        }
    }

    private KExpr[] PlacesAt(KExpr x) =>
        [.. _op.Dimensions.ResultSpatial.Select(axis => axis == XAxis ? x : _emitter.Emit(_fusion.At[axis]))];

    // Loops over those elements of the window, in some dimensions, that lie inside of the input.
    private void ForWindow(int dimension, int end, KExpr[] places, Action body)
    {
        if (dimension == end)
        {
            body();
            return;
        }
        WindowDim w = _op.Window[dimension];
        Dim size = _fusion.Hero.Operands[0].Shape[_op.Dimensions.LhsSpatial[dimension]];
        KExpr start = _b.Let("start", KBuilder.Subtract(
            KBuilder.Multiply(places[dimension], w.Stride), KBuilder.Value(w.Low)));
        KExpr first = _b.Let("k0", KBuilder.CeilDiv(KBuilder.Maximum(0, KBuilder.Subtract(0, start)), w.Dilation));
        KExpr last = _b.Let("k1", KBuilder.Minimum(
            KBuilder.Value(w.Size),
            KBuilder.CeilDiv(KBuilder.Maximum(0, KBuilder.Subtract(KBuilder.Value(size), start)), w.Dilation)));
        _b.For("k", first, last, 1, k => _emitter.InScope(() =>
        {
            _emitter.Bind(_kernel[dimension], k);
            _emitter.Bind(_source[dimension], _b.Let("s", KBuilder.Add(start, KBuilder.Multiply(k, w.Dilation))));
            ForWindow(dimension + 1, end, places, body);
        }));
    }

    private KExpr Read(ScalarExpr element, IndexVariable variable, KExpr value)
    {
        KExpr? read = null;
        _emitter.InScope(() =>
        {
            _emitter.Bind(variable, value);
            read = Widen(_emitter.EmitLanes(element));
        });
        return read!;
    }

    private KRegister DeclareSum() => _b.Declare("sum", new KConstant(Scalar.Zero(_op.AccumulationType), _lanes));

    private void Accumulate(KRegister sum, KExpr input, KExpr weight) => _b.Assign(sum, _op.AccumulationType.IsFloating()
        ? KBuilder.FusedMultiplyAdd(input, weight, new KRead(sum))
        : KBuilder.Add(KBuilder.Multiply(input, weight), new KRead(sum)));

    private KExpr Widen(KExpr value) =>
        value.Type.Element == _op.AccumulationType ? value : new KConvert(value, _op.AccumulationType);

    private void Finish(KRegister sum, KExpr x) => _emitter.InScope(() =>
    {
        KExpr value = new KRead(sum);
        _emitter.Bind(X, x);
        _emitter.Bind(_fusion.Value, _b.Let("value", value.Type.Element == _op.ResultType ? value : new KConvert(value, _op.ResultType)));
        foreach (EpilogueRoot root in _fusion.Roots)
        {
            _emitter.Store(root.Output, root.Store, _emitter.EmitLanes(root.Element));
        }
    });
}
