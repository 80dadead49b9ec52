namespace Graphene.Optimizer;

/// <summary>What fusion may do with a node.</summary>
internal enum FusionRole
{
    /// <summary>Not computed by a kernel of ours: parameters, constants in memory, control flow, library-like ops, effects.</summary>
    External,

    /// <summary>Takes a result of another node apart; goes wherever that node goes.</summary>
    TupleElement,

    /// <summary>Needs no memory and next to no time: splat constants, iota. Computed wherever it is needed.</summary>
    Free,

    /// <summary>Computes each element from the operands' elements at the same index.</summary>
    Map,

    /// <summary>Repeats elements.</summary>
    Broadcast,

    /// <summary>The same memory under another shape.</summary>
    Reshape,

    /// <summary>Reorders dimensions.</summary>
    Transpose,

    /// <summary>Reads each operand element at most once, at a computed place: slice, reverse, dynamic_slice.</summary>
    Pick,

    /// <summary>Reads operand elements at places that are data: gather.</summary>
    Gather,

    /// <summary>Puts a result together from pieces: concatenate, pad, dynamic_update_slice. A kernel of its own.</summary>
    Assemble,

    /// <summary>Combines elements along dimensions.</summary>
    Reduce,

    /// <summary>Has an element form that reads many operand elements, some of them repeatedly: pooling and the like.</summary>
    Window,

    /// <summary>A dot or a convolution: the centre of a fusion, which only takes work on its result.</summary>
    Hero,
}

/// <summary>Finds the role of a node.</summary>
internal static class FusionRoles
{
    public static FusionRole Of(Node node) => node.Op switch
    {
        ParameterOp => FusionRole.External,
        GetTupleElementOp => FusionRole.TupleElement,
        { HasSideEffects: true } => FusionRole.External,
        DotGeneralOp => FusionRole.Hero,
        ConvolutionOp => FusionRole.Hero,
        ConstantOp constant => constant.HasElementForm ? FusionRole.Free : FusionRole.External,
        IotaOp or DimValueOp => FusionRole.Free,
        RngBitGeneratorOp => FusionRole.External, // results of two shapes, and bits that belong together in blocks
        { HasElementForm: false } => FusionRole.External,
        BitcastConvertOp when node.Rank == node.Operands[0].Rank => FusionRole.Map,
        { IsElementwise: true } => FusionRole.Map,
        BroadcastInDimOp => FusionRole.Broadcast,
        ReshapeOp => FusionRole.Reshape,
        TransposeOp => FusionRole.Transpose,
        ReduceOp => FusionRole.Reduce,
        SliceOp or ReverseOp or DynamicSliceOp => FusionRole.Pick,
        GatherOp => FusionRole.Gather,
        ConcatenateOp or PadOp or DynamicUpdateSliceOp => FusionRole.Assemble,
        _ => FusionRole.Window,
    };
}
