using Graphene.Codegen;

namespace Graphene.Tests.Codegen.KernelIr;

/// <summary>Kernels that apply one expression along arrays.</summary>
internal static class MapKernel
{
    /// <summary>Result = f(operands), whole vectors first and single lanes for what is left.</summary>
    public static Kernel Of(
        string name, DType[] operands, DType result, long count, int lanes, Func<KExpr[], KExpr> f)
    {
        KBuffer[] inputs = [.. operands.Select((t, i) => KBuffer.ForArgument($"x{i}", t, i, isReadOnly: true))];
        KBuffer output = KBuffer.ForArgument("y", result, inputs.Length, isReadOnly: false);
        long body = count / lanes * lanes;
        var b = new KBuilder();
        b.For("i", 0, body, lanes, i => b.Store(output, i, f(Load(i, lanes))));
        b.For("i", body, count, 1, i => b.Store(output, i, f(Load(i, 1))));
        return new Kernel(name, [.. inputs, output], new KVariable("task", KType.Index), 1, b.ToBlock(), default);

        KExpr[] Load(KExpr at, int lanes) => [.. inputs.Select(x => new KLoad(x, at, lanes))];
    }
}
