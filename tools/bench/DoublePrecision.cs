namespace Graphene.Bench;

/// <summary>The same program with f64 in the place of f32: its results are exact for whoever judges f32 by them.</summary>
internal static class DoublePrecision
{
    /// <summary>Widens constants, inputs and everything that is computed from them.</summary>
    /// <exception cref="BenchException">The program looks at the bits of f32 values, or calls code that does.</exception>
    public static Module Of(Module module) => module with { Entry = Of(module.Entry, module.Provenance) };

    /// <summary>The elements as f64 where they are f32.</summary>
    public static Literal Of(Literal value) => value.DType == DType.F32
        ? Literal.From<double>(Array.ConvertAll(value.As<float>().ToArray(), x => (double)x), value.Shape.ToStatic())
        : value;

    private static Computation Of(Computation computation, ProvenanceTable? provenance) =>
        ComputationCloner.Rebuild(computation, node => Of(node.Op), provenance);

    private static Op Of(Op op) => op switch
    {
        ParameterOp p => p with { Type = Of(p.Type) },
        ConstantOp c => new ConstantOp(Of(c.Value)),
        IotaOp iota => iota with { Type = Of(iota.Type) },
        ConvertOp convert => new ConvertOp(Of(convert.Type)),
        DotGeneralOp dot => dot with { ResultType = Of(dot.ResultType) },
        ConvolutionOp convolution => convolution with { ResultType = Of(convolution.ResultType) },
        BitcastConvertOp or CustomCallOp => throw new BenchException($"{op.Name} has no meaning with f64 in the place of f32"),
        _ when op.Computations.IsEmpty => op,
        _ => op.WithComputations([.. op.Computations.Select(c => Of(c, null))]),
    };

    private static TensorType Of(TensorType type) => type with { DType = Of(type.DType) };

    private static DType Of(DType type) => type == DType.F32 ? DType.F64 : type;
}
