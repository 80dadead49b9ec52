using System.Diagnostics;
using System.Globalization;
using Graphene.Codegen;
using Graphene.Codegen.Llvm;
using Graphene.Tests.Codegen.KernelIr;
using Graphene.Tests.Codegen.VectorMath;

namespace Graphene.VectorMath;

/// <summary>Holds a compiled f32 function against an f64 reference.</summary>
/// <remarks>
/// The error is |result - exact| in units of the last place of f32 in the binade of the exact value (of the smallest normal
/// number for smaller ones), where the exact value is the reference's f64; infinity counts as the number after the largest.
/// NaN must meet NaN, and a zero must have the sign of the exact zero. The references err by a few units in the last place
/// of f64, 2^-27 of those counted here.
/// </remarks>
internal sealed class AccuracyCheck
{
    private const int Chunk = 1 << 16;

    private readonly ScalarOp _op;
    private readonly CompiledKernel _kernel;
    private readonly Lock _lock = new();
    private double _largest;
    private (float X, float Y, float Actual, double Exact) _worst;
    private long _count;
    private long _misrounded;

    private AccuracyCheck(ScalarOp op, CompiledKernel kernel) => (_op, _kernel) = (op, kernel);

    /// <summary>Checks one function and prints a line.</summary>
    public static void Run(MathFunction function, uint step, long pairs, int threads)
    {
        long start = Stopwatch.GetTimestamp();
        int lanes = Math.Max(4, LlvmTarget.Host().VectorBits / 32);
        DType[] operands = function.IsBinary ? [DType.F32, DType.F32] : [DType.F32];
        using var kernel = new CompiledKernel(MapKernel.Of("map", operands, DType.F32, Chunk, lanes, x => KBuilder.Call(function.Op, x)));
        var check = new AccuracyCheck(function.Op, kernel);
        var options = new ParallelOptions { MaxDegreeOfParallelism = threads };
        long inputs = function.IsBinary ? pairs : ((1L << 32) + step - 1) / step;
        Parallel.For(0, (inputs + Chunk - 1) / Chunk, options, () => new float[3][], (chunk, _, arrays) =>
        {
            float[] x = arrays[0] ??= GC.AllocateArray<float>(Chunk, pinned: true);
            float[] y = arrays[1] ??= GC.AllocateArray<float>(Chunk, pinned: true);
            float[] result = arrays[2] ??= GC.AllocateArray<float>(Chunk, pinned: true);
            Fill(function, chunk, step, x, y);
            check.Compare(x, function.IsBinary ? y : null, result);
            return arrays;
        }, _ => { });
        check.Print(function, Stopwatch.GetElapsedTime(start));
    }

    // Consecutive numbers by their bits; a few too many are numbers of the beginning again.
    private static void Fill(MathFunction function, long chunk, uint step, float[] x, float[] y)
    {
        var random = new Random(unchecked((int)chunk));
        for (int i = 0; i < Chunk; i++)
        {
            x[i] = function.IsBinary
                ? SampleNumbers.Single(random)
                : BitConverter.UInt32BitsToSingle(unchecked((uint)(((chunk * Chunk) + i) * step)));
            y[i] = function.IsBinary ? SampleNumbers.Single(random) : 0;
        }
    }

    private unsafe void Compare(float[] x, float[]? y, float[] result)
    {
        fixed (float* px = x, py = y, pr = result)
        {
            _kernel.RunInPlace(0, 1, y is null ? [(nint)px, (nint)pr] : [(nint)px, (nint)py, (nint)pr]);
        }
        double largest = 0;
        int misrounded = 0;
        int worst = -1;
        for (int i = 0; i < Chunk; i++)
        {
            double exact = MathReference.OfSingle(_op, x[i], y?[i] ?? 0);

            // What is rounded right is at most half a unit away, unless both are NaN or zeros of different signs.
            if (BitConverter.SingleToInt32Bits((float)exact) == BitConverter.SingleToInt32Bits(result[i]))
            {
                continue;
            }
            double distance = UlpMeter.Distance(result[i], exact);
            misrounded += distance > 0 ? 1 : 0;
            if (distance > largest)
            {
                (largest, worst) = (distance, i);
            }
        }
        lock (_lock)
        {
            _count += Chunk;
            _misrounded += misrounded;
            if (largest > _largest)
            {
                _largest = largest;
                float other = y?[worst] ?? 0;
                _worst = (x[worst], other, result[worst], MathReference.OfSingle(_op, x[worst], other));
            }
        }
    }

    private void Print(MathFunction function, TimeSpan elapsed)
    {
        string arguments = function.IsBinary ? $"{_worst.X:R}, {_worst.Y:R}" : $"{_worst.X:R}";
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{function.Name,-22} {_count,11} inputs  max {Math.Max(_largest, 0.5):F4} ulp at ({arguments}): "
            + $"{_worst.Actual:R}, exact {_worst.Exact:R}"
            + $"  {100.0 * _misrounded / _count:F3} % not rounded right  {elapsed.TotalSeconds:F0} s"));
    }
}
