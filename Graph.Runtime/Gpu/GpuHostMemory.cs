namespace Graphene.Runtime;

/// <summary>Frees memory of the host that a device gave. Called on any thread, also that of finalizers; must not throw.</summary>
internal abstract class GpuHostMemory
{
    /// <summary>Frees a piece.</summary>
    public abstract void Free(nint address);
}
