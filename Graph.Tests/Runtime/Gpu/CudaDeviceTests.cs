using System.Text;
using Graphene.Runtime;
using NUnit.Framework;

namespace Graphene.Tests.Runtime.Gpu;

/// <summary>
/// The binding of the CUDA driver against a driver in C: signatures, the order of calls, what each failure becomes, and that nothing leaks or
/// is freed while it is in use. That the real driver does the same is for a machine with a GPU to show.
/// </summary>
[NonParallelizable] // memory of the process is counted
internal sealed class CudaDeviceTests
{
    private static readonly DimSymbol Count = new("n", 0, 1 << 24);

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
        AssertClean(fake);
    }

    [Test]
    public void RunsAreQueuedCapturedAndReplayed()
    {
        using FakeCuda fake = FakeCuda.Load();
        using (CudaDevice device = fake.Open())
        {
            using GpuProgram program = GpuProgram.Load(FourTimes(), device);
            _ = fake.Calls;
            Assert.That(Run(program, [1, 2, 3]), Is.EqualTo(new float[] { 4, 8, 12 }));
            Assert.That(fake.Calls.Where(IsWork), Is.EqualTo(new[]
            {
                "cuMemAllocFromPoolAsync", "cuMemcpyHtoDAsync", "cuLaunchKernel", "cuLaunchKernel", "cuMemcpyDtoHAsync", "cuStreamSynchronize",
            }));
            Assert.That(Run(program, [5, 6, 7]), Is.EqualTo(new float[] { 20, 24, 28 }));
            Assert.That(fake.Calls.Where(IsWork), Is.EqualTo(new[]
            {
                "cuMemcpyHtoDAsync", "cuStreamBeginCapture", "cuLaunchKernel", "cuLaunchKernel", "cuStreamEndCapture", "cuGraphInstantiate",
                "cuGraphDestroy", "cuGraphLaunch", "cuMemcpyDtoHAsync", "cuStreamSynchronize",
            }));
            Assert.That(Run(program, [0, 1, 0]), Is.EqualTo(new float[] { 0, 4, 0 }));
            Assert.That(fake.Calls.Where(IsWork), Is.EqualTo(new[]
            {
                "cuMemcpyHtoDAsync", "cuGraphLaunch", "cuMemcpyDtoHAsync", "cuStreamSynchronize",
            }));
            Assert.That(Run(program, new float[1000]), Is.EqualTo(new float[1000]), "another shape, in larger memory");
            Assert.That(Run(program, [9, 9, 9]), Is.EqualTo(new float[] { 36, 36, 36 }), "the graph of other memory is not used");
            Assert.That(fake.GraphLaunches, Is.EqualTo(2));
        }
        AssertClean(fake);
    }

    [Test]
    public void MembersOfABatchAreSideBySideInTheGraph()
    {
        using FakeCuda fake = FakeCuda.Load();
        using (CudaDevice device = fake.Open())
        {
            using GpuProgram program = GpuProgram.Load(Batch(), device);
            for (int i = 0; i < 3; i++)
            {
                Assert.That(Run(program, [1, 2]), Is.EqualTo(new float[] { 4, 8 }));
            }
            Assert.That(fake.Calls, Does.Contain("cuStreamWaitEvent"));
            Assert.That(fake.GraphLaunches, Is.EqualTo(2));
        }
        AssertClean(fake);
    }

    [Test]
    public void ALoopReadsItsPredicate()
    {
        using FakeCuda fake = FakeCuda.Load();
        using (CudaDevice device = fake.Open())
        {
            using GpuProgram program = GpuProgram.Load(Loop(), device);
            for (int i = 0; i < 3; i++)
            {
                Assert.That(Run(program, [1.5f]), Is.EqualTo(new float[] { 48 }), "doubled five times");
            }
        }
        AssertClean(fake);
    }

    [Test]
    public void BoundCallsAndTensorsOfTheDeviceNeedNoStaging()
    {
        using FakeCuda fake = FakeCuda.Load();
        using (CudaDevice device = fake.Open())
        {
            using GpuProgram program = GpuProgram.Load(FourTimes(), device);
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
            Assert.That(Run(program, large)[^1], Is.EqualTo(4));
        }
        AssertClean(fake);
    }

    // Every call that a first and a second run make fails once, each in a process of its own as far as the driver can tell.
    [Test]
    public void WhateverFailsIsReportedAndNothingLeaks()
    {
        string[] calls;
        using (FakeCuda fake = FakeCuda.Load())
        {
            using CudaDevice device = fake.Open();
            using GpuProgram program = GpuProgram.Load(FourTimes(), device);
            Run(program, [1]);
            Run(program, [1]);
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
                using GpuProgram program = GpuProgram.Load(FourTimes(), device);
                Run(program, [1]);
                Run(program, [1]);
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
            using GpuProgram program = GpuProgram.Load(FourTimes(), device);
            foreach (string call in (string[])["cuMemAllocFromPoolAsync", "cuLaunchKernel", "cuStreamEndCapture", "cuGraphInstantiate", "cuMemcpyDtoHAsync"])
            {
                fake.Fail(call, 0, 1);
                int failures = 0;
                for (int i = 0; i < 3; i++)
                {
                    try
                    {
                        Assert.That(Run(program, [1, 2]), Is.EqualTo(new float[] { 4, 8 }), call);
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
        AssertClean(fake);
    }

    [Test]
    public void TooLittleMemoryNamesTheLargestBuffers()
    {
        using FakeCuda fake = FakeCuda.Load();
        fake.SetCapacity(2 << 20);
        using (CudaDevice device = fake.Open())
        {
            using GpuProgram program = GpuProgram.Load(FourTimes(), device);
            var error = Assert.Throws<GraphException>(() => Run(program, new float[1 << 20]));
            Assert.That(error!.Id, Is.EqualTo(GpuDiagnostics.OutOfMemory));
            Assert.That(error.Message, Does.Contain("4.0 MiB written by double it").And.Contain("2.0 MiB left"));
            Assert.That(Run(program, [1]), Is.EqualTo(new float[] { 4 }));
        }
        AssertClean(fake);
    }

    [Test]
    public void CodeThatTheDriverRefusesComesWithItsLog()
    {
        using FakeCuda fake = FakeCuda.Load();
        using (CudaDevice device = fake.Open())
        {
            Executable executable = FourTimes("no code at all");
            var error = Assert.Throws<GraphException>(() => GpuProgram.Load(executable, device));
            executable.Dispose();
            Assert.That(error!.Id, Is.EqualTo(GpuDiagnostics.BadCode));
            Assert.That(error.Message, Does.Contain("Missing .version directive").And.Contain("CUDA_ERROR_INVALID_PTX"));
        }
        AssertClean(fake);
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
    public void TensorMapsAreEncodedForTheAddressesOfEachRun()
    {
        using FakeCuda fake = FakeCuda.Load();
        using (CudaDevice device = fake.Open())
        {
            using var program = (GpuProgram)GpuProgram.Load(Mapped(), device);
            for (int i = 0; i < 4; i++)
            {
                float[] x = [.. Enumerable.Range(i, 8 * (i / 2 + 1)).Select(v => (float)v)];
                Assert.That(Run(program, x), Is.EqualTo(x.Select(v => 2 * v)));
                Assert.That(fake.LastMap, Is.EqualTo($"type 11 swizzle 0 sizes 8 {i / 2 + 1} strides 32 box 8 1"));
            }
            Assert.That(fake.Calls.Count(c => c == "cuTensorMapEncodeTiled"), Is.EqualTo(4));
        }
        AssertClean(fake);
    }

    [Test]
    public void ADriverWithoutTensorMapsSaysSo()
    {
        using FakeCuda fake = FakeCuda.Load(isOld: true);
        using (CudaDevice device = fake.Open())
        {
            using var program = (GpuProgram)GpuProgram.Load(Mapped(), device);
            var error = Assert.Throws<GraphException>(() => Run(program, new float[8]));
            Assert.That(error!.Id, Is.EqualTo(GpuDiagnostics.NoTensorMaps));
            Assert.That(error.Message, Does.Contain("GR6508").And.Contain("525 (CUDA 12.0)").And.Contain("sm_90 instead of sm_90a"));
        }
        AssertClean(fake);
    }

    private static bool IsWork(string call) => call.StartsWith("cuMem", StringComparison.Ordinal)
        ? !call.EndsWith("Info", StringComparison.Ordinal) && call != "cuMemHostAlloc"
        : call is "cuLaunchKernel" or "cuStreamSynchronize" or "cuStreamBeginCapture" or "cuStreamEndCapture" ||
            call.StartsWith("cuGraph", StringComparison.Ordinal);

    private static void AssertClean(FakeCuda fake)
    {
        Assert.That(fake.Violation, Is.Empty);
        Assert.That(fake.Live, Is.Zero, "handles or memory leak");
    }

    private static float[] Run(GpuProgram program, float[] x) =>
        program.Run(new Dictionary<string, Feed> { ["x"] = x })[0].As<float>().ToArray();

    // y = 2 (2 x), through a temporary.
    private static Executable FourTimes(string code = ".version 7.0 twice") => Plan(
        code,
        [BufferSpec.Parameter(0, 4 * (Dim)Count), BufferSpec.Temp(4 * (Dim)Count, 0, 1), BufferSpec.Result(0, 4 * (Dim)Count)],
        [Twice(0, 1, 0), Twice(1, 2, 1)]);

    // The same, computed twice at a time.
    private static Executable Batch() => Plan(
        ".version 7.0 twice",
        [
            BufferSpec.Parameter(0, 4 * (Dim)Count), BufferSpec.Temp(4 * (Dim)Count, 0, 2), BufferSpec.Temp(4 * (Dim)Count, 0, 2),
            BufferSpec.Result(0, 4 * (Dim)Count),
        ],
        [new GpuStep.SideBySide([Twice(0, 1, 0), Twice(0, 2, 0)]), Twice(2, 3, 1)]);

    // Doubles in place while a counter is below 5.
    private static Executable Loop() => Plan(
        ".version 7.0 twice count",
        [
            BufferSpec.Parameter(0, 4 * (Dim)Count), BufferSpec.Result(0, 4 * (Dim)Count), BufferSpec.Temp(4, 0, 9), BufferSpec.Temp(1, 0, 9),
            BufferSpec.Constant(0, 4),
        ],
        [
            new GpuStep.Copy(0, 1, 4 * (Dim)Count),
            new GpuStep.Copy(4, 2, 4),
            new GpuStep.Loop(
                [new GpuStep.Launch(1, 1, [GpuArgument.Of(2), GpuArgument.Of(3), GpuArgument.Of((Dim)5)], 1)], 3, [Twice(1, 1, 0)]),
        ],
        BitConverter.GetBytes(-1));

    // y = 2 x, of a tensor with lines of 8.
    private static Executable Mapped() => Plan(
        ".version 8.0 mapped", [BufferSpec.Parameter(0, 4 * (Dim)Count), BufferSpec.Result(0, 4 * (Dim)Count)],
        [
            new GpuStep.Launch(0, 1, [GpuArgument.Of(1), GpuArgument.Of((Dim)Count)], 0)
            {
                Maps =
                [
                    new GpuTensorMap(0, DType.F32)
                    {
                        Sizes = [8, Dim.FloorDiv(Count, 8)], StridesInBytes = [32], Box = [8, 1], RoundsToTensorFloat32 = true,
                    },
                ],
            },
        ],
        kernel: new GpuKernel("mapped", 0, 32, 0, [GpuParameter.Write, GpuParameter.Number, GpuParameter.TensorMap]));

    private static GpuStep.Launch Twice(int from, int to, int call) => new(
        0, Dim.CeilDiv(Count, 32), [GpuArgument.Of(from), GpuArgument.Of(to), GpuArgument.Of((Dim)Count)], call);

    private static Executable Plan(
        string code, BufferSpec[] buffers, GpuStep[] steps, byte[]? constant = null, GpuKernel? kernel = null)
    {
        var type = new TensorType(DType.F32, [(Dim)Count]);
        var constants = new ConstantWriter();
        if (constant is not null)
        {
            constants.Add(constant);
        }
        return Executable.Create(
            new ExecutablePlan
            {
                Name = "four times",
                CompilerVersion = "test",
                TargetTriple = GpuPlan.Triple,
                CpuFeatures = "sm_80",
                EntrySymbol = GpuPlan.Entry,
                Symbols = [Count],
                Inputs = [new InputSpec("x", type)],
                Outputs = [new OutputSpec("y", type, Array.FindIndex(buffers, b => b.Kind == BufferKind.Result))],
                Buffers = [.. buffers],
                Kernels = [new KernelSpec("twice", "double it", Count, 8 * (Dim)Count), new KernelSpec("twice", "double it again", Count, 8 * (Dim)Count)],
                Gpu = new GpuPlan
                {
                    Form = GpuCodeForm.Ptx,
                    Kernels =
                    [
                        kernel ?? new GpuKernel("twice", 0, 32, 0, [GpuParameter.Read, GpuParameter.Write, GpuParameter.Number]),
                        .. code.Contains("count", StringComparison.Ordinal)
                            ? new[] { new GpuKernel("count", 0, 32, 0, [GpuParameter.Write, GpuParameter.Write, GpuParameter.Number]) }
                            : [],
                    ],
                    Steps = [.. steps],
                },
            },
            [new ObjectCode("kernels.ptx", Encoding.UTF8.GetBytes(code))],
            constants.ToData());
    }
}
