using System.Runtime.InteropServices;
using Graphene.Codegen;
using Graphene.Codegen.Llvm;
using Graphene.Tests.Codegen.KernelIr;

namespace Graphene.Tests.Codegen.VectorMath;

/// <summary>Runs one instruction, compiled, along arrays.</summary>
internal static class VectorMathRunner
{
    public static readonly ScalarOp[] Unary =
    [
        ScalarOp.Exponential, ScalarOp.ExponentialMinusOne, ScalarOp.Log, ScalarOp.LogPlusOne, ScalarOp.Sine,
        ScalarOp.Cosine, ScalarOp.Tangent, ScalarOp.HyperbolicTangent, ScalarOp.Logistic, ScalarOp.ErrorFunction,
        ScalarOp.CubeRoot, ScalarOp.ReciprocalSquareRoot,
    ];

    public static readonly ScalarOp[] Binary = [ScalarOp.Power, ScalarOp.ArcTangent2];

    /// <summary>What <see cref="ScalarOp"/> promises.</summary>
    public static double MaxUlp(ScalarOp op, DType type) => op switch
    {
        ScalarOp.Tangent or ScalarOp.Power or ScalarOp.ArcTangent2 => 4,
        ScalarOp.HyperbolicTangent when type == DType.F32 => 2.5,
        _ => 2,
    };

    public static T[] Run<T>(ScalarOp op, int lanes, params T[][] operands)
        where T : unmanaged => Run(x => KBuilder.Call(op, x), lanes, operands);

    /// <summary>As it runs on a machine whose instructions this one has.</summary>
    public static T[] Run<T>(ScalarOp op, int lanes, LlvmTarget? target, params T[][] operands)
        where T : unmanaged => Run(x => KBuilder.Call(op, x), lanes, target, operands);

    public static T[] Run<T>(Func<KExpr[], KExpr> f, int lanes, params T[][] operands)
        where T : unmanaged => Run(f, lanes, null, operands);

    private static T[] Run<T>(Func<KExpr[], KExpr> f, int lanes, LlvmTarget? target, params T[][] operands)
        where T : unmanaged
    {
        DType type = DTypeFacts.Of<T>();
        int count = operands[0].Length;
        DType[] types = [.. operands.Select(_ => type)];
        Kernel kernel = MapKernel.Of("map", types, type, count, lanes, f);
        byte[][] buffers = [.. operands.Select(x => MemoryMarshal.AsBytes<T>(x).ToArray()), new byte[count * type.SizeInBytes()]];
        using var compiled = new CompiledKernel(kernel, target);
        compiled.Run(0, 1, buffers);
        return MemoryMarshal.Cast<byte, T>(buffers[^1]).ToArray();
    }
}
