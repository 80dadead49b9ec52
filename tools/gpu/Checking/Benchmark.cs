using System.Globalization;
using Graphene.Runtime;

namespace Graphene.GpuCheck;

/// <summary>
/// Measures one graph with its inputs and outputs in the device's memory: the time of its kernels, by
/// marks in the stream.
/// </summary>
internal static class Benchmark
{
    private const int Warmup = 5;
    private const int Runs = 25;

    /// <summary>Measures.</summary>
    /// <returns>Whether the device is lost.</returns>
    public static bool Run(string place, GpuDevice device, ResultFile results)
    {
        string name = Path.GetFileName(place);
        if (Check.CodeFor(place, device) is not { } code)
        {
            results.Add(name, ResultFile.Skipped, $"there is no code for {device.Name}");
            return false;
        }
        try
        {
            using GpuProgram program = GpuProgram.Load(Executable.Read(code), device);
            var tensors = new List<DeviceTensor>();
            try
            {
                double[] milliseconds = Measure(program, device, tensors);
                string work = File.ReadAllText(Path.Combine(place, "work.tsv")).Trim();
                results.Add(name, ResultFile.Measured, string.Create(
                    CultureInfo.InvariantCulture,
                    $"{milliseconds[0]:R} {milliseconds[Runs / 2]:R} {work.Replace('\t', ' ')} {Path.GetFileNameWithoutExtension(code)}"));
            }
            finally
            {
                tensors.ForEach(t => t.Dispose());
            }
            return false;
        }
        catch (GraphException e)
        {
            results.Add(name, ResultFile.Failure, e.Message);
            return e.Id == GpuDiagnostics.CallFailed;
        }
        catch (Exception e) // of this measurement: a damaged file, a memory that the host does not have
        {
            results.Add(name, ResultFile.Failure, $"{e.GetType().Name}: {e.Message}");
            return false;
        }
    }

    private static double[] Measure(GpuProgram program, GpuDevice device, List<DeviceTensor> tensors)
    {
        var profile = new KernelProfile();
        using Callable callable = program.MakeCallable(new RunOptions { Profile = profile });
        using BoundCall call = callable.Bind();
        for (int i = 0; i < callable.Inputs.Length; i++)
        {
            TensorType type = callable.Inputs[i].Type;
            var x = new DeviceTensor(device, type.DType, type.Shape.ToStatic());
            tensors.Add(x);
            Fill(x, i);
            call.UseInput(i, x);
        }
        for (int i = 0; i < callable.Outputs.Length; i++)
        {
            TensorType type = callable.Outputs[i].Type;
            var y = new DeviceTensor(device, type.DType, type.Shape.ToStatic());
            tensors.Add(y);
            call.UseOutput(i, y);
        }
        var times = new double[Runs];
        for (int run = -Warmup; run < Runs; run++)
        {
            profile.Clear();
            call.Run();
            if (run >= 0)
            {
                times[run] = Enumerable.Range(0, profile.Count).Sum(k => profile.Elapsed(k).TotalMilliseconds);
            }
        }
        Array.Sort(times);
        return times;
    }

    // Random numbers from -1 to 1: equal ones would let the device save power, and look fast.
    private static void Fill(DeviceTensor x, int seed)
    {
        var random = new Random(seed);
        long count = x.SizeInBytes / x.DType.SizeInBytes();
        switch (x.DType)
        {
            case DType.F32:
                x.Write<float>([.. Draw(random, count).Select(v => (float)v)]);
                break;
            case DType.F16:
                x.Write<Half>([.. Draw(random, count).Select(v => (Half)v)]);
                break;
            default:
                x.Write<BFloat16>([.. Draw(random, count).Select(v => (BFloat16)(float)v)]);
                break;
        }
    }

    private static IEnumerable<double> Draw(Random random, long count)
    {
        for (long i = 0; i < count; i++)
        {
            yield return (2 * random.NextDouble()) - 1;
        }
    }
}
