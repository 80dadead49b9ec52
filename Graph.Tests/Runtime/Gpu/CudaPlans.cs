using System.Text;
using Graphene.Runtime;

namespace Graphene.Tests.Runtime.Gpu;

/// <summary>Plans of kernels that the driver in C knows: y is x times four, computed in several ways.</summary>
internal static class CudaPlans
{
    private static readonly DimSymbol Count = new("n", 0, 1 << 24);

    /// <summary>y = 2 (2 x), through a temporary.</summary>
    public static Executable FourTimes(string code = ".version 7.0 twice") => Plan(
        code,
        [BufferSpec.Parameter(0, 4 * (Dim)Count), BufferSpec.Temp(4 * (Dim)Count, 0, 1), BufferSpec.Result(0, 4 * (Dim)Count)],
        [Twice(0, 1, 0), Twice(1, 2, 1)]);

    /// <summary>The same, computed twice at a time.</summary>
    public static Executable Batch() => Plan(
        ".version 7.0 twice",
        [
            BufferSpec.Parameter(0, 4 * (Dim)Count), BufferSpec.Temp(4 * (Dim)Count, 0, 2), BufferSpec.Temp(4 * (Dim)Count, 0, 2),
            BufferSpec.Result(0, 4 * (Dim)Count),
        ],
        [new GpuStep.SideBySide([Twice(0, 1, 0), Twice(0, 2, 0)]), Twice(2, 3, 1)]);

    /// <summary>Doubles in place while a counter is below 5.</summary>
    public static Executable Loop() => Plan(
        ".version 7.0 twice count",
        [
            BufferSpec.Parameter(0, 4 * (Dim)Count), BufferSpec.Result(0, 4 * (Dim)Count),
            BufferSpec.Temp(4, 0, 9), BufferSpec.Temp(1, 0, 9),
            BufferSpec.Constant(0, 4),
        ],
        [
            new GpuStep.Copy(0, 1, 4 * (Dim)Count),
            new GpuStep.Copy(4, 2, 4),
            new GpuStep.Loop(
                [new GpuStep.Launch(1, 1, [GpuArgument.Of(2), GpuArgument.Of(3), GpuArgument.Of((Dim)5)], 1)], 3, [Twice(1, 1, 0)]),
        ],
        BitConverter.GetBytes(-1));

    /// <summary>y = 2 x, of a tensor with lines of 8.</summary>
    public static Executable Mapped() => Plan(
        ".version 8.0 mapped", [BufferSpec.Parameter(0, 4 * (Dim)Count), BufferSpec.Result(0, 4 * (Dim)Count)],
        [
            new GpuStep.Launch(0, 1, [GpuArgument.Of(1), GpuArgument.Of((Dim)Count)], 0)
            {
                Maps =
                [
                    new GpuTensorMap(0, DType.F32)
                    {
                        Sizes = [8, Dim.FloorDiv(Count, 8)], StridesInBytes = [32], Box = [8, 1], RoundsToTensorFloat32 = true,
                    },
                ],
            },
        ],
        kernel: new GpuKernel("mapped", 0, 32, 0, [GpuParameter.Write, GpuParameter.Number, GpuParameter.TensorMap]));

    /// <summary>The output of a run.</summary>
    public static float[] Run(GpuProgram program, float[] x) =>
        program.Run(new Dictionary<string, Feed> { ["x"] = x })[0].As<float>().ToArray();

    private static GpuStep.Launch Twice(int from, int to, int call) => new(
        0, Dim.CeilDiv(Count, 32), [GpuArgument.Of(from), GpuArgument.Of(to), GpuArgument.Of((Dim)Count)], call);

    private static Executable Plan(
        string code, BufferSpec[] buffers, GpuStep[] steps, byte[]? constant = null, GpuKernel? kernel = null)
    {
        var type = new TensorType(DType.F32, [(Dim)Count]);
        var constants = new ConstantWriter();
        if (constant is not null)
        {
            constants.Add(constant);
        }
        return Executable.Create(
            new ExecutablePlan
            {
                Name = "four times",
                CompilerVersion = "test",
                TargetTriple = GpuPlan.Triple,
                CpuFeatures = "sm_80",
                EntrySymbol = GpuPlan.Entry,
                Symbols = [Count],
                Inputs = [new InputSpec("x", type)],
                Outputs = [new OutputSpec("y", type, Array.FindIndex(buffers, b => b.Kind == BufferKind.Result))],
                Buffers = [.. buffers],
                Kernels =
                [
                    new KernelSpec("twice", "double it", Count, 8 * (Dim)Count),
                    new KernelSpec("twice", "double it again", Count, 8 * (Dim)Count),
                ],
                Gpu = new GpuPlan
                {
                    Form = GpuCodeForm.Ptx,
                    Kernels =
                    [
                        kernel ?? new GpuKernel("twice", 0, 32, 0, [GpuParameter.Read, GpuParameter.Write, GpuParameter.Number]),
                        .. code.Contains("count", StringComparison.Ordinal)
                            ? new[] { new GpuKernel("count", 0, 32, 0, [GpuParameter.Write, GpuParameter.Write, GpuParameter.Number]) }
                            : [],
                    ],
                    Steps = [.. steps],
                },
            },
            [new ObjectCode("kernels.ptx", Encoding.UTF8.GetBytes(code))],
            constants.ToData());
    }
}
