using System.Numerics.Tensors;
using Graphene.Runtime;
using NUnit.Framework;

namespace Graphene.Tests.Runtime;

public sealed unsafe class CallableTests
{
    [Test]
    public void SpansAreReadAndWrittenInPlace()
    {
        using Callable call = ScaleAndAdd();
        float[] y = new float[6];
        call.Run<float, float>([1, 2, 3, 4, 5, 6], y);
        Assert.That(y, Is.EqualTo(new float[] { 12, 24, 36, 18, 30, 42 }));
    }

    [Test]
    public void RunsAllocateNothing()
    {
        using Callable call = ScaleAndAdd();
        using BoundCall bound = call.Bind([4L, 3L]);
        float[] x = new float[12];
        float[] y = new float[12];
        call.Run<float, float>(x, y);
        bound.Run();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10_000; i++)
        {
            call.Run<float, float>(x, y);
            bound.Run();
        }
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    [Test]
    public void ABoundCallOwnsItsMemoryOrUsesTheCallers()
    {
        using Callable call = ScaleAndAdd();
        using BoundCall bound = call.Bind([1L, 3L]);
        ((ReadOnlySpan<float>)[1, 2, 3]).CopyTo(bound.Input<float>(0));
        bound.Run();
        Assert.That(bound.Output<float>(0).ToArray(), Is.EqualTo(new float[] { 12, 24, 36 }));
        Assert.That(bound.OutputShape(0).ToArray(), Is.EqualTo(new long[] { 1, 3 }));

        float[] x = [0, 0, 1];
        float[] y = new float[5];
        bound.UseInput<float>(0, x);
        bound.UseOutput(0, y.AsMemory(1, 3));
        bound.Run();
        x[2] = 2;
        bound.Run();
        Assert.That(y, Is.EqualTo(new float[] { 0, 10, 20, 34, 0 }));
        Assert.Throws<InvalidOperationException>(() => bound.Input<float>(0));
    }

    [Test]
    public void WhatDoesNotFitIsExplained()
    {
        using Callable call = ScaleAndAdd();
        using BoundCall bound = call.Bind([2L, 3L]);
        AssertRefused(RuntimeDiagnostics.BadFeed, "f64 elements were given", () => call.Run<double, float>([1, 2, 3], new float[3]));
        AssertRefused(RuntimeDiagnostics.BadFeed, "output 'y'", () => call.Run<float, int>([1, 2, 3], new int[3]));
        AssertRefused(RuntimeDiagnostics.ShapeMismatch, "4 elements do not fit", () => call.Run<float, float>([1, 2, 3, 4], new float[4]));
        AssertRefused(
            RuntimeDiagnostics.ShapeMismatch, "6 elements do not fit into 5",
            () => call.Run<float, float>(new float[6], new float[5]));
        AssertRefused(RuntimeDiagnostics.ShapeMismatch, "has 1 dimensions", () => call.Bind([3L]));
        AssertRefused(RuntimeDiagnostics.ShapeMismatch, "has no shape yet", () => call.Bind());
        AssertRefused(RuntimeDiagnostics.ShapeMismatch, "memory of 12 bytes", () => bound.UseInput<float>(0, new float[3]));
        AssertRefused(RuntimeDiagnostics.BadFeed, "i32 elements were given", () => bound.UseOutput<int>(0, new int[6]));
        Assert.Throws<InvalidOperationException>(() => call.Run<float, float, float>([1], [1], new float[3]));
    }

    [Test]
    public void ADisposedCallIsRefused()
    {
        Callable call = ScaleAndAdd();
        BoundCall bound = call.Bind([2L, 3L]);
        bound.Dispose();
        bound.Dispose();
        Assert.Throws<ObjectDisposedException>(() => bound.Run());
        Assert.Throws<ObjectDisposedException>(() => bound.Input<float>(0));
        call.Dispose();
        Assert.Throws<ObjectDisposedException>(() => call.Run<float, float>([1, 2, 3], new float[3]));
    }

    [Test]
    public void MemoryIsFreedWithTheCall()
    {
        long before = NativeBlock.LiveBytes;
        using (Callable call = ScaleAndAdd())
        {
            using BoundCall bound = call.Bind([100L, 3L]);
            bound.Run();
        }
        Assert.That(NativeBlock.LiveBytes, Is.EqualTo(before));
    }

    [Test]
    public void DefaultsAreThereBeforeAnythingIsWritten()
    {
        NativeProgram program = TestEntries.Program(TestEntries.Forward(), &TestEntries.DoNothing);
        using var call = new Callable(program, program, NativeProgramTests.Settings());
        using BoundCall bound = call.Bind();
        bound.Run();
        Assert.That(bound.Output<int>(0).ToArray(), Is.EqualTo(new[] { 7, 8, 9, 10 }));
        Assert.That(bound.Output<int>(1).ToArray(), Is.All.Zero);
    }

    [Test]
    public void TensorsOfDotNetAreReadAndWrittenInPlace()
    {
        using Callable call = ScaleAndAdd();
        Tensor<float> x = System.Numerics.Tensors.Tensor.Create<float>([1, 2, 3, 4, 5, 6], [2, 3]);
        Tensor<float> y = System.Numerics.Tensors.Tensor.Create<float>(new float[6], [2, 3]);
        call.Run<float, float>(
            x.AsReadOnlyTensorSpan().GetSpan([0, 0], (int)x.FlattenedLength),
            y.AsTensorSpan().GetSpan([0, 0], (int)y.FlattenedLength));
        Assert.That(y.ToArray(), Is.EqualTo(new float[] { 12, 24, 36, 18, 30, 42 }));
        Assert.That(y[1, 2], Is.EqualTo(42));
    }

    private static void AssertRefused(DiagnosticId id, string text, Action code)
    {
        var error = Assert.Throws<GraphException>(code);
        Assert.That(error!.Id, Is.EqualTo(id));
        Assert.That(error.Message, Does.Contain(text));
    }

    private static Callable ScaleAndAdd()
    {
        NativeProgram program = TestEntries.Program(TestEntries.ScaleAndAdd(), &TestEntries.RunScaleAndAdd);
        return new Callable(program, program, NativeProgramTests.Settings());
    }
}
