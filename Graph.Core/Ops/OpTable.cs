using System.Collections.Frozen;

namespace Graphene;

/// <summary>A row of <see cref="OpTable"/>.</summary>
/// <param name="Name">The name in IR text.</param>
/// <param name="Parse">Makes the op from its attributes.</param>
public sealed record OpEntry(string Name, Func<AttributeReader, Op> Parse)
{
    /// <summary>An attribute written in the place of the operands, which the op does not have: <c>parameter(0)</c>.</summary>
    public string? InlineAttribute { get; init; }

    /// <summary>The row of the elementwise table, for ops that are one.</summary>
    public ElementwiseFn? Fn { get; init; }
}

/// <summary>The one list of all ops. Printer, parser, tests and the op reference in docs are driven by it.</summary>
public static class OpTable
{
    private static readonly OpEntry[] Structural =
    [
        new("bitcast_convert", BitcastConvertOp.Parse),
        new("broadcast_in_dim", BroadcastInDimOp.Parse),
        new("case", CaseOp.Parse),
        new("clamp", ClampOp.Parse),
        new("compare", CompareOp.Parse),
        new("composite", CompositeOp.Parse),
        new("concatenate", ConcatenateOp.Parse),
        new("constant", ConstantOp.Parse) { InlineAttribute = "value" },
        new("convert", ConvertOp.Parse),
        new("convolution", ConvolutionOp.Parse),
        new("custom_call", CustomCallOp.Parse),
        new("dim_value", DimValueOp.Parse),
        new("dot_general", DotGeneralOp.Parse),
        new("dynamic_slice", DynamicSliceOp.Parse),
        new("dynamic_update_slice", DynamicUpdateSliceOp.Parse),
        new("fusion", FusionOp.Parse),
        new("gather", GatherOp.Parse),
        new("get_tuple_element", GetTupleElementOp.Parse),
        new("host_call", HostCallOp.Parse),
        new("if", IfOp.Parse),
        new("iota", IotaOp.Parse),
        new("optimization_barrier", OptimizationBarrierOp.Parse),
        new("pad", PadOp.Parse),
        new("parameter", ParameterOp.Parse) { InlineAttribute = "number" },
        new("reduce", ReduceOp.Parse),
        new("reduce_window", ReduceWindowOp.Parse),
        new("reshape", ReshapeOp.Parse),
        new("reverse", ReverseOp.Parse),
        new("rng_bit_generator", RngBitGeneratorOp.Parse),
        new("scatter", ScatterOp.Parse),
        new("select", SelectOp.Parse),
        new("select_and_scatter", SelectAndScatterOp.Parse),
        new("slice", SliceOp.Parse),
        new("sort", SortOp.Parse),
        new("transpose", TransposeOp.Parse),
        new("while", WhileOp.Parse),
    ];

    private static readonly FrozenDictionary<string, OpEntry> ByName = ElementwiseTable.All
        .Select(fn => new OpEntry(fn.Name, _ => new ElementwiseOp(fn)) { Fn = fn })
        .Concat(Structural)
        .ToFrozenDictionary(entry => entry.Name);

    /// <summary>All ops, ordered by name.</summary>
    public static IReadOnlyList<OpEntry> All { get; } = [.. ByName.Values.OrderBy(entry => entry.Name, StringComparer.Ordinal)];

    /// <summary>The row with a name; null when there is none.</summary>
    public static OpEntry? Find(string name) => ByName.GetValueOrDefault(name);
}
