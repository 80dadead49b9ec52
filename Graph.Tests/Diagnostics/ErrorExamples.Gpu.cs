using Graphene.Codegen;
using Graphene.Runtime;
using Graphene.Tests.Runtime.Gpu;
using ManagedCuda.BasicTypes;

namespace Graphene.Tests.Diagnostics;

internal static partial class ErrorExamples
{
    // On every machine, so without a driver: what the real ones say is translated by the same code.
    private static ErrorExample[] Gpu() =>
    [
        Of(GpuDiagnostics.NoDriver, () => CudaLibrary.Load("/no/such/folder/libcuda.so.1")),
        Of(GpuDiagnostics.CallFailed, () => throw CudaErrors.Of(null, CUResult.ErrorLaunchTimeout, "cuStreamSynchronize")),
        Of(GpuDiagnostics.OutOfMemory, () =>
        {
            var graph = new Graph("twice");
            Tensor x = graph.Placeholder(DType.F32, ["n"], "x");
            using var device = new InterpretedGpu(memoryBytes: 1 << 20);
            using var session = new Session(graph, new GpuTestSession.Uncached(device));
            session.Run(x * 2, (x, new float[1 << 20]));
        }),
        Of(GpuDiagnostics.WrongDevice, () =>
        {
            var graph = new Graph("twice");
            Tensor y = graph.Placeholder(DType.F32, [4], "x") * 2;
            using var device = new InterpretedGpu();
            var log = Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;
            GpuProgram.Load(GraphCompiler.Cpu().Compile(graph.ToModule([y]), log, default), device);
        }),
        Of(GpuDiagnostics.BadCode, () =>
        {
            using var device = new InterpretedGpu();
            device.LoadCode("kernels", "no kernels at all"u8.ToArray());
        }),
        Of(GpuDiagnostics.NoDevice, () => throw CudaDevice.NoDevice(number: 4, count: 2)),
        Of(GpuDiagnostics.NoTensorMaps, () => throw CudaTensorMaps.Missing("NVIDIA H100 80GB HBM3")),
    ];
}
