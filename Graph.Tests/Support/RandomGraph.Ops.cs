namespace Graphene.Tests.Support;

/// <content>The ops: each takes values that are there already and gives a new one, or null when none of them fits.</content>
internal sealed partial class RandomGraph
{
    private Node Constant()
    {
        Shape shape = RandomShape();
        return _b.Constant(Literal.Generate(new TensorType(DType.F32, shape), _ => Scalar.FromNumber(DType.F32, RandomNumber())));
    }

    // A place in a tensor, compared or as a number.
    private Node? Counter()
    {
        if (Any(v => v.Rank > 0 && v.DType == DType.F32) is not { } x)
        {
            return null;
        }
        Node place = _b.Iota(new TensorType(DType.I32, x.Shape), _random.Next(x.Rank));
        return _random.Next(3) switch
        {
            0 => _b.Add(x, _b.Convert(place, DType.F32)),
            1 => place,
            _ => _b.Select(
                _b.LessOrEqual(place, _b.Iota(new TensorType(DType.I32, x.Shape), _random.Next(x.Rank))), x, _b.Negate(x)),
        };
    }

    private Node Unary()
    {
        Node x = AnyFloat();
        return _random.Next(8) switch
        {
            1 or 3 or > 5 when _whole => _b.Sign(x),
            0 => _b.Negate(x),
            1 => _b.Exponential(x),
            2 => _b.Abs(x),
            3 => _b.HyperbolicTangent(x),
            4 => _b.Convert(_b.Convert(x, DType.F16), DType.F32),
            5 => _b.Floor(x),
            6 => _b.ReciprocalSquareRoot(x),
            _ => _b.Logistic(x),
        };
    }

    private Node Binary()
    {
        Node x = Any(v => v.DType != DType.Bool) ?? AnyFloat();
        Node y = _random.Next(3) == 0
            ? _b.Splat(x.DType, x.Shape, RandomNumber())
            : Any(v => v.Type.Equals(x.Type)) ?? x;
        return _random.Next(8) switch
        {
            0 or 1 => _b.Add(x, y),
            2 => _b.Subtract(x, y),
            3 or 4 => Bounded(_b.Multiply(x, y)),
            5 => x.DType == DType.F32 && !_whole ? _b.Divide(x, y) : Bounded(_b.Add(y, x)),
            6 => _b.Maximum(x, y),
            _ => _b.Minimum(y, x),
        };
    }

    private Node Broadcast()
    {
        Node x = Any();
        var dims = new List<Dim>();
        var places = new List<int>();
        for (int i = 0; i <= x.Rank && dims.Count < 4; i++)
        {
            if (_random.Next(3) == 0)
            {
                dims.Add(_random.Next(1, 4));
            }
            if (i < x.Rank)
            {
                places.Add(dims.Count);
                dims.Add(x.Shape[i] == 1 && _random.Next(2) == 0 ? _random.Next(1, 4) : x.Shape[i]);
            }
        }
        return places.Count == x.Rank ? _b.BroadcastInDim(x, Shape.From(dims), Axes.From(places)) : x;
    }

    private Node Reshape()
    {
        Node x = Any();
        long count = x.Shape.ElementCount.Value;
        long[] divisors = [.. Enumerable.Range(1, (int)count).Select(d => (long)d).Where(d => count % d == 0)];
        long first = divisors[_random.Next(divisors.Length)];
        return _random.Next(3) == 0 ? _b.Reshape(x, Shape.Of(1, count)) : _b.Reshape(x, Shape.Of(first, count / first));
    }

    private Node Transpose()
    {
        Node x = Any(v => v.Rank > 1) ?? Any();
        int[] order = [.. Enumerable.Range(0, x.Rank)];
        _random.Shuffle(order);
        return _b.Transpose(x, Axes.From(order));
    }

    private Node? Reduce()
    {
        if (Any(v => v.Rank > 0 && v.DType == DType.F32) is not { } x)
        {
            return null;
        }
        Axes axes = _random.Next(4) == 0 ? Axes.Range(x.Rank) : [_random.Next(x.Rank)];
        Node reduced = _random.Next(2) == 0 ? Bounded(_b.ReduceSum(x, axes)) : _b.ReduceMax(x, axes);
        // Often back to the shape of the operand, as in softmax and layer norm.
        return _random.Next(2) == 0
            ? reduced
            : _b.Subtract(x, _b.BroadcastInDim(reduced, x.Shape, axes.Complement(x.Rank)));
    }

    private Node? Dot()
    {
        if (Any(v => v.Rank > 0 && v.DType == DType.F32) is not { } x)
        {
            return null;
        }
        Node? y = Any(v => v.Rank > 0 && v.DType == DType.F32 && v.Shape[0] == x.Shape[x.Rank - 1]);
        Node dot = y is null ? _b.DotGeneral(x, x, [], [], [0], [0]) : _b.DotGeneral(x, y, [], [], [x.Rank - 1], [0]);
        return dot.Rank > 4 ? null : Bounded(dot);
    }

    private Node? Slice()
    {
        if (Any(v => v.Rank > 0) is not { } x)
        {
            return null;
        }
        int axis = _random.Next(x.Rank);
        long size = x.Shape[axis].Value;
        long start = _random.NextInt64(0, size);
        long limit = _random.NextInt64(start + 1, size + 1);
        return _random.Next(4) == 0 ? _b.Reverse(x, [axis]) : _b.SliceDimension(x, axis, start, limit, _random.Next(1, 3));
    }

    private Node? Concatenate()
    {
        if (Any(v => v.Rank > 0) is not { } x)
        {
            return null;
        }
        int axis = _random.Next(x.Rank);
        Node y = Any(v => v.Rank == x.Rank && v.DType == x.DType && v.Shape.With(axis, 0).Equals(x.Shape.With(axis, 0))) ?? x;
        return _b.Concatenate([x, y], axis);
    }

    private Node? Pad()
    {
        if (Any(v => v.Rank > 0 && v.DType == DType.F32) is not { } x)
        {
            return null;
        }
        Dim[] low = [.. x.Shape.Select(_ => (Dim)_random.Next(0, 2))];
        Dim[] high = [.. x.Shape.Select(_ => (Dim)_random.Next(0, 2))];
        return _b.Pad(x, _b.Constant(DType.F32, RandomNumber()), [.. low], [.. high]);
    }

    private Node Choose()
    {
        Node x = AnyFloat();
        Node y = Any(v => v.Type.Equals(x.Type)) ?? x;
        Node less = _b.Compare(x, _b.Splat(DType.F32, x.Shape, RandomNumber()), (CompareDirection)_random.Next(6));
        return _b.Select(_random.Next(3) == 0 ? _b.Not(less) : less, x, y);
    }

    private Node? Gather()
    {
        if (Any(v => v.Rank > 0) is not { } x)
        {
            return null;
        }
        Node index = Any(v => v.DType == DType.I32 && v.Rank < 2) ?? _b.Constant(DType.I32, _random.Next(-1, 5));
        return _b.Take(x, index, _random.Next(x.Rank));
    }

    private Node? Update()
    {
        Node? x = Any(v => v.Rank == 1 && v.DType == DType.F32 && v.Shape[0] != 1);
        if (x is null)
        {
            return null;
        }
        Node start = Any(v => v.DType == DType.I32 && v.Rank == 0) ?? _b.Constant(DType.I32, _random.Next(0, 4));
        Node part = _b.DynamicSlice(x, [start], [1]);
        return _random.Next(2) == 0 ? part : _b.DynamicUpdateSlice(x, _b.Negate(part), [start]);
    }

    private Node? Window()
    {
        if (Any(v => v.Rank > 0 && v.DType == DType.F32) is not { } x)
        {
            return null;
        }
        WindowDim[] window = [.. x.Shape.Select(
            d => _random.Next(2) == 0 ? WindowDim.Identity : new WindowDim(_random.NextInt64(1, d.Value + 1), _random.Next(1, 3)))];
        Computation body = ReductionBody.Of(_random.Next(2) == 0 ? ElementwiseTable.Add : ElementwiseTable.Maximum, DType.F32);
        return Bounded(
            _b.Add(new ReduceWindowOp([.. window], body), x, _b.Constant(DType.F32, _random.Next(2) == 0 ? 0 : RandomNumber())));
    }

    // Three rounds over a counter and two values; one of them often stays what it is.
    private Node Loop()
    {
        Node x = AnyFloat();
        Node y = AnyFloat();
        TensorType[] types = [TensorType.Scalar(DType.I32), x.Type, y.Type];
        var condition = new GraphBuilder();
        Node[] state = [.. types.Select((t, i) => condition.Parameter(i, t))];
        Computation test = condition.Build("condition", [condition.Less(state[0], condition.Constant(DType.I32, 3))]);
        var inside = new GraphBuilder();
        Node[] carried = [.. types.Select((t, i) => inside.Parameter(i, t))];
        var body = new RandomGraph(_random, inside, _depth + 1, _whole);
        body._values.AddRange(carried);
        body.Grow(6);
        Node[] next = [.. types.Select(type => body.Any(v => v.Type.Equals(type))!)];
        next[0] = inside.Add(carried[0], inside.Constant(DType.I32, 1));
        Node[] results = _b.While([_b.Constant(DType.I32, 0), x, y], test, inside.Build("body", next));
        return results[_random.Next(1, 3)];
    }

    private Node Conditional()
    {
        Node x = AnyFloat();
        Node predicate = _random.Next(4) == 0
            ? _b.Constant(Scalar.FromBool(_random.Next(2) == 0))
            : _b.Less(_b.Constant(DType.F32, 0), _b.ReduceSum(x, Axes.Range(x.Rank)));
        return _b.If(predicate, [x], Branch(x.Type), Branch(x.Type))[0];
    }

    private Computation Branch(TensorType type)
    {
        var inside = new GraphBuilder();
        var branch = new RandomGraph(_random, inside, _depth + 1, _whole);
        branch._values.Add(inside.Parameter(0, type));
        branch.Grow(4);
        return inside.Build("branch", [branch.Any(v => v.Type.Equals(type))!]);
    }
}
