namespace Graphene.Runtime;

/// <summary>Code on a device.</summary>
internal abstract class GpuCode : IDisposable
{
    /// <summary>Finds a kernel.</summary>
    /// <param name="kernel">What the plan says about it.</param>
    /// <exception cref="GraphException">GR6505: there is no such kernel, or the device cannot run it.</exception>
    public abstract GpuFunction Function(GpuKernel kernel);

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>A kernel, ready to be started; it lives as long as its module.</summary>
internal abstract class GpuFunction
{
    /// <summary>The most tasks that one start may have.</summary>
    public const long MostTasks = int.MaxValue;
}

/// <summary>The forms of code that devices take; the values are part of the file format.</summary>
public enum GpuCodeForm
{
    /// <summary>PTX, which the CUDA driver translates for the GPU that is there.</summary>
    Ptx = 1,

    /// <summary>The text of kernels, one after the other, for a device that interprets them.</summary>
    KernelText = 2,
}
