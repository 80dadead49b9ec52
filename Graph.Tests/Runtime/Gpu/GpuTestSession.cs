using Graphene.Codegen;
using Graphene.Runtime;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace Graphene.Tests.Runtime.Gpu;

/// <summary>A device that interprets, and a compiler for it that keeps nothing on disk; looks for leaks when it is disposed.</summary>
internal sealed class GpuTestSession : IDisposable
{
    private readonly long _hostBytes = NativeBlock.LiveBytes;

    public GpuTestSession(long memoryBytes = 64 << 20) => Device = new InterpretedGpu(90, memoryBytes);

    public InterpretedGpu Device { get; }

    public IGraphCompiler Compiler => new Uncached(Device);

    public Session Open(Graph graph, SessionOptions? options = null) => new(graph, Compiler, options);

    public Session Open(Module module, SessionOptions? options = null) => new(module, Compiler, options);

    /// <summary>Sessions are disposed before: nothing of them may be left on the device, nor in the host's memory.</summary>
    public void Dispose()
    {
        Device.Dispose();
        Assert.That(Device.LiveAllocations, Is.Zero, $"{Device.LiveBytes} bytes of the device leak");
        Assert.That(Device.LiveGraphs, Is.Zero, "graphs leak");
        Assert.That(Device.LiveHandles, Is.Zero, "streams, events or modules leak");
        Assert.That(NativeBlock.LiveBytes, Is.LessThanOrEqualTo(_hostBytes), "memory of the host leaks");
    }

    /// <summary>Compiles without a disk cache.</summary>
    internal sealed class Uncached(GpuDevice device) : IGraphCompiler
    {
        private readonly GpuCompiler _compiler = GraphCompiler.Gpu(device);

        public string Device => "interpreter";

        public GraphProgram Compile(Module module, ILogger logger, CancellationToken cancellation)
        {
            // Through the file format, so that everything a plan says survives it.
            using var file = new MemoryStream();
            using (Executable executable = _compiler.Compile(module, NullLogger.Instance, cancellation))
            {
                executable.Write(file);
            }
            string path = Path.Combine(Path.GetTempPath(), $"graphene-gpu-{Guid.NewGuid():N}");
            File.WriteAllBytes(path, file.ToArray());
            try
            {
                return _compiler.Load(Executable.Read(path));
            }
            finally
            {
                File.Delete(path);
            }
        }
    }
}
