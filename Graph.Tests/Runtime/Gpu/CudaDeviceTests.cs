using Graphene.Runtime;
using NUnit.Framework;

namespace Graphene.Tests.Runtime.Gpu;

/// <summary>
/// The binding of the CUDA driver against a driver in C: signatures, the order of calls, what each failure becomes,
/// and that nothing leaks or is freed while it is in use. That the real driver does the same is for a machine with
/// a GPU to show.
/// </summary>
[NonParallelizable] // memory of the process is counted
internal sealed class CudaDeviceTests
{
    [Test]
    public void TheDriverIsAskedWhatTheDeviceIs()
    {
        using FakeCuda fake = FakeCuda.Load();
        using (CudaDevice device = fake.Open())
        {
            Assert.That(device.Name, Is.EqualTo("Fake 0"));
            Assert.That(device.Architecture, Is.EqualTo(90));
            Assert.That(device.Multiprocessors, Is.EqualTo(132));
            Assert.That(device.MemoryBytes, Is.EqualTo(1L << 30));
            Assert.That(device.FreeBytes, Is.EqualTo(1L << 30), "nothing is allocated before it is needed");
        }
        fake.AssertClean();
    }

    [Test]
    public void RunsAreQueuedCapturedAndReplayed()
    {
        using FakeCuda fake = FakeCuda.Load();
        using (CudaDevice device = fake.Open())
        {
            using GpuProgram program = GpuProgram.Load(CudaPlans.FourTimes(), device);
            _ = fake.Calls;
            Assert.That(CudaPlans.Run(program, [1, 2, 3]), Is.EqualTo(new float[] { 4, 8, 12 }));
            Assert.That(fake.Calls.Where(IsWork), Is.EqualTo(new[]
            {
                "cuMemAllocFromPoolAsync", "cuMemcpyHtoDAsync", "cuLaunchKernel", "cuLaunchKernel", "cuMemcpyDtoHAsync",
                "cuStreamSynchronize",
            }));
            Assert.That(CudaPlans.Run(program, [5, 6, 7]), Is.EqualTo(new float[] { 20, 24, 28 }));
            Assert.That(fake.Calls.Where(IsWork), Is.EqualTo(new[]
            {
                "cuMemcpyHtoDAsync", "cuStreamBeginCapture", "cuLaunchKernel", "cuLaunchKernel", "cuStreamEndCapture", "cuGraphInstantiate",
                "cuGraphDestroy", "cuGraphLaunch", "cuMemcpyDtoHAsync", "cuStreamSynchronize",
            }));
            Assert.That(CudaPlans.Run(program, [0, 1, 0]), Is.EqualTo(new float[] { 0, 4, 0 }));
            Assert.That(fake.Calls.Where(IsWork), Is.EqualTo(new[]
            {
                "cuMemcpyHtoDAsync", "cuGraphLaunch", "cuMemcpyDtoHAsync", "cuStreamSynchronize",
            }));
            Assert.That(CudaPlans.Run(program, new float[1000]), Is.EqualTo(new float[1000]), "another shape, in larger memory");
            Assert.That(CudaPlans.Run(program, [9, 9, 9]), Is.EqualTo(new float[] { 36, 36, 36 }), "the graph of other memory is not used");
            Assert.That(fake.GraphLaunches, Is.EqualTo(2));
        }
        fake.AssertClean();
    }

    [Test]
    public void MembersOfABatchAreSideBySideInTheGraph()
    {
        using FakeCuda fake = FakeCuda.Load();
        using (CudaDevice device = fake.Open())
        {
            using GpuProgram program = GpuProgram.Load(CudaPlans.Batch(), device);
            for (int i = 0; i < 3; i++)
            {
                Assert.That(CudaPlans.Run(program, [1, 2]), Is.EqualTo(new float[] { 4, 8 }));
            }
            Assert.That(fake.Calls, Does.Contain("cuStreamWaitEvent"));
            Assert.That(fake.GraphLaunches, Is.EqualTo(2));
        }
        fake.AssertClean();
    }

    [Test]
    public void ALoopReadsItsPredicate()
    {
        using FakeCuda fake = FakeCuda.Load();
        using (CudaDevice device = fake.Open())
        {
            using GpuProgram program = GpuProgram.Load(CudaPlans.Loop(), device);
            for (int i = 0; i < 3; i++)
            {
                Assert.That(CudaPlans.Run(program, [1.5f]), Is.EqualTo(new float[] { 48 }), "doubled five times");
            }
        }
        fake.AssertClean();
    }

    [Test]
    public void BoundCallsAndTensorsOfTheDeviceNeedNoStaging()
    {
        using FakeCuda fake = FakeCuda.Load();
        using (CudaDevice device = fake.Open())
        {
            using GpuProgram program = GpuProgram.Load(CudaPlans.FourTimes(), device);
            using Callable callable = program.MakeCallable();
            using (BoundCall call = callable.Bind([40_000]))
            {
                call.Input<float>(0).Fill(2);
                call.Run();
                Assert.That(call.Output<float>(0).ToArray(), Is.All.EqualTo(8));
                using var x = new DeviceTensor(device, DType.F32, 40_000);
                using var y = new DeviceTensor(device, DType.F32, 40_000);
                x.Write<float>([.. Enumerable.Repeat(3f, 40_000)]);
                call.UseInput(0, x);
                call.UseOutput(0, y);
                _ = fake.Calls;
                call.Run();
                Assert.That(fake.Calls, Has.None.Contains("cuMemcpy"));
                float[] result = new float[40_000];
                y.Read<float>(result);
                Assert.That(result, Is.All.EqualTo(12));
            }
            float[] large = new float[3 << 20]; // staged: in pieces of locked memory
            large[^1] = 1;
            Assert.That(CudaPlans.Run(program, large)[^1], Is.EqualTo(4));
        }
        fake.AssertClean();
    }

    [Test]
    public void TensorMapsAreEncodedForTheAddressesOfEachRun()
    {
        using FakeCuda fake = FakeCuda.Load();
        using (CudaDevice device = fake.Open())
        {
            using var program = (GpuProgram)GpuProgram.Load(CudaPlans.Mapped(), device);
            for (int i = 0; i < 4; i++)
            {
                float[] x = [.. Enumerable.Range(i, 8 * (i / 2 + 1)).Select(v => (float)v)];
                Assert.That(CudaPlans.Run(program, x), Is.EqualTo(x.Select(v => 2 * v)));
                Assert.That(fake.LastMap, Is.EqualTo($"type 11 swizzle 0 sizes 8 {i / 2 + 1} strides 32 box 8 1"));
            }
            Assert.That(fake.Calls.Count(c => c == "cuTensorMapEncodeTiled"), Is.EqualTo(4));
        }
        fake.AssertClean();
    }

    private static bool IsWork(string call) => call.StartsWith("cuMem", StringComparison.Ordinal)
        ? !call.EndsWith("Info", StringComparison.Ordinal) && call != "cuMemHostAlloc"
        : call is "cuLaunchKernel" or "cuStreamSynchronize" or "cuStreamBeginCapture" or "cuStreamEndCapture" ||
            call.StartsWith("cuGraph", StringComparison.Ordinal);
}
