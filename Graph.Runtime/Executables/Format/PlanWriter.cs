namespace Graphene.Runtime;

/// <summary>Writes a plan as bytes; <see cref="PlanReader"/> is the exact inverse.</summary>
/// <remarks>
/// A dim is written as the steps of its <see cref="DimProgram"/>. Symbols come before whatever mentions them.
/// </remarks>
internal sealed partial class PlanWriter : FieldWriter
{
    private readonly DimSymbol[] _symbols;

    private PlanWriter(DimSymbol[] symbols) => _symbols = symbols;

    /// <summary>The bytes of a plan.</summary>
    public static byte[] Write(ExecutablePlan plan, IReadOnlyList<ObjectCode> objects)
    {
        var w = new PlanWriter(plan.SymbolTable);
        w.Text(plan.Name);
        w.Text(plan.CompilerVersion);
        w.Text(plan.TargetTriple);
        w.Text(plan.CpuFeatures);
        w.Text(plan.EntrySymbol);
        w.List([.. objects.Select(o => o.Name)], w.Text);
        w.List(plan.Symbols, w.Symbol);
        w.List(plan.Inputs, w.Input);
        w.List(plan.Outputs, w.Output);
        w.List(plan.Buffers, w.Buffer);
        w.List(plan.Checks, w.Check);
        w.List(plan.NativeChecks, w.Text);
        w.List(plan.HostCalls, w.HostCall);
        w.List(plan.Kernels, w.Kernel);
        w.Gpu(plan.Gpu);
        return w.ToArray();
    }

    private void Symbol(DimSymbol symbol)
    {
        Text(symbol.Name);
        Int64(symbol.Min);
        Int64(symbol.Max);
    }

    private void Input(InputSpec input)
    {
        Text(input.Name);
        Type(input.Type);
        Int32(input.DefaultBuffer);
    }

    private void Output(OutputSpec output)
    {
        Text(output.Name);
        Type(output.Type);
        Int32(output.Buffer);
    }

    private void Buffer(BufferSpec buffer)
    {
        Int32((int)buffer.Kind);
        Dim(buffer.SizeInBytes);
        Int32(buffer.Index);
        Int32(buffer.Offset is null ? 0 : 1);
        if (buffer.Offset is { } offset)
        {
            Dim(offset);
        }
        Int32(buffer.FirstStep);
        Int32(buffer.LastStep);
    }

    private void Check(ShapeCheck check)
    {
        Dim(check.Condition.Left);
        Int32((int)check.Condition.Relation);
        Dim(check.Condition.Right);
        Text(check.Where);
    }

    private void HostCall(HostCallSpec call)
    {
        Int32((int)call.Kind);
        Text(call.Message);
        List(call.Operands, Type);
        Int32(call.Origin is null ? 0 : 1);
        Text(call.Origin ?? "");
    }

    private void Kernel(KernelSpec kernel)
    {
        Text(kernel.Name);
        Text(kernel.Source);
        Dim(kernel.Flops);
        Dim(kernel.Bytes);
    }

    private void Type(TensorType type)
    {
        Int32((int)type.DType);
        List([.. type.Shape], Dim);
    }

    private void Dim(Dim dim)
    {
        DimStep[] steps = DimProgram.Compile(dim, _symbols).Steps;
        Int32(steps.Length);
        foreach (DimStep step in steps)
        {
            Byte((byte)step.Code);
            Int64(step.Value);
        }
    }
}
