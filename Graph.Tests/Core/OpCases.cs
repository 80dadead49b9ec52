using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core;

/// <summary>At least one use of every op in <see cref="OpTable"/>; structural ones by hand, elementwise ones over all dtypes.</summary>
internal static partial class OpCases
{
    private static readonly Shape[] Shapes = [Shape.Scalar, Shape.Of(0), Shape.Of(1), Shape.Of(0, 3), Shape.Of(3, 1, 7)];

    public static IEnumerable<OpCase> All =>
    [
        .. ElementwiseTable.All.SelectMany(Elementwise), .. Pointwise(), .. Conversions(), .. Movement(), .. Dynamic(), .. Gathers(),
        .. Contractions(), .. Windows(), .. Bodies(), .. Others(),
    ];

    private static IEnumerable<OpCase> Elementwise(ElementwiseFn fn) =>
        from type in Enum.GetValues<DType>()
        where fn.Accepts.Contains(type)
        from shape in Shapes
        let tolerance = fn.MaxUlp == 0 || !type.IsFloating() ? 0 : type switch { DType.F64 => 1e-10, DType.F32 => 2.5e-7, _ => 8e-3 }
        select new OpCase(
            fn.Name, $"{type.Name()}{shape}", Operands(fn, new TensorType(type, shape)), (b, x) => b.Elementwise(fn, x))
        { Tolerance = tolerance };

    // Every special value meets every other one in the largest shape.
    private static Literal[] Operands(ElementwiseFn fn, TensorType type)
    {
        Scalar[] values = SpecialValues.Of(type.DType);
        int rows = fn.Arity == 1 ? 1 : values.Length;
        TensorType tensor = type.Rank < 3 ? type : type with { Shape = Shape.Of(rows, 1, values.Length) };
        int[] periods = [1, values.Length];
        return [.. Enumerable.Range(0, fn.Arity).Select(i =>
        {
            int position = 0;
            return Literal.Generate(tensor, _ => values[position++ / periods[i] % values.Length]);
        })];
    }

    private static IEnumerable<OpCase> Pointwise()
    {
        foreach (DType type in SpecialValues.Types)
        {
            Literal[] pairs = Operands(ElementwiseTable.Maximum, new TensorType(type, Shape.Of(1, 1, 1)));
            foreach (CompareDirection direction in Enum.GetValues<CompareDirection>())
            {
                yield return new("compare", $"{type} {direction}", pairs, (b, x) => b.Compare(x[0], x[1], direction));
                yield return new("compare", $"{type} {direction} total", pairs, (b, x) => b.Compare(x[0], x[1], direction, true));
            }
            Literal predicate = Literal.Generate(new TensorType(DType.Bool, pairs[0].Shape), at => Scalar.FromBool(at[2] % 3 == 0));
            yield return new("select", $"{type}", [predicate, .. pairs], (b, x) => b.Select(x[0], x[1], x[2]));
            yield return new(
                "select", $"{type} scalar", [Literal.FromScalar(Scalar.FromBool(false)), .. pairs],
                (b, x) => b.Select(x[0], x[1], x[2]));
            Literal low = Literal.FromScalar(Scalar.FromNumber(type, 0));
            Literal high = Literal.FromScalar(Scalar.FromNumber(type, type == DType.Bool ? 1 : 2));
            yield return new("clamp", $"{type} scalars", [low, pairs[0], high], (b, x) => b.Clamp(x[0], x[1], x[2]));
            yield return new("clamp", $"{type} tensors", [pairs[1], pairs[0], pairs[1]], (b, x) => b.Clamp(x[0], x[1], x[2]));
        }
    }

    private static IEnumerable<OpCase> Conversions()
    {
        foreach (DType from in SpecialValues.Types)
        {
            Literal values = SpecialValues.Vector(from);
            foreach (DType to in SpecialValues.Types.Where(t => t != from))
            {
                yield return new("convert", $"{from} to {to}", [values], (b, x) => b.Convert(x[0], to));
                int fromBits = from == DType.Bool ? 1 : from.SizeInBits();
                int toBits = to == DType.Bool ? 1 : to.SizeInBits();
                Literal source = toBits <= fromBits ? values : Repeat(values, toBits / fromBits);
                yield return new("bitcast_convert", $"{from} to {to}", [source], (b, x) => b.BitcastConvert(x[0], to));
            }
        }
    }

    private static Literal Repeat(Literal values, int pieces) => Literal.Generate(
        new TensorType(values.DType, Shape.Of(3, pieces)), at => values[((at[0] * 5) + at[1]) % values.ElementCount]);

    private static IEnumerable<OpCase> Movement()
    {
        Literal x = Ramp([3, 4, 5]);
        Literal scalar = Literal.FromScalar(Scalar.FromDouble(DType.F32, -1));
        yield return new("transpose", "rank 3", [x], (b, p) => b.Transpose(p[0], [2, 0, 1]));
        yield return new("transpose", "empty", [Ramp([2, 0])], (b, p) => b.Transpose(p[0], [1, 0]));
        yield return new("reshape", "split and join", [x], (b, p) => b.Reshape(p[0], Shape.Of(2, 6, 5)));
        yield return new("reshape", "to scalar", [Ramp([1, 1])], (b, p) => b.Reshape(p[0], Shape.Scalar));
        yield return new("reshape", "empty", [Ramp([0, 3])], (b, p) => b.Reshape(p[0], Shape.Of(5, 0)));
        yield return new(
            "broadcast_in_dim", "size 1", [Ramp([1, 3])], (b, p) => b.BroadcastInDim(p[0], Shape.Of(3, 2, 4), [2, 0]));
        yield return new("broadcast_in_dim", "scalar", [scalar], (b, p) => b.BroadcastInDim(p[0], Shape.Of(2, 0, 3), []));
        yield return new("slice", "strided", [x], (b, p) => b.Slice(p[0], [1, 0, 1], [3, 4, 5], [1, 3, 2]));
        yield return new("slice", "nothing", [x], (b, p) => b.Slice(p[0], [1, 2, 5], [1, 4, 5]));
        yield return new("slice", "scalar", [scalar], (b, p) => b.Add(new SliceOp([], [], []), p[0]));
        yield return new("reverse", "two", [x], (b, p) => b.Reverse(p[0], [2, 0]));
        yield return new("reverse", "empty", [Ramp([0, 3])], (b, p) => b.Reverse(p[0], [0]));
        yield return new(
            "concatenate", "middle", [x, Ramp([3, 0, 5]), Ramp([3, 1, 5], -1), Ramp([3, 2, 5], 2)],
            (b, p) => b.Concatenate(p, 1));
        yield return new("concatenate", "one", [x], (b, p) => b.Add(new ConcatenateOp(0), p[0]));
        yield return new("concatenate", "empty", [Ramp([0]), Ramp([0])], (b, p) => b.Concatenate(p, 0));
        yield return new("pad", "around", [x, scalar], (b, p) => b.Pad(p[0], p[1], [1, 0, 2], [0, 3, 1]));
        yield return new("pad", "between", [x, scalar], (b, p) => b.Pad(p[0], p[1], [0, 1, 0], [0, 0, 0], [2, 1, 0]));
        yield return new("pad", "negative", [x, scalar], (b, p) => b.Pad(p[0], p[1], [-1, 2, -2], [0, -3, -1], [1, 0, 2]));
        yield return new("pad", "cut to nothing", [Ramp([3]), scalar], (b, p) => b.Pad(p[0], p[1], [-2], [-1]));
        yield return new("pad", "empty", [Ramp([0]), scalar], (b, p) => b.Pad(p[0], p[1], [2], [1], [3]));
        yield return new("pad", "scalar", [scalar, scalar], (b, p) => b.Add(new PadOp([], [], []), p[0], p[1]));
        foreach (DType type in SpecialValues.Types.Where(t => DTypeSet.Numeric.Contains(t)))
        {
            yield return new("iota", type.Name(), [], (b, _) => b.Iota(new TensorType(type, Shape.Of(2, 300)), 1));
        }
        yield return new("constant", "elements", [], (b, _) => b.Constant(x));
        yield return new("constant", "splat", [], (b, _) => b.Constant(Literal.Splat(x.Type, scalar[0])));
        yield return new("parameter", "whole", [x], (_, p) => p[0]);
        yield return new("dim_value", "number", [], (b, _) => b.Add(new DimValueOp(7)));
    }

    private static IEnumerable<OpCase> Dynamic()
    {
        Literal x = Ramp([4, 5]);
        Literal update = Ramp([2, 3], -1, -1);
        foreach (DType type in SpecialValues.Types.Where(t => t.IsInteger()))
        {
            Scalar lowest = Scalar.Lowest(type);
            Scalar highest = Scalar.Highest(type);
            foreach ((Scalar row, Scalar column) in new[] { (lowest, highest), (Scalar.One(type), Scalar.One(type)) })
            {
                Literal[] starts = [Literal.FromScalar(row), Literal.FromScalar(column)];
                yield return new(
                    "dynamic_slice", $"{type} {row} {column}", [x, .. starts], (b, p) => b.DynamicSlice(p[0], p[1..], [2, 3]));
                yield return new(
                    "dynamic_update_slice", $"{type} {row} {column}", [x, update, .. starts],
                    (b, p) => b.DynamicUpdateSlice(p[0], p[1], p[2..]));
            }
        }
        Literal zero = Literal.FromScalar(Scalar.Zero(DType.I32));
        yield return new("dynamic_slice", "scalar", [Literal.FromScalar(x[3])], (b, p) => b.DynamicSlice(p[0], [], []));
        yield return new(
            "dynamic_update_slice", "empty update", [x, Ramp([0, 5]), zero, zero],
            (b, p) => b.DynamicUpdateSlice(p[0], p[1], p[2..]));
    }

    private static IEnumerable<OpCase> Gathers()
    {
        Literal x = I64([3, 4, 2], [.. Enumerable.Range(1, 24)]);
        Literal indices = I64([2, 3, 2], 0, 0, 1, 0, 2, 1, 0, 1, 1, 1, 0, 9);
        yield return new(
            "gather", "specification", [x, indices],
            (b, p) => b.Gather(p[0], p[1], new GatherDimensions([2, 3], [0], [], [], [1, 0], 2), [1, 2, 2]));
        yield return new(
            "gather", "batching", [Ramp([2, 3, 4]), I64([5, 2, 1], 0, 1, 2, 0, 1, 9, -4, 1, 0, 2)],
            (b, p) => b.Gather(p[0], p[1], new GatherDimensions([2], [1], [0], [1], [1], 2), [1, 1, 4]));
        yield return new(
            "gather", "vectors first", [Ramp([4, 5]), I32([2, 3], 0, 3, 9, 1, -1, 4)],
            (b, p) => b.Gather(p[0], p[1], new GatherDimensions([0], [1], [], [], [0, 1], 0), [2, 1], true));
        yield return new("gather", "take", [Ramp([3, 4]), I32([2, 2], 3, 0, 1, 7)], (b, p) => b.Take(p[0], p[1], 1));
        yield return new("gather", "take none", [Ramp([3, 4]), I32([0])], (b, p) => b.Take(p[0], p[1], 0));
        yield return new(
            "gather", "huge index", [Ramp([3]), Literal.From<ulong>([ulong.MaxValue, 1], 2)], (b, p) => b.Take(p[0], p[1], 0));
    }

    private static IEnumerable<OpCase> Contractions()
    {
        yield return new("dot_general", "f32", [Noise([3, 7], 1), Noise([7, 2], 2)], (b, p) => b.Dot(p[0], p[1]))
        { Tolerance = 1e-5 };
        yield return new(
            "dot_general", "batched i32", [Literal.From<int>([.. Enumerable.Range(-6, 12)], 2, 2, 3), I32([2, 3], 1, -2, 3, 4, 5, 6)],
            (b, p) => b.DotGeneral(p[0], p[1], [0], [0], [2], [1]));
        yield return new("dot_general", "nothing summed", [Ramp([2, 0]), Ramp([0, 3])], (b, p) => b.Dot(p[0], p[1]));
        yield return new("reduce", "sum", [Ramp([3, 4, 5])], (b, p) => b.ReduceSum(p[0], [0, 2]));
        yield return new("reduce", "max of nothing", [Ramp([2, 0])], (b, p) => b.ReduceMax(p[0], [1]));
    }

    private static IEnumerable<OpCase> Others()
    {
        Literal x = Ramp([3]);
        Literal state = Literal.From<ulong>([0x0123456789abcdef, ulong.MaxValue - 1], 2);
        foreach (DType type in SpecialValues.Types.Where(t => t.IsInteger()))
        {
            yield return new(
                "rng_bit_generator", type.Name(), [state],
                (b, p) => b.Add(new RngBitGeneratorOp(RngAlgorithm.Philox, new TensorType(type, Shape.Of(3, 3))), p[0]));
        }
        yield return new("optimization_barrier", "two", [x, state], (b, p) => b.Add(new OptimizationBarrierOp(), p));
        yield return new(
            "get_tuple_element", "second", [x, state], (b, p) => b.Add(new GetTupleElementOp(1), b.Add(new OptimizationBarrierOp(), p)));
        yield return new(
            "host_call", "assert", [Literal.FromScalar(Scalar.FromBool(true)), x],
            (b, p) => b.HostCall(HostCallKind.Assert, "holds \"always\"", 3, p));
        yield return new(
            "custom_call", "effect", [x],
            (b, p) => b.CustomCall("vendor.call", p, [x.Type, TensorType.Scalar(DType.I32)], "a=\"b\"\n", hasEffect: true))
        { Runs = false };
    }
}
