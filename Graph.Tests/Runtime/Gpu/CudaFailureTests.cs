using Graphene.Runtime;
using NUnit.Framework;

namespace Graphene.Tests.Runtime.Gpu;

/// <summary>
/// What becomes of calls of the CUDA driver that fail, and of what it lacks: messages that say what to
/// do, and nothing leaks.
/// </summary>
[NonParallelizable] // memory of the process is counted
internal sealed class CudaFailureTests
{
    // Every call that a first and a second run make fails once, each in a process of its own as far as the driver can tell.
    [Test]
    public void WhateverFailsIsReportedAndNothingLeaks()
    {
        string[] calls;
        using (FakeCuda fake = FakeCuda.Load())
        {
            using CudaDevice device = fake.Open();
            using GpuProgram program = GpuProgram.Load(CudaPlans.FourTimes(), device);
            CudaPlans.Run(program, [1]);
            CudaPlans.Run(program, [1]);
            calls = [.. fake.Calls.Distinct()];
        }
        Assert.That(calls, Has.Length.GreaterThan(20));
        // What frees cannot be undone, and is not asked how it went.
        string[] frees = ["Destroy", "Free", "FreeAsync", "FreeHost", "Release", "Unload"];
        foreach (string call in calls.Where(c => !frees.Any(f => c.EndsWith(f, StringComparison.Ordinal)) && c != "cuMemGetInfo"))
        {
            using FakeCuda fake = FakeCuda.Load();
            fake.Fail(call, 0, 700);
            var error = Assert.Throws<GraphException>(() =>
            {
                using CudaDevice device = fake.Open();
                using GpuProgram program = GpuProgram.Load(CudaPlans.FourTimes(), device);
                CudaPlans.Run(program, [1]);
                CudaPlans.Run(program, [1]);
            }, call);
            Assert.That(error!.Message, Does.Contain("CUDA_ERROR_ILLEGAL_ADDRESS (700)").And.Contain("fix"), call);
            Assert.That(error.Id, Is.AnyOf(GpuDiagnostics.CallFailed, GpuDiagnostics.NoDriver, GpuDiagnostics.BadCode), call);
            Assert.That(fake.Violation, Is.Empty, call);
            Assert.That(fake.Live, Is.Zero, $"{call}: something leaks");
        }
    }

    [Test]
    public void AProgramGoesOnAfterAFailureThatPasses()
    {
        using FakeCuda fake = FakeCuda.Load();
        using (CudaDevice device = fake.Open())
        {
            using GpuProgram program = GpuProgram.Load(CudaPlans.FourTimes(), device);
            string[] calls =
                [
                    "cuMemAllocFromPoolAsync", "cuLaunchKernel", "cuStreamEndCapture", "cuGraphInstantiate",
                    "cuMemcpyDtoHAsync",
                ];
            foreach (string call in calls)
            {
                fake.Fail(call, 0, 1);
                int failures = 0;
                for (int i = 0; i < 3; i++)
                {
                    try
                    {
                        Assert.That(CudaPlans.Run(program, [1, 2]), Is.EqualTo(new float[] { 4, 8 }), call);
                    }
                    catch (GraphException)
                    {
                        failures++;
                    }
                }
                Assert.That(failures, Is.EqualTo(1), call);
                program.Trim();
            }
        }
        fake.AssertClean();
    }

    [Test]
    public void TooLittleMemoryNamesTheLargestBuffers()
    {
        using FakeCuda fake = FakeCuda.Load();
        fake.SetCapacity(2 << 20);
        using (CudaDevice device = fake.Open())
        {
            using GpuProgram program = GpuProgram.Load(CudaPlans.FourTimes(), device);
            var error = Assert.Throws<GraphException>(() => CudaPlans.Run(program, new float[1 << 20]));
            Assert.That(error!.Id, Is.EqualTo(GpuDiagnostics.OutOfMemory));
            Assert.That(error.Message, Does.Contain("4.0 MiB written by double it").And.Contain("2.0 MiB left"));
            Assert.That(CudaPlans.Run(program, [1]), Is.EqualTo(new float[] { 4 }));
        }
        fake.AssertClean();
    }

    [Test]
    public void CodeThatTheDriverRefusesComesWithItsLog()
    {
        using FakeCuda fake = FakeCuda.Load();
        using (CudaDevice device = fake.Open())
        {
            Executable executable = CudaPlans.FourTimes("no code at all");
            var error = Assert.Throws<GraphException>(() => GpuProgram.Load(executable, device));
            executable.Dispose();
            Assert.That(error!.Id, Is.EqualTo(GpuDiagnostics.BadCode));
            Assert.That(error.Message, Does.Contain("Missing .version directive").And.Contain("CUDA_ERROR_INVALID_PTX"));
        }
        fake.AssertClean();
    }

    [TestCase("sm_90a", null)]
    [TestCase("sm_80", null)]
    [TestCase("sm_100", "its code is for sm_100, this is sm_90")]
    [TestCase("sm_80a", "its code is for sm_80a alone, this is sm_90")]
    [TestCase("avx2", "its target 'avx2' is no GPU")]
    public void CodeRunsOnItsArchitectureAndLaterOnes(string target, string? problem) =>
        Assert.That(CudaTarget.WhyNot(target, 90), Is.EqualTo(problem));

    [Test]
    public void WhatIsMissingIsSaid()
    {
        using FakeCuda fake = FakeCuda.Load();
        fake.Fail("cuInit", 0, 100);
        var error = Assert.Throws<GraphException>(() => fake.Open());
        Assert.That(error!.Message, Does.Contain("CUDA_ERROR_NO_DEVICE (100)").And.Contain("nvidia-smi"));
        fake.SetDevices(0);
        error = Assert.Throws<GraphException>(() => fake.Open());
        Assert.That(error!.Id, Is.EqualTo(GpuDiagnostics.NoDevice));
        error = Assert.Throws<GraphException>(() => CudaLibrary.Load("libc.so.6"));
        Assert.That(error!.What, Does.Contain("too old, or libc.so.6 is none"));
    }

    [Test]
    public void ADriverWithoutTensorMapsSaysSo()
    {
        using FakeCuda fake = FakeCuda.Load(isOld: true);
        using (CudaDevice device = fake.Open())
        {
            using var program = (GpuProgram)GpuProgram.Load(CudaPlans.Mapped(), device);
            var error = Assert.Throws<GraphException>(() => CudaPlans.Run(program, new float[8]));
            Assert.That(error!.Id, Is.EqualTo(GpuDiagnostics.NoTensorMaps));
            Assert.That(error.Message, Does.Contain("GR6508").And.Contain("525 (CUDA 12.0)").And.Contain("sm_90 instead of sm_90a"));
        }
        fake.AssertClean();
    }
}
