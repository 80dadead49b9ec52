namespace Graphene;

/// <summary>Which elements of an axis make the elements of its resized form, and with which weights: vectors of the new size.</summary>
internal sealed class ResizeTaps
{
    private readonly GraphBuilder _b;
    private readonly Dim _input;
    private readonly ResizeAxis _axis;
    private readonly ResizeOptions _options;
    private readonly Node _inputSize;
    private readonly Node _position; // where each result lies in the input, f64
    private readonly Node _base; // the element left of it: ceil(position) - 1, so that the ratio is in (0, 1]
    private readonly Node _ratio;
    private readonly double _kernelScale = 1;
    private readonly int _first;
    private readonly int _count;

    public ResizeTaps(GraphBuilder b, OpSite site, Dim input, ResizeAxis axis, ResizeOptions options)
    {
        _b = b;
        _input = input;
        _axis = axis;
        _options = options;
        _inputSize = Value(input);
        _position = Position();
        _base = b.Subtract(b.Ceil(_position), Number(1));
        _ratio = b.Subtract(_position, _base);
        int radius = options.Mode == ResizeMode.Cubic ? 2 : 1;
        if (options.Antialias)
        {
            double scale = axis.Scale ??
                ((double)site.Static(axis.Size, "an antialiased size") / site.Static(input, "an antialiased dimension"));
            _kernelScale = Math.Min(scale, 1);
        }
        _first = (int)Math.Floor(-radius / _kernelScale) + 1;
        _count = 2 * (1 - _first);
    }

    /// <summary>
    /// A whole number of times that each element is repeated, when that is all the resize does: known without knowing the size.
    /// </summary>
    public Dim? RepeatsEachElement
    {
        get
        {
            bool floors = _options is { Coordinates: CoordinateMode.Asymmetric, Nearest: NearestMode.Floor };
            bool rounds = _options is
            {
                Coordinates: CoordinateMode.HalfPixel,
                Nearest: NearestMode.RoundPreferFloor or NearestMode.RoundPreferCeil,
            };
            bool whole = Dim.TryDivideExact(_axis.Size, _input, out Dim times) && times.IsStatic && times.Value > 0;
            return whole && (floors || rounds) && (_axis.Scale is null || _axis.Scale == times.Value) ? times : (Dim?)null;
        }
    }

    /// <summary>The nearest element, i64.</summary>
    public Node NearestIndex()
    {
        Node half = Number(0.5);
        Node next = _options.Nearest switch
        {
            NearestMode.RoundPreferFloor => _b.Greater(_ratio, half),
            NearestMode.RoundPreferCeil => _b.GreaterOrEqual(_ratio, half),
            NearestMode.Floor => _b.Equal(_ratio, Number(1)),
            _ => _b.Greater(_ratio, Number(0)),
        };
        return Clamped(_b.Add(_base, _b.Convert(next, DType.F64)));
    }

    /// <summary>The element of a tap, i64; the edge stands for what is outside.</summary>
    public Node Index(int tap) => Clamped(Raw(tap));

    /// <summary>One weight per tap, each a vector over the results, in a dtype.</summary>
    public Node[] Weights(DType type)
    {
        var weights = new Node[_count];
        for (int tap = 0; tap < weights.Length; tap++)
        {
            Node distance = _b.Abs(_b.Multiply(_b.Subtract(Number(_first + tap), _ratio), Number(_kernelScale)));
            weights[tap] = _options.Mode == ResizeMode.Linear ? Linear(distance) : Cubic(distance);
            if (_options.ExcludeOutside)
            {
                Node index = Raw(tap);
                Node outside = _b.Or(_b.Less(index, Number(0)), _b.GreaterOrEqual(index, Spread(_inputSize)));
                weights[tap] = _b.Select(outside, Number(0), weights[tap]);
            }
        }
        if (_options.ExcludeOutside || _options.Antialias)
        {
            Node sum = weights.Aggregate((x, y) => _b.Add(x, y));
            weights = Array.ConvertAll(weights, w => _b.Divide(w, sum));
        }
        return Array.ConvertAll(weights, w => _b.Convert(w, type));
    }

    /// <summary>True where a result lies outside of the input.</summary>
    public Node IsOutside() => _b.Or(
        _b.Less(_position, Number(0)), _b.Greater(_position, _b.Subtract(Spread(_inputSize), Number(1))));

    private Node Raw(int tap) => _b.Add(_base, Number(_first + tap));

    private Node Clamped(Node index)
    {
        Node last = _b.Subtract(Spread(_inputSize), Number(1));
        return _b.Convert(_b.Maximum(_b.Minimum(index, last), Number(0)), DType.I64);
    }

    // 1 - |d| within 1
    private Node Linear(Node distance) => _b.Maximum(_b.Subtract(Number(1), distance), Number(0));

    // Keys, 1981: (a+2)|d|^3 - (a+3)|d|^2 + 1 within 1, a|d|^3 - 5a|d|^2 + 8a|d| - 4a within 2
    private Node Cubic(Node d)
    {
        double a = _options.CubicCoefficient;
        Node square = _b.Multiply(d, d);
        Node cube = _b.Multiply(square, d);
        Node near = _b.Add(_b.Subtract(Times(cube, a + 2), Times(square, a + 3)), Number(1));
        Node far = _b.Subtract(_b.Add(_b.Subtract(Times(cube, a), Times(square, 5 * a)), Times(d, 8 * a)), Number(4 * a));
        Node beyond = _b.Select(_b.Less(d, Number(2)), far, Number(0));
        return _b.Select(_b.LessOrEqual(d, Number(1)), near, beyond);
    }

    private Node Position()
    {
        Node x = _b.Iota(new TensorType(DType.F64, [_axis.Size]), 0);
        Node outputSize = Value(_axis.Size);
        Node scale = _axis.Scale is { } given ? _b.Constant(DType.F64, given) : _b.Divide(outputSize, _inputSize);
        Node scaledSize = _axis.Scale is null ? outputSize : _b.Multiply(scale, _inputSize); // not rounded
        Node last = _b.Subtract(_inputSize, One);
        Node halfPixel = _b.Subtract(_b.Divide(_b.Add(x, Number(0.5)), Spread(scale)), Number(0.5));
        Node isSingle = _b.Equal(scaledSize, One);
        switch (_options.Coordinates)
        {
            case CoordinateMode.HalfPixelSymmetric:
                Node adjustment = _b.Divide(outputSize, scaledSize);
                Node center = _b.Divide(_inputSize, _b.Constant(DType.F64, 2));
                return _b.Add(halfPixel, Spread(_b.Multiply(center, _b.Subtract(One, adjustment))));
            case CoordinateMode.PytorchHalfPixel:
                return _b.Select(Spread(isSingle), Number(-0.5), halfPixel);
            case CoordinateMode.AlignCorners:
                // Multiplied before divided: the last element lands on the last one exactly.
                Node proportion = _b.Divide(_b.Multiply(x, Spread(last)), Spread(_b.Subtract(scaledSize, One)));
                return _b.Select(Spread(isSingle), Number(0), proportion);
            case CoordinateMode.Asymmetric:
                return _b.Divide(x, Spread(scale));
            case CoordinateMode.TfHalfPixelForNearest:
                return _b.Divide(_b.Add(x, Number(0.5)), Spread(scale));
            case CoordinateMode.TfCropAndResize:
                return Box(x, last, scaledSize, isSingle);
            default:
                return halfPixel;
        }
    }

    private Node Box(Node x, Node last, Node size, Node isSingle)
    {
        double width = _axis.RegionEnd - _axis.RegionStart;
        Node span = _b.Multiply(last, _b.Constant(DType.F64, width));
        Node single = Spread(_b.Divide(span, _b.Constant(DType.F64, 2)));
        Node many = _b.Divide(_b.Multiply(x, Spread(span)), Spread(_b.Subtract(size, One)));
        Node offset = Spread(_b.Multiply(last, _b.Constant(DType.F64, _axis.RegionStart)));
        return _b.Add(_b.Select(Spread(isSingle), single, many), offset);
    }

    private Node One => _b.Constant(DType.F64, 1);

    private Node Value(Dim dim) =>
        dim.IsStatic ? _b.Constant(DType.F64, dim.Value) : _b.Convert(_b.DimValue(dim), DType.F64);

    private Node Number(double value) => _b.Splat(DType.F64, [_axis.Size], value);

    private Node Spread(Node scalar) => _b.BroadcastInDim(scalar, [_axis.Size], []);

    private Node Times(Node x, double factor) => _b.Multiply(x, Number(factor));
}
