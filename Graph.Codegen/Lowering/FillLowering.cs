namespace Graphene.Codegen;

/// <summary>Kernels that copy a tensor, or fill one with a scalar: the first step of ops that then write single elements.</summary>
internal static class FillLowering
{
    private const long ElementsPerTask = 65536;

    /// <summary>Copies all elements; both have one type.</summary>
    public static LoweredKernel Copy(string name, KernelOperand from, KernelOperand to, TensorType type, KernelTarget target) =>
        Emit(name, from, to, type, target, (buffer, at, lanes, mask) => new KLoad(buffer, at, lanes, mask));

    /// <summary>Puts a scalar into every element.</summary>
    public static LoweredKernel Fill(string name, KernelOperand scalar, KernelOperand to, TensorType type, KernelTarget target) =>
        Emit(name, scalar, to, type, target, (buffer, _, lanes, _) => KBuilder.Broadcast(new KLoad(buffer, 0), lanes));

    private static LoweredKernel Emit(
        string name, KernelOperand from, KernelOperand to, TensorType type, KernelTarget target,
        Func<KBuffer, KExpr, int, KExpr?, KExpr> value)
    {
        var arguments = new KernelArguments();
        KBuffer source = arguments.Input("from", type.DType, from);
        KBuffer result = arguments.Output("to", type.DType, to);
        var b = new KBuilder();
        var task = new KVariable("task", KType.Index);
        int lanes = target.Lanes(type.DType);
        KExpr count = KBuilder.Value(type.Shape.ElementCount);
        KExpr begin = b.Let("begin", KBuilder.Multiply(task, ElementsPerTask));
        KExpr end = b.Let("end", KBuilder.Minimum(KBuilder.Add(begin, ElementsPerTask), count));
        b.ForVectors(begin, end, lanes, (i, mask) => b.Store(result, i, value(source, i, lanes, mask), mask));
        var kernel = new Kernel(
            name, arguments.Buffers, task, KBuilder.CeilDiv(count, ElementsPerTask), b.ToBlock(),
            new KernelCost(0, type.SizeInBytes * 2));
        return new LoweredKernel(kernel, arguments.Operands);
    }
}
