using Graphene.Codegen;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>The kernels that a module becomes on a GPU.</summary>
internal static class GpuKernels
{
    /// <summary>Lowers a module: the kernels of all steps, those of nested computations too.</summary>
    public static IReadOnlyList<Kernel> Of(Module module, GpuTarget gpu) => [.. new GpuModule(module, gpu).Kernels];
}
