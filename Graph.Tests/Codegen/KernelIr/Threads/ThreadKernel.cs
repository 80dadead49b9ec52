using System.Runtime.InteropServices;
using Graphene.Codegen;

namespace Graphene.Tests.Codegen.KernelIr.Threads;

/// <summary>Kernels with threads as text, run by the interpreter.</summary>
internal static class ThreadKernel
{
    /// <summary>A kernel of 64 threads that reads x and writes y, f32.</summary>
    public static Kernel Of(string body, int tasks = 1, string element = "f32") => KernelParser.Parse(
        $$"""
        kernel "planted" flops=0 bytes=0
        argument 0 x: {{element}} readonly
        argument 1 y: {{element}}
        task b of {{tasks}}
        threads t of 64
        {
        {{body}}
        }
        """);

    /// <summary>Runs a kernel on 256 numbers.</summary>
    public static float[] Run(Kernel kernel)
    {
        float[] x = [.. Enumerable.Range(0, 256).Select(i => (float)i)];
        var y = new float[256];
        Run(kernel, MemoryMarshal.AsBytes(x.AsSpan()).ToArray(), y);
        return y;
    }

    private static void Run(Kernel kernel, byte[] x, float[] y)
    {
        var bytes = new byte[y.Length * sizeof(float)];
        new KernelInterpreter(kernel, [x, bytes]).Run();
        MemoryMarshal.Cast<byte, float>(bytes).CopyTo(y);
    }
}
