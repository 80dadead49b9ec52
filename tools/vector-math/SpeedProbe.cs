using System.Diagnostics;
using System.Globalization;
using Graphene.Codegen;
using Graphene.Codegen.Llvm;
using Graphene.Tests.Codegen.KernelIr;

namespace Graphene.VectorMath;

/// <summary>Times a function along arrays that fit the second-level cache, alternating with a copy of the same bytes.</summary>
internal static class SpeedProbe
{
    private const int Count = 32 * 1024;

    // Enough runs for the clock.
    private const int Repeats = 20;

    /// <summary>Measures one function and prints a line.</summary>
    /// <param name="function">The function.</param>
    /// <param name="rounds">How often it is measured; the fastest counts.</param>
    /// <param name="target">The instructions to use, all of which this machine must have.</param>
    public static unsafe void Run(MathFunction function, int rounds, LlvmTarget target)
    {
        int operands = function.IsBinary ? 2 : 1;
        using var kernel = new CompiledKernel(Map(function, target), target);
        using var copy = new CompiledKernel(
            MapKernel.Of(
                "copy", Types(function), DType.F32, Count, Lanes(target), x => x.Aggregate((a, b) => KBuilder.Call(ScalarOp.Maximum, a, b))),
            target);
        var random = new Random(1);
        float[][] arrays = [.. Enumerable.Range(0, operands + 1).Select(_ => GC.AllocateArray<float>(Count, pinned: true))];
        foreach (float[] input in arrays[..operands])
        {
            for (int i = 0; i < Count; i++)
            {
                input[i] = (float)(function.Lowest + (random.NextDouble() * (function.Highest - function.Lowest)));
            }
        }
        nint[] pointers = [.. arrays.Select(a => (nint)System.Runtime.CompilerServices.Unsafe.AsPointer(ref a[0]))];
        (double own, double plain) = (double.MaxValue, double.MaxValue);
        for (int round = 0; round < rounds; round++)
        {
            own = Math.Min(own, Time(kernel, pointers));
            plain = Math.Min(plain, Time(copy, pointers));
        }
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{function.Name,-22} {own:F3} ns/element, {plain:F3} ns for a copy: {own / plain:F1} times"));
    }

    /// <summary>The assembly of what is measured.</summary>
    public static string Code(MathFunction function, LlvmTarget target) =>
        LlvmCompiler.Assembly(new LlvmKernelPrinter(target, _ => 0).Print(Map(function, target)), target);

    private static int Lanes(LlvmTarget target) => Math.Max(4, target.VectorBits / 32);

    private static DType[] Types(MathFunction function) => function.IsBinary ? [DType.F32, DType.F32] : [DType.F32];

    private static Kernel Map(MathFunction function, LlvmTarget target) =>
        MapKernel.Of(function.Name, Types(function), DType.F32, Count, Lanes(target), x => KBuilder.Call(function.Op, x));

    private static double Time(CompiledKernel kernel, nint[] pointers)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < Repeats; i++)
        {
            kernel.RunInPlace(0, 1, pointers);
        }
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / Repeats / Count;
    }
}
