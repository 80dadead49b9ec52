using Graphene.Codegen;
using Graphene.Runtime;
using NUnit.Framework;

namespace Graphene.Tests.Runtime.Gpu;

/// <summary>
/// Memory of the device: how much is there when, what is copied, what is shared, and what happens where
/// there is too little.
/// </summary>
[NonParallelizable] // memory of the process is counted
internal sealed class GpuSessionMemoryTests
{
    [Test]
    public void MemoryOnTheDeviceIsExactlyWhatWasPredicted()
    {
        (Graph graph, Tensor x, Tensor y) = GpuPerceptron.Create();
        using var gpu = new GpuTestSession();
        using var session = gpu.Open(graph);
        using Callable callable = session.MakeCallable([y], [x]);
        Assert.That(
            gpu.Device.LiveBytes, Is.EqualTo(callable.PredictMemory([1, 4]).Constants).Within(256 * 4),
            "nothing but constants before a run");
        long constants = gpu.Device.LiveBytes;
        using BoundCall call = callable.Bind([64, 4]);
        call.Run();
        MemoryUse use = callable.PredictMemory([64, 4]);
        Assert.That(gpu.Device.LiveBytes - constants, Is.EqualTo(Align(use.Arena) + Align(use.Inputs) + Align(use.Outputs)));
        callable.Program.Trim();
        Assert.That(gpu.Device.LiveBytes, Is.EqualTo(constants));

        static long Align(long bytes) => (bytes + 255) & ~255;
    }

    [Test]
    public void TensorsOfTheDeviceGoFromCallToCallWithoutCopies()
    {
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, Shape.Of(6), "x");
        Tensor y = (x * 2) + 1;
        using var gpu = new GpuTestSession();
        using var session = gpu.Open(graph);
        using Callable callable = session.MakeCallable([y], [x]);
        using var a = new DeviceTensor(gpu.Device, DType.F32, 6);
        using var b = new DeviceTensor(gpu.Device, DType.F32, 6);
        using BoundCall there = callable.Bind(), back = callable.Bind();
        there.UseInput(0, a);
        there.UseOutput(0, b);
        back.UseInput(0, b);
        back.UseOutput(0, a);
        a.Write<float>([0, 1, 2, 3, 4, 5]);
        for (int i = 0; i < 3; i++)
        {
            there.Run();
            back.Run();
        }
        float[] result = new float[6];
        a.Read<float>(result);
        Assert.That(result, Is.EqualTo(Enumerable.Range(0, 6).Select(v => (64f * v) + 63)));
        using var other = new InterpretedGpu();
        using var elsewhere = new DeviceTensor(other, DType.F32, 6);
        Assert.Throws<ArgumentException>(() => there.UseInput(0, elsewhere));
        using var shorter = new DeviceTensor(gpu.Device, DType.F32, 5);
        Assert.Throws<GraphException>(() => there.UseInput(0, shorter));
    }

    [Test]
    public void LargeCopiesAreStagedInPieces()
    {
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.U8, ["n"], "x");
        using var gpu = new GpuTestSession();
        using var session = gpu.Open(graph);
        byte[] bytes = new byte[(9 << 20) + 5];
        new Random(7).NextBytes(bytes);
        Tensor unchanged = x.Reshape(x.Shape);
        Assert.That(session.Run(unchanged, (x, Feed.Of<byte>(bytes))).As<byte>().SequenceEqual(bytes));
    }

    [Test]
    public void EqualWeightsOfTwoPlansAreOnTheDeviceOnce()
    {
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, Shape.Of(1, 256), "x");
        Tensor w = graph.Constant(Literal.From<float>([.. Enumerable.Range(0, 256 * 128).Select(i => i % 7 * 0.01f)], 256, 128));
        Tensor y = x.MatMul(w);
        Tensor z = y.Tanh();
        using var gpu = new GpuTestSession();
        using (var session = gpu.Open(graph))
        {
            session.Run(y, (x, new float[256]));
            long one = gpu.Device.Constants.Bytes;
            session.Run(z, (x, new float[256]));
            Assert.That(one, Is.GreaterThanOrEqualTo(256 * 128 * sizeof(float)));
            Assert.That(gpu.Device.Constants.Bytes, Is.EqualTo(one));
        }
        Assert.That(gpu.Device.Constants.Bytes, Is.Zero);
    }

    [Test]
    public void TooLittleMemoryIsExplainedAndTheSessionGoesOn()
    {
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, ["n"], "x");
        Tensor y = x.Exp();
        using var gpu = new GpuTestSession(memoryBytes: 1 << 20);
        using var session = gpu.Open(graph);
        session.Run(y, (x, new float[100]));
        var error = Assert.Throws<GraphException>(() => session.Run(y, (x, new float[1 << 20])));
        Assert.That(error!.Id, Is.EqualTo(GpuDiagnostics.OutOfMemory));
        Assert.That(error.Message, Does.Contain("8.0 MiB").And.Contain("4.0 MiB input 'x'").And.Contain("output"));
        Assert.That(session.Run(y, (x, new float[2]))[1].AsDouble, Is.EqualTo(1));
    }

    [Test]
    public void RunsSideBySideHaveMemoryOfTheirOwn()
    {
        (Graph graph, Tensor x, Tensor y) = GpuPerceptron.Create();
        using var gpu = new GpuTestSession();
        using var session = gpu.Open(graph);
        float[][] inputs = [.. Enumerable.Range(0, 24).Select(i => GpuPerceptron.Ramp(8).Select(v => v * (i + 1)).ToArray())];
        float[][] expected = [.. inputs.Select(i => GpuPerceptron.Expected(graph, x, y, i, 2))];
        Parallel.For(0, inputs.Length, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i =>
            Assert.That(
                session.Run(y, (x, Feed.Of<float>(inputs[i], 2, 4))).As<float>().ToArray(), Is.EqualTo(expected[i]).Within(1e-4f)));
    }
}
