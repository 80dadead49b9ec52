using ManagedCuda.BasicTypes;

namespace Graphene.Runtime;

/// <summary>A graph of the driver, ready to be started.</summary>
internal sealed unsafe class CudaGraph : GpuGraph
{
    private readonly CudaDevice _device;
    private readonly CUgraphExec _graph;
    private bool _disposed;

    /// <summary>Makes what was captured ready; the capture itself is freed in any case.</summary>
    public CudaGraph(CudaDevice device, CUgraph captured)
    {
        _device = device;
        fixed (CUgraphExec* graph = &_graph)
        {
            CUResult result = device.Driver.cuGraphInstantiate(graph, captured, 0);
            _ = device.Driver.cuGraphDestroy(captured);
            device.Check(result, "cuGraphInstantiate");
        }
    }

    /// <summary>The driver's handle.</summary>
    public CUgraphExec Handle => _graph;

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _device.MakeCurrent();
            _ = _device.Driver.cuGraphExecDestroy(_graph);
        }
    }
}
